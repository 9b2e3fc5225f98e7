/**
 * `npm run bench` as a person types it, in this process: with an npm and a Pulumi that write down what they are asked, and a
 * docker-compose whose services deliver at the second look.
 */
import type * as childProcess from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { projectDir } from '../../ops/support/backend';
import { setEnvironment } from '../support/environment';
import { listen } from '../support/said';
import { tempDir } from '../support/temp';
import type * as typed from '../support/typed';

const mockCommand: { args: readonly string[]; main?: () => Promise<void> } = { args: [] };
const mockDone: string[] = [];
const mockSeed = { fails: false, looks: 0 };
const mockTools = { pulumi: '', env: { BENCH_TEST: 'of the toolchain' } };
jest.mock('node:child_process', () => {
  const actual = jest.requireActual<typeof childProcess>('node:child_process');
  // By default a process would get the environment of jest, and not the one of the test.
  const execFile = (file: string, args: string[], options: object, done: () => void): object => actual.execFile(file, args, { env: process.env, ...options }, done);
  return { ...actual, execFile };
});
jest.mock('../../ops/support/command-line', () => jest.requireActual<typeof typed>('../support/typed').keptMain(() => mockCommand.args, (run) => (mockCommand.main = run)));
jest.mock('../../ops/support/backend', () => jest.requireActual<typeof typed>('../support/typed').ownBackend());
jest.mock('../../ops/support/toolchain', () => ({ findToolchain: async () => mockTools }));
jest.mock('../../ops/support/pulumi', () => ({ Pulumi: class { outputs = async () => ({ auth: true }); state = async () => undefined; } }));
jest.mock('../../ops/support/run-tools', () => ({ previewing: async (tools: typeof mockTools) => tools }));
jest.mock('../../ops/support/route', () => ({ routeOf: ({ auth }: { auth: boolean }) => ({ auth }) }));
jest.mock('../../provider/delivery', () => ({ checkDelivery: async ({ auth }: { auth: boolean }) => ({ ok: !auth && (mockSeed.looks += 1) > 1 }) }));
jest.mock('../../ops/support/faults/seed', () => ({
  seedOf: async () => ({
    compose: async (...args: string[]) => {
      mockDone.push(['docker-compose', ...args].join(' '));
      if (mockSeed.fails) {
        throw new Error('no such image');
      }
    },
    remove: async () => void mockDone.push('docker-compose removed'),
  }),
}));

let bin: string;
let printed: string[];
/** An `npm` and a `pulumi` that keep what they are asked, and fail where it holds `fails`. */
function machine(fails = 'nothing'): void {
  bin = tempDir();
  for (const name of ['npm', 'pulumi']) {
    const script = [
      '#!/bin/sh',
      `echo "${name} $* in $PWD $BENCH_TEST" >> '${bin}/calls'`,
      `[ ! -e index.ts ] || cp Pulumi.yaml '${bin}/empty.yaml'`,
      `case "${name} $*" in *'${fails}'*) echo 'words of ${name}' >&2; exit 1 ;; esac`,
    ];
    fs.writeFileSync(path.join(bin, name), `${script.join('\n')}\n`, { mode: 0o755 });
  }
  mockTools.pulumi = path.join(bin, 'pulumi');
  setEnvironment({ PATH: `${bin}:${process.env['PATH']}` });
}

const asked = (): string[] => (fs.existsSync(path.join(bin, 'calls')) ? fs.readFileSync(path.join(bin, 'calls'), 'utf8').trimEnd().split('\n') : []);
/** Folders of the empty program that are still there. */
const left = (): string[] => asked().flatMap((line) => / in (\S*bench-\w+) /.exec(line)?.slice(1) ?? []).filter((folder) => fs.existsSync(folder));

/** @returns the message with which it ended */
async function bench(...args: string[]): Promise<string | undefined> {
  mockCommand.args = args;
  jest.isolateModules(() => void require('../../ops/bench'));
  return mockCommand.main?.().then(() => undefined, (error: Error) => error.message);
}

