/**
 * `node ops/upgrade.mjs` with the real git, in the clone of somebody who has settings of their own.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as yaml from 'js-yaml';
import { tempDir } from './support/temp';

interface StackFile {
  readonly config: Readonly<Record<string, unknown>>;
  readonly encryptionsalt?: string;
}

const salt = 'v1:cf5ilzSnsgE=:v1:zJ2zews72HI6clK6:lL7hmbI3FDpIaHos6Bmxa0NLTuSk8w==';
const secure = 'v1:xNcsILFR7VZhzTMS:OMzSXZG3nDL1GweZv3p5paP0j3XW+Q0=';
let home: string;
let upstream: string;
let clone: string;

function git(dir: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: dir, encoding: 'utf8', env: environment() });
  if (status !== 0) {
    throw new Error(`git ${args.join(' ')}: ${stderr}`);
  }
  return stdout.trim();
}

/** Nothing of the settings of the person who runs the tests. */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: `${path.join(home, 'bin')}:${process.env['PATH']}`, HOME: home, GIT_CONFIG_NOSYSTEM: '1',
  ...Object.fromEntries(['AUTHOR', 'COMMITTER'].flatMap((who) => [[`GIT_${who}_NAME`, 'Ada'], [`GIT_${who}_EMAIL`, 'ada@example.com']])),
});

const write = (dir: string, file: string, text: string): void => fs.writeFileSync(path.join(dir, file), text);
const change = (dir: string, file: string, from: string | RegExp, to: string): void => {
  const before = fs.readFileSync(path.join(dir, file), 'utf8');
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  write(dir, file, after);
};
const read = (file: string): string => fs.readFileSync(path.join(clone, file), 'utf8');
const settings = (file: string): StackFile => yaml.load(read(file)) as StackFile;

function upgrade(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(clone, 'ops', 'upgrade.mjs'), ...args], { cwd: home, encoding: 'utf8', env: environment() });
  return { status, stdout, stderr };
}

beforeEach(() => {
  home = tempDir();
  upstream = path.join(home, 'upstream');
  clone = path.join(home, "a clone's folder");
  fs.mkdirSync(path.join(upstream, 'ops', 'support'), { recursive: true });
  ['.gitattributes', '.gitignore', 'package.json', 'package-lock.json', 'Pulumi.dev.yaml', 'Pulumi.prod.yaml', 'ops/upgrade.mjs', ...['merge-settings.mjs', 'dependencies.mjs', 'one-at-a-time.mjs', 'process.mjs', 'signals.cjs'].map((file) => `ops/support/${file}`)].forEach((file) =>
    fs.copyFileSync(file, path.join(upstream, file)));
  write(upstream, 'index.ts', 'export const version = 1;\n');
  git(upstream, 'init', '--quiet', '--initial-branch', 'main');
  git(upstream, 'add', '--all');
  git(upstream, 'commit', '--quiet', '--message', 'One');
  git(home, 'clone', '--quiet', upstream, clone);
  fs.symlinkSync(path.resolve('node_modules'), path.join(clone, 'node_modules'));
  write(path.join(clone, '.git', 'info'), 'exclude', 'node_modules\n');
});

