/** Which folder may import which: from what a person runs down to the Docker Engine, and never back. And how long a file may be. */
import * as fs from 'node:fs';
import * as path from 'node:path';

const allowed: Readonly<Record<string, readonly string[]>> = {
  engine: [],
  components: ['engine'],
  settings: ['components', 'engine'],
  stack: ['settings', 'components', 'engine'],
  // Of the settings only what a problem is, what stands for a secret, and what a store's refusal means.
  provider: ['settings', 'components', 'engine'],
  lab: ['provider', 'settings', 'components', 'engine'],
  ops: ['lab', 'provider', 'stack', 'settings', 'components', 'engine'],
};

const sources = (folder: string): string[] =>
  fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).map((file) => path.join(folder, file));

/** Folders at the top that a file imports from, its own left out. */
const importedBy = (file: string): string[] =>
  [...fs.readFileSync(file, 'utf8').matchAll(/(?:from |import\(|require\()'(\.[^']+)'/g)].map(([, target = '']) => path.normalize(path.join(path.dirname(file), target)).split(path.sep)[0] ?? '');

test('CONTRIBUTING says the same', () => {
  const rows = [...fs.readFileSync('CONTRIBUTING.md', 'utf8').matchAll(/^\| `(\w+)` \| .+ \| (.*)\|$/gm)].map(([, folder = '', others = '']) => [folder, others.match(/\w+/g) ?? []]);
  expect(rows).toEqual([...Object.entries(allowed), ['templates', []]]);
});

test.each(Object.entries(allowed))('%s', (folder, others) => {
  const wrong = sources(folder).flatMap((file) => importedBy(file).filter((other) => other !== folder && other !== 'package.json' && !others.includes(other)).map((other) => `${file} -> ${other}`));
  expect(wrong).toEqual([]);
});

test('of the settings the provider knows problems, what stands for a secret, and what stores refuse alone', () => {
  const known = sources('provider').flatMap((file) => [...fs.readFileSync(file, 'utf8').matchAll(/'\.\.\/settings\/([^']+)'/g)].map(([, name]) => name));
  expect([...new Set(known)].sort()).toEqual(['problem', 'setting', 'store-refusal']);
});

test('the entry knows the stack alone', () => {
  expect([...new Set(importedBy('index.ts'))]).toEqual(['stack']);
});

test('no file of the program has more than 250 lines: one that has holds more than one thing', () => {
  const files = Object.keys(allowed).flatMap((folder) => fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => path.join(folder, file)));
  const long = files.filter((file) => /\.(ts|mjs|cjs)$/.test(file) && fs.readFileSync(file, 'utf8').trimEnd().split('\n').length > 250);
  expect(long).toEqual([]);
});