beforeEach(() => {
  mockDone.length = 0;
  Object.assign(mockSeed, { fails: false, looks: 0 });
  ['tsconfig.json', 'tsconfig.pulumi.json', 'package.json'].forEach((file) => fs.writeFileSync(path.join(projectDir, file), '{}'));
  listen();
  printed = [];
  jest.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
});

test('three ratios, each of two numbers and what they are of', async () => {
  machine();
  expect(await bench()).toBeUndefined();
  const ratio = String.raw`\d+\.\d\d \(\d+\.\d s / \d+\.\d s of`;
  expect(printed).toEqual([
    expect.stringMatching(new RegExp(`^up to a verified trace: ${ratio} docker-compose\\)$`)),
    expect.stringMatching(new RegExp(`^preview without changes: ${ratio} an empty program\\)$`)),
    expect.stringMatching(new RegExp(`^page of three stacks: ${ratio} three single ones\\)$`)),
  ]);
});

test('each stack is measured from nothing, and everything is removed', async () => {
  machine();
  await bench();
  const npm = asked().flatMap((line) => /^npm run --silent (.*) in /.exec(line)?.slice(1) ?? []);
  const [up, down] = ['up -- --stack bench --yes', 'down -- --stack bench --purge --yes'];
  const page = (...stacks: string[]): string => `preview -- --offline ${stacks.map((stack) => `--stack bench-${stack}`).join(' ')}`;
  expect(npm).toEqual([up, page('a', 'b', 'c'), page('a'), page('b'), page('c'), down, up, down]);
  expect([mockDone, mockSeed.looks]).toEqual([['docker-compose up -d', 'docker-compose removed'], 2]);
});

test('previews go in pairs, by the same CLI with the same environment; the empty program has no provider', async () => {
  machine();
  await bench();
  const project = fs.readFileSync(path.join(bin, 'empty.yaml'), 'utf8');
  expect(project).toContain('runtime:');
  expect(project).not.toMatch(/plugins|provider/);
  const pulumi = asked().filter((line) => line.startsWith('pulumi '));
  expect(pulumi.filter((line) => !line.endsWith(' of the toolchain'))).toEqual([]);
  const previewed = pulumi.flatMap((line) => /^pulumi preview --stack (\S+) --non-interactive --expect-no-changes in (\S+)/.exec(line)?.slice(1, 3).join(' in ').replace(/\S+bench-\w{6}$/, 'its folder') ?? []);
  const [ours, empty] = [`bench in ${projectDir}`, 'bench-empty in its folder'];
  expect(previewed).toEqual(Array.from({ length: 5 }, () => [ours, empty]).flat());
  expect(pulumi.at(-1)).toContain('destroy --yes --non-interactive --remove --stack bench-empty');
  expect(left()).toEqual([]);
});

test('a command that fails ends it with the words of it, and nothing is printed', async () => {
  machine('run --silent up');
  expect(await bench()).toMatch(/up -- --stack bench --yes\nwords of npm/);
  expect([printed, asked().length, mockDone]).toEqual([[], 1, []]);
});

test('a preview that fails leaves no folder', async () => {
  machine('--expect-no-changes');
  expect(await bench()).toMatch(/words of pulumi/);
  expect(left()).toEqual([]);
});

test('services that do not start are removed', async () => {
  machine();
  mockSeed.fails = true;
  expect(await bench()).toBe('no such image');
  expect(mockDone).toEqual(['docker-compose up -d', 'docker-compose removed']);
});

test.each([[['--frobnicate'], "Unknown option '--frobnicate'."], [['prod'], "'prod' is not an option of npm run bench."]])('what is typed wrong, %j, starts nothing', async (args, words) => {
  machine();
  expect(await bench(...args)).toBe(`${words}\n    npm run bench -- --help`);
  expect(asked()).toEqual([]);
});
