import { commentBody, longest, marker, type Origin } from '../../ops/support/comment-body';

const run = 'https://github.com/acme/llm-observability/actions/runs/77';
const origin: Origin = { commit: '0123456789abcdef0123456789abcdef01234567', run, fork: undefined };

/** What stands below the heading. */
const shown = (page: string): string => commentBody(page, origin).split('\n\n').slice(1).join('\n\n');

test('the marker that nobody sees, where the page comes from, and the page', () => {
  expect(commentBody('# dev\n\nNo change.\n', origin)).toBe(
    `<!-- llm-observability preview -->\nPreview of commit \`0123456\`, from [this run](${run}).\n\n# dev\n\nNo change.\n`,
  );
});

test("a fork's says that it is a stranger's", () => {
  expect(commentBody('No change.\n', { ...origin, fork: 'ada/llm-observability' })).toBe(
    `${marker}\nPreview of commit \`0123456\`, from [this run](${run}). The code of the fork ada/llm-observability made it, without credentials: treat its links and commands as written by a stranger.\n\nNo change.\n`,
  );
});

describe('mentions', () => {
  test.each([
    ['at the begin of the page', '@ada', '@\u200bada'],
    ['of a team', 'see @acme/everybody', 'see @\u200bacme/everybody'],
    ['after a bracket', '(@ada)', '(@\u200bada)'],
    ['after a backslash, which Markdown takes away', '\\@ada', '\\@\u200bada'],
    ['after an emphasis, which ends in a character of a word', '_see_@ada', '_see_@\u200bada'],
    ['as a number', '&#64;ada', '&#64;\u200bada'],
    ['as a number with zeros', '&#0064;ada', '&#0064;\u200bada'],
    ['as a hexadecimal number', '&#X0040;ada', '&#X0040;\u200bada'],
    ['as a name', 'a&commat;ada', 'a&commat;\u200bada'],
    ['with a number for its first letter', '@&#97;da', '@\u200b&#97;da'],
    ['twice', '@@ada', '@\u200b@\u200bada'],
  ])('%s', (_, page, expected) => {
    expect(shown(page)).toBe(expected);
  });

  test.each(['nginx:1.28.0@sha256:5ad3', 'ssh://deploy@host', 'ada@example.com', 'HOST9@sha256:1d'])('%s is none and can be copied as it is', (page) => {
    expect(shown(page)).toBe(page);
  });
});

describe('what is longer than a comment may be', () => {
  const line = `${'x'.repeat(99)}\n`;
  const heading = `${marker}\nPreview of commit \`0123456\`, from [this run](${run}).`;
  const cut = `${heading} It is too long for a comment and is truncated; the artifact of that run has all of it.\n\n`;

  test('fits to the last character', () => {
    const page = 'x'.repeat(longest - heading.length - 2);
    expect(commentBody(page, origin)).toBe(`${heading}\n\n${page}`);
    expect(commentBody(`${page}x`, origin)).toBe(cut);
  });

  test('ends after the last line that fits, and says so first', () => {
    const body = commentBody(line.repeat(1000), origin);
    const lines = Math.floor((longest - cut.length) / line.length);
    expect(body).toBe(cut + line.repeat(lines));
  });

  test('a line that fits exactly is in it', () => {
    const last = `${'y'.repeat((longest - cut.length) % line.length - 1)}\n`;
    const lines = Math.floor((longest - cut.length) / line.length);
    const body = commentBody(line.repeat(lines) + last + line, origin);
    expect(body).toBe(cut + line.repeat(lines) + last);
    expect(body).toHaveLength(longest);
  });

  test('what keeps mentions away counts', () => {
    const body = commentBody('@ada\n'.repeat(longest / 5), origin);
    expect(body.length).toBeLessThanOrEqual(longest);
    expect(body.length).toBeGreaterThan(longest - '@\u200bada\n'.length);
  });
});
