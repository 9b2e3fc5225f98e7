/** docs/senders.md without a network: __tests__/e2e/senders.test.ts runs its snippets. */
import * as fs from 'node:fs';
import { isRun, languages } from './e2e/senders/runners';
import { notRun, snippets } from './support/snippets';

const all = snippets();

test('every snippet is run by a test, or named with the reason why not', () => {
  expect(all.length).toBeGreaterThan(15);
  expect(all.filter((snippet) => !isRun(snippet)).map(({ title }) => title)).toEqual(Object.keys(notRun));
});

test('each has a heading and a project of its own', () => {
  expect([...new Set(all.map(({ title }) => title))]).toHaveLength(all.length);
  expect([...new Set(all.map(({ project }) => project))]).toHaveLength(all.length);
  expect(all.map(({ project }) => project)).not.toContain('default');
});

test('every language that the tests know is on the page', () => {
  expect(languages.filter((language) => !all.some((snippet) => snippet.language === language))).toEqual([]);
});

test.each(all.map((snippet) => [snippet.title, snippet] as const))('%s sends to the ports of Alloy', (_, { code }) => {
  const ports = [...code.matchAll(/localhost:(\d+)/g)].map(([, port]) => port);
  expect(ports.filter((port) => !['4317', '4318', '5318'].includes(port ?? ''))).toEqual([]);
  expect(ports.length > 0 || code.includes('location.origin')).toBe(true);
});

test('the versions of the packages are exact', () => {
  const folder = '__tests__/e2e/senders';
  const python = fs.readFileSync(`${folder}/requirements.txt`, 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(python.filter((line) => !/^[\w.[\]-]+==[\w.]+$/.test(line))).toEqual([]);
  const node = ['package.json', 'claude-code/package.json'].map((name) => JSON.parse(fs.readFileSync(`${folder}/${name}`, 'utf8')) as { dependencies: Record<string, string> });
  expect(node.flatMap(({ dependencies }) => Object.entries(dependencies)).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});
