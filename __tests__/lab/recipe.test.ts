import { announcement, cacheKey, duration, titleOf, type Recipe } from '../../lab/recipe';

const recipe: Recipe = { name: 'Thing', version: '1.2.3', inputs: { flags: ['-a'] }, from: 'the Go module proxy', cost: { minutes: 4.2, cache: 10 } };

describe('cacheKey', () => {
  test('says name and version, and is stable', () => {
    expect(cacheKey(recipe)).toMatch(/^thing-1\.2\.3-[0-9a-f]{12}$/);
    expect(cacheKey({ ...recipe })).toBe(cacheKey(recipe));
  });

  test.each<[string, Partial<Recipe>]>([
    ['name', { name: 'Other' }],
    ['version', { version: '1.2.4' }],
    ['inputs', { inputs: { flags: ['-b'] } }],
  ])('changes with the %s', (_, change) => {
    expect(cacheKey({ ...recipe, ...change })).not.toBe(cacheKey(recipe));
  });

  test.each<[string, Partial<Recipe>]>([
    ['where it comes from', { from: 'PyPI' }],
    ['what was measured', { cost: { minutes: 1 } }],
  ])('does not change with %s', (_, change) => {
    expect(cacheKey({ ...recipe, ...change })).toBe(cacheKey(recipe));
  });
});

test('a build says what it is, from where and how long', () => {
  expect(titleOf(recipe)).toBe('Thing 1.2.3');
  expect(announcement(recipe)).toBe('Thing 1.2.3: making it from the Go module proxy (about 5 minutes, once)');
});

test.each([[0.1, 'half a minute'], [0.5, 'half a minute'], [0.6, 'a minute'], [1, 'a minute'], [1.1, '2 minutes'], [3, '3 minutes']])('duration(%d) is %s', (minutes, text) => {
  expect(duration(minutes)).toBe(text);
});
