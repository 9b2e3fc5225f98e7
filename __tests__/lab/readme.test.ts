import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alloyRecipe } from '../../lab/alloy';
import { baseRecipe } from '../../lab/base-image';
import { gate } from '../../lab/gate';
import { phoenixRecipe } from '../../lab/phoenix';
import { prometheus } from '../../lab/prometheus';
import { cloudflare, docker, random } from '../../lab/providers';
import { pulumiRecipe } from '../../lab/pulumi-cli';

const text = readFileSync('lab/README.md', 'utf8');
const rows = text.split('\n').filter((line) => line.startsWith('| ')).map((line) => line.split('|').map((cell) => cell.trim()).slice(1, -1));

test('each file that stands in is there, and so is the test that shows it', () => {
  const files = rows.filter((cells) => cells.length === 5).flatMap(([here = '']) => [...here.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((file) => !existsSync(join('lab', file)) && !existsSync(join('lab', 'cloudflare', file)))).toEqual([]);
  const tests = [...text.matchAll(/npm (test|run e2e) -- ([\w/-]+)/g)].map(([, kind, name = '']) => join('__tests__', kind === 'test' ? '' : 'e2e', `${name}.test.ts`));
  expect(tests.filter((file) => !existsSync(file))).toEqual([]);
});

test('the plugins are of the versions that it names', () => {
  for (const [name, version] of [['docker', docker().version], ['random', random.version], ['cloudflare', cloudflare().version]]) {
    expect(text).toContain(`| ${name} plugin ${version} |`);
  }
});

test('a cold build takes as long as its recipe says', () => {
  const minutes = Object.fromEntries(rows.filter((cells) => cells.length === 3).map(([part = '', time]) => [part, Number(time)]));
  expect(minutes).toMatchObject({
    'Pulumi CLI': pulumiRecipe.cost.minutes, Alloy: alloyRecipe.cost.minutes, Phoenix: phoenixRecipe.cost.minutes, 'Base image': baseRecipe.cost.minutes, nginx: gate.recipe.cost.minutes, Prometheus: prometheus.recipe.cost.minutes,
  });
});

test('it is one page', () => {
  expect(text.split('\n').length).toBeLessThan(60);
});
