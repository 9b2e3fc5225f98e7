/**
 * README and docs: commands that can be typed as they stand, messages that the code says, links that lead somewhere.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { keys } from '../settings/keys';
import type * as commandLine from '../ops/support/command-line';
import type * as table from '../ops/commands';
import { pages, text } from './support/docs-lines';
import { setEnvironment } from './support/environment';
import { rows } from './support/rows';

/** Code between backticks, on one line or in a block, as a person would copy it. */
const code = (page: string): string[] => [
  ...[...text(page).matchAll(/^ *```(?:sh|console)?\n([^]*?)^ *```/gm)].flatMap(([, block = '']) => block.replace(/\\\n\s*/g, ' ').split('\n')),
  ...[...text(page).replace(/^ *```[^]*?^ *```/gm, '').matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replace(/\n/g, ' ')),
];

/** The words of a line of shell, without quotes, redirections and comments. */
const words = (line: string): string[] =>
  (/^(.*?)(?:\s#\s.*|\s*(?:&&|\||>|;).*)?$/.exec(line)?.[1] ?? '').match(/'[^']*'|"[^"]*"|\S+/g)?.map((word) => word.replace(/^(['"])(.*)\1$/, '$2')) ?? [];

beforeEach(() => setEnvironment(Object.fromEntries(Object.keys(process.env).filter((name) => /^npm_config_/.test(name)).map((name) => [name, undefined]))));

const typed = pages.flatMap((page) => code(page).flatMap((line) => line.split(/&&|\$ /).map((part) => part.trim()).filter((part) => /^npm run (--silent )?[a-z2]+( -- (?!…).*|\s*[<>#;|].*)?$/.test(part)).map((part) => [page, part] as const)));

test('there are commands in them', () => expect(typed.length).toBeGreaterThan(25));

// Many stand on several pages.
const lines = new Map(typed.map(([page, line]) => [line, page]));

rows([...lines].filter(([line]) => !/npm run (--silent )?(pulumi|test|e2e)\b/.test(line)))('a command of npm is typed as it takes it', async (line) => {
  const [, , ...rest] = words(line).filter((word) => word !== '--silent');
  // A process of its own for each: it remembers which stack was named.
  const { commands, pulumiOptions, parse } = await new Promise<typeof table & typeof commandLine>((resolve) =>
    jest.isolateModules(() => resolve({ ...jest.requireActual<typeof table>('../ops/commands'), ...jest.requireActual<typeof commandLine>('../ops/support/command-line') })));
  const command = commands.find((each) => each.name() === rest[0]);
  expect(command).toBeDefined();
  let run = 0;
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  command?.action(() => void (run += 1));
  // Help ends without a run.
  await parse(command!, rest.slice(2).filter((word) => word !== '…').map((word) => word.replace('KEY=VALUE', 'phoenix:uiPort=16006')), command!.name() === 'pulumi' ? pulumiOptions : []);
  expect(run).toBe(rest.includes('--help') ? 0 : 1);
});

rows(pages)('every setting that a page names is one', (page) => {
  const spaces = [...new Set(Object.keys(keys).map((key) => key.split(':')[0] ?? ''))];
  const named = code(page).flatMap((line) => [...line.matchAll(/(?<![\w/.:-])([a-z]+):([a-zA-Z]\w*)\b(?![*:/.…])/g)].filter(([, space = '']) => spaces.includes(space)).map(([key]) => key));
  expect(named.filter((key) => !(key in keys))).toEqual([]);
});

rows(pages)('every link within the project leads to a file, and to a heading of it', (page) => {
  const broken = [...text(page).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].filter(([, file = '', heading]) => {
    const target = file === '' ? page : path.join(path.dirname(page), file);
    const slugs = (): string[] => [...text(target).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => title.toLowerCase().replace(/[^\w\s-]/g, '').replace(/ /g, '-'));
    return !fs.existsSync(target) || (heading !== undefined && !slugs().includes(heading));
  });
  expect(broken.map(([link]) => link)).toEqual([]);
});

test('every message of docs/troubleshooting.md is one of the program', () => {
  const sources = ['components', 'settings', 'stack', 'engine', 'provider', 'ops', 'ops/support', 'ops/support/adopt'].flatMap((dir) => fs.readdirSync(dir).filter((file) => /\.(ts|mjs)$/.test(file)).map((file) => fs.readFileSync(path.join(dir, file), 'utf8')));
  const all = sources.join('\n').replace(/\$\{[^}]*\}/g, '…');
  const messages = [...text('docs/troubleshooting.md').matchAll(/^\| `([^`]+)` \|/gm)].map(([, message = '']) => message);
  expect(messages.length).toBeGreaterThan(15);
  const missing = messages.flatMap((message) => message.split('…').map((part) => part.trim()).filter((part) => part.length > 3 && !all.includes(part)));
  expect(missing).toEqual([]);
});