/** What the project changes from one version to the next: comments, settings, code, packages. */
function newVersion(): void {
  write(upstream, 'Pulumi.dev.yaml', '# Settings of the stack `dev`.\n# All keys are in docs/settings.md.\nconfig:\n  alloy:memory: 2GiB\n');
  change(upstream, 'Pulumi.prod.yaml', /^# What stands empty.*$/m, '# Values that you must supply are empty.');
  change(upstream, 'Pulumi.prod.yaml', 'phoenix:memory: 8GiB', 'phoenix:memory: 10GiB');
  change(upstream, 'Pulumi.prod.yaml', '  tunnel:otlpHostname: ""\n', '  tunnel:otlpHostname: ""\n  tunnel:teamDomain: ""\n');
  change(upstream, 'package-lock.json', '"lockfileVersion"', '"changed": true,\n  "lockfileVersion"');
  change(upstream, 'index.ts', '1', '2');
  git(upstream, 'commit', '--quiet', '--all', '--message', 'Two');
}

const ways: readonly (readonly [string, string])[] = [
  // As the CLI writes them into the file of the project: in one line, and with the salt behind.
  ['in one line', `# Settings of the stack \`dev\`; every key and its default is in the README's table.\n# Change one with \`pulumi config set KEY VALUE\`.\nconfig: {'phoenix:uiPort': "6007", 'phoenix:smtpPassword': {secure: '${secure}'}}\nencryptionsalt: ${salt}\n`],
  ['line by line, with a comment', `encryptionsalt: ${salt}\n# Settings of the stack \`dev\`; every key and its default is in the README's table.\n# Change one with \`pulumi config set KEY VALUE\`.\nconfig:\n  # The usual one is taken.\n  phoenix:uiPort: "6007"\n  phoenix:smtpPassword:\n    secure: ${secure}\n`],
];

describe.each(['not committed', 'committed on the branch'] as const)('settings that are %s', (state) => {
  function own(dev: string): void {
    write(clone, 'Pulumi.dev.yaml', dev);
    change(clone, 'Pulumi.prod.yaml', 'tunnel:hostname: ""', 'tunnel:hostname: phoenix.example.org');
    change(clone, 'Pulumi.prod.yaml', 'cloudflare:accountId: ""', 'cloudflare:accountId: 0123456789abcdef');
    change(clone, 'Pulumi.prod.yaml', '  alloy:cpus: "2"\n', '');
    if (state !== 'not committed') {
      git(clone, 'commit', '--quiet', '--all', '--message', 'Settings of ours');
    }
  }

  test.each(ways)('stay, %s, and all that is new is there', (_, dev) => {
    own(dev);
    newVersion();
    expect(upgrade()).toMatchObject({ status: 0, stderr: expect.stringMatching(/\nUpgraded\. See what the next deployment changes:\n {4}npm run preview\n$/) });
    expect(settings('Pulumi.dev.yaml')).toEqual({ encryptionsalt: salt, config: { 'alloy:memory': '2GiB', 'phoenix:uiPort': '6007', 'phoenix:smtpPassword': { secure } } });
    expect(settings('Pulumi.prod.yaml').config).toEqual({
      'phoenix:auth': 'true', 'phoenix:memory': '10GiB', 'phoenix:cpus': '2', 'alloy:memory': '4GiB', 'data:protect': 'true', 'phoenix:journal': 'true',
      'tunnel:hostname': 'phoenix.example.org', 'tunnel:otlpHostname': '', 'tunnel:teamDomain': '', 'cloudflare:accountId': '0123456789abcdef',
    });
    expect(read('Pulumi.dev.yaml')).toMatch(/^# Settings of the stack `dev`\.\n# All keys are in docs\/settings\.md\.\n/);
    expect(read('Pulumi.dev.yaml').includes('# The usual one is taken.')).toBe(dev.includes('# The usual one is taken.'));
    expect(read('Pulumi.prod.yaml')).toContain('# Values that you must supply are empty.');
    expect([read('index.ts'), read('package-lock.json').includes('"changed"')]).toEqual(['export const version = 2;\n', true]);
    // Nothing is left to do, and nothing of it is in the configuration of the clone.
    const changed = state === 'not committed' ? [' M Pulumi.dev.yaml', ' M Pulumi.prod.yaml'] : [];
    expect(git(clone, 'status', '--porcelain').split('\n').filter(Boolean).map((line) => line.trim())).toEqual(changed.map((line) => line.trim()));
    expect([git(clone, 'stash', 'list'), git(clone, 'config', '--list').includes('stack-settings')]).toEqual(['', false]);
    expect(git(clone, 'merge-base', 'HEAD', 'origin/main')).toBe(git(upstream, 'rev-parse', 'HEAD'));
  });

  test('stay where they are in the file, if nothing is in their way', () => {
    write(clone, 'Pulumi.dev.yaml', `encryptionsalt: ${salt}\n${read('Pulumi.dev.yaml')}`);
    if (state !== 'not committed') {
      git(clone, 'commit', '--quiet', '--all', '--message', 'Salt');
    }
    change(upstream, 'Pulumi.dev.yaml', 'config: {}', 'config:\n  alloy:memory: 2GiB   # enough for most');
    git(upstream, 'commit', '--quiet', '--all', '--message', 'Two');
    expect(upgrade().status).toBe(0);
    expect(read('Pulumi.dev.yaml')).toBe(`encryptionsalt: ${salt}\n${fs.readFileSync(path.join(upstream, 'Pulumi.dev.yaml'), 'utf8')}`);
  });

  test('of one key that the project changes as well stay', () => {
    change(clone, 'Pulumi.prod.yaml', 'phoenix:memory: 8GiB', 'phoenix:memory: 32GiB');
    if (state !== 'not committed') {
      git(clone, 'commit', '--quiet', '--all', '--message', 'Memory');
    }
    newVersion();
    expect(upgrade().status).toBe(0);
    expect(settings('Pulumi.prod.yaml').config).toMatchObject({ 'phoenix:memory': '32GiB', 'tunnel:teamDomain': '' });
  });

  test.each([
    ['are no YAML', `${ways[1]?.[1]}  phoenix:uiPort: "6008"\n`],
    ['are a list', 'config: ["phoenix:uiPort: 6008"]\n'],
  ])('that %s are a conflict, which is named', (_, content) => {
    own(ways[1]?.[1] ?? '');
    write(clone, 'Pulumi.dev.yaml', content);
    if (state !== 'not committed') {
      git(clone, 'commit', '--quiet', '--all', '--message', 'Twice');
    }
    newVersion();
    const { status, stderr } = upgrade();
    expect({ status, stderr: stderr.slice(stderr.indexOf('Your changes conflict')) }).toEqual({
      status: 1, stderr: 'Your changes conflict with the new version: Pulumi.dev.yaml. Your settings are kept.\n    git status\n    git diff\n',
    });
    expect(read('Pulumi.dev.yaml')).toContain(content.trim().split('\n').pop());
  });
});

describe('without packages, as after `git clean -fdx`', () => {
  const own = ways[0]?.[1] ?? '';

  /** An npm that installs what merges settings, or nothing. */
  function npm(line: string): void {
    fs.mkdirSync(path.join(home, 'bin'));
    fs.writeFileSync(path.join(home, 'bin', 'npm'), `#!/bin/sh\necho "npm $*" >&2\n${line}\n`, { mode: 0o755 });
  }
  beforeEach(() => {
    fs.rmSync(path.join(clone, 'node_modules'));
    write(clone, 'Pulumi.dev.yaml', own);
    newVersion();
  });

  test('they are installed first, and settings stay', () => {
    npm(`mkdir node_modules && ln -s '${path.resolve('node_modules/js-yaml')}' node_modules/js-yaml`);
    expect(upgrade()).toMatchObject({ status: 0, stderr: expect.stringMatching(/^Installing the dependencies \(npm ci\) …\nnpm ci [^]*\nUpgraded\./) });
    expect(settings('Pulumi.dev.yaml')).toEqual({ encryptionsalt: salt, config: { 'alloy:memory': '2GiB', 'phoenix:uiPort': '6007', 'phoenix:smtpPassword': { secure } } });
    expect(git(clone, 'stash', 'list')).toBe('');
  });

  test('and where they cannot be had, nothing is upgraded', () => {
    npm('exit 1');
    expect(upgrade()).toMatchObject({ status: 1, stderr: expect.stringMatching(/\nNothing was upgraded; the reason is above\.\n {4}node ops\/upgrade\.mjs\n$/) });
    expect([read('Pulumi.dev.yaml'), read('index.ts')]).toEqual([own, 'export const version = 1;\n']);
  });
});

describe.each(['not committed', 'committed on the branch'] as const)('a stack file that is %s', (state) => {
  const done = (): void => {
    if (state !== 'not committed') {
      git(clone, 'commit', '--quiet', '--all', '--message', 'Ours');
    }
  };
  const status = (): string => git(clone, 'status', '--porcelain');

  test('and that the new version has deleted is kept, which is said, and so are the others', () => {
    write(clone, 'Pulumi.dev.yaml', ways[0]?.[1] ?? '');
    change(clone, 'Pulumi.prod.yaml', 'phoenix:memory: 8GiB', 'phoenix:memory: 32GiB');
    done();
    newVersion();
    git(upstream, 'rm', '--quiet', 'Pulumi.dev.yaml');
    git(upstream, 'commit', '--quiet', '--message', 'Three');
    expect(upgrade()).toMatchObject({ status: 0, stderr: expect.stringMatching(/\nThe new version has deleted Pulumi\.dev\.yaml\. Yours is kept\.\n[^]*Upgraded\./) });
    expect(read('Pulumi.dev.yaml')).toBe(ways[0]?.[1]);
    expect(settings('Pulumi.prod.yaml').config).toMatchObject({ 'phoenix:memory': '32GiB', 'tunnel:teamDomain': '' });
    expect(read('index.ts')).toBe('export const version = 2;\n');
    expect([status(), git(clone, 'stash', 'list')]).toEqual([state === 'not committed' ? 'M Pulumi.prod.yaml\n?? Pulumi.dev.yaml' : '', '']);
  });

  test('and deleted stays deleted where the new version has changed it, which is said', () => {
    fs.rmSync(path.join(clone, 'Pulumi.prod.yaml'));
    done();
    newVersion();
    expect(upgrade()).toMatchObject({ status: 0, stderr: expect.stringMatching(/\nThe new version has changed Pulumi\.prod\.yaml, which you have deleted\. It stays deleted\.\n[^]*Upgraded\./) });
    expect([fs.existsSync(path.join(clone, 'Pulumi.prod.yaml')), read('index.ts')]).toEqual([false, 'export const version = 2;\n']);
    expect([status(), git(clone, 'stash', 'list')]).toEqual([state === 'not committed' ? 'D Pulumi.prod.yaml' : '', '']);
  });

  test('and that the new version has deleted, beside a file of the program that conflicts: both are named, and nothing is lost', () => {
    write(clone, 'Pulumi.dev.yaml', ways[0]?.[1] ?? '');
    write(clone, 'index.ts', 'export const version = 3;\n');
    done();
    newVersion();
    git(upstream, 'rm', '--quiet', 'Pulumi.dev.yaml');
    git(upstream, 'commit', '--quiet', '--message', 'Three');
    expect(upgrade()).toMatchObject({ status: 1, stderr: expect.stringContaining('Your changes conflict with the new version: Pulumi.dev.yaml, index.ts. Your settings are kept.\n') });
    expect(read('Pulumi.dev.yaml')).toBe(ways[0]?.[1]);
  });
});

test('a conflict that was there before is for whoever has it', () => {
  write(clone, 'index.ts', 'export const version = 4;\n');
  git(clone, 'stash', '--quiet');
  git(clone, 'checkout', '--quiet', '-b', 'other');
  git(clone, 'rm', '--quiet', 'Pulumi.dev.yaml');
  git(clone, 'commit', '--quiet', '--message', 'Theirs');
  git(clone, 'checkout', '--quiet', 'main');
  write(clone, 'Pulumi.dev.yaml', ways[0]?.[1] ?? '');
  git(clone, 'commit', '--quiet', '--all', '--message', 'Ours');
  expect(() => git(clone, 'merge', 'other')).toThrow();
  newVersion();
  expect(upgrade()).toEqual({ status: 1, stdout: '', stderr: 'There is a conflict in Pulumi.dev.yaml already. Nothing was upgraded.\n    git status\n' });
  expect(git(clone, 'stash', 'list')).toContain('stash@{0}');
  expect(git(clone, 'ls-files', '--unmerged')).not.toBe('');
});

test('without anything new', () => {
  expect(upgrade()).toMatchObject({ status: 0, stderr: expect.stringMatching(/This is the newest version\.\n$/) });
});

test('--dry-run lists what is new, and changes nothing', () => {
  expect(upgrade('--dry-run')).toMatchObject({ status: 0, stdout: 'This is the newest version.\n' });
  write(clone, 'Pulumi.dev.yaml', ways[0]?.[1] ?? '');
  newVersion();
  const before = [git(clone, 'rev-parse', 'HEAD'), git(clone, 'status', '--porcelain')];
  expect(upgrade('--dry-run')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^[0-9a-f]+ Two\n$/) });
  expect(upgrade('--dry-run', 'origin', 'main')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^[0-9a-f]+ Two\n$/) });
  expect([git(clone, 'rev-parse', 'HEAD'), git(clone, 'status', '--porcelain'), read('Pulumi.dev.yaml')]).toEqual([...before, ways[0]?.[1]]);
});

test('--dry-run where the project cannot be reached', () => {
  git(clone, 'remote', 'set-url', 'origin', path.join(home, 'gone'));
  expect(upgrade('--dry-run')).toMatchObject({ status: 1, stderr: expect.stringMatching(/\nWhat is new cannot be shown; the reason is above\.\n {4}git status\n$/) });
});

test.each(['--help', '-h'])('%s shows what it takes, and does nothing', (option) => {
  newVersion();
  expect(upgrade(option)).toEqual({ status: 0, stdout: expect.stringContaining('node ops/upgrade.mjs [--dry-run] [REMOTE [BRANCH]]'), stderr: '' });
  expect(read('index.ts')).toContain('version = 1');
});

test('an option that it does not have is refused, and nothing is done', () => {
  newVersion();
  expect(upgrade('--dryrun')).toEqual({ status: 1, stdout: '', stderr: 'There is no option --dryrun.\n    node ops/upgrade.mjs --help\n' });
  expect(read('index.ts')).toContain('version = 1');
});

test('in a fork, whose project is another remote', () => {
  const fork = path.join(home, 'fork');
  git(home, 'clone', '--quiet', '--bare', upstream, fork);
  git(clone, 'remote', 'set-url', 'origin', fork);
  git(clone, 'remote', 'add', 'upstream', upstream);
  write(clone, 'Pulumi.dev.yaml', ways[0]?.[1] ?? '');
  git(clone, 'commit', '--quiet', '--all', '--message', 'Ours');
  git(clone, 'push', '--quiet');
  newVersion();
  expect(upgrade('upstream', 'main').status).toBe(0);
  expect(settings('Pulumi.dev.yaml')).toMatchObject({ encryptionsalt: salt, config: { 'alloy:memory': '2GiB', 'phoenix:uiPort': '6007' } });
});

test('where the project cannot be reached', () => {
  git(clone, 'remote', 'set-url', 'origin', path.join(home, 'gone'));
  write(clone, 'Pulumi.dev.yaml', ways[0]?.[1] ?? '');
  const { status, stderr } = upgrade();
  expect({ status, end: stderr.slice(stderr.indexOf('Nothing was upgraded')) }).toEqual({ status: 1, end: 'Nothing was upgraded; the reason is above.\n    git status\n' });
  expect(read('Pulumi.dev.yaml')).toBe(ways[0]?.[1]);
});
