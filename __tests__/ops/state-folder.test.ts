import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { currentFolder, settledFolder, usualPlace, whyNotWritable } from '../../ops/support/state-folder';
import { listen } from '../support/said';
import { tempDir } from '../support/temp';

jest.mock('node:fs', () => {
  const actual = jest.requireActual<typeof fs>('node:fs');
  return { ...actual, ...Object.fromEntries(['renameSync', 'cpSync', 'rmSync', 'writeFileSync'].map((name) => [name, jest.fn(actual[name as 'rmSync'])])) };
});

const actual = jest.requireActual<typeof fs>('node:fs');
let checkout: string;
let usual: string;
let old: string;
beforeEach(() => {
  checkout = tempDir();
  old = path.join(checkout, '.state');
  usual = path.join(tempDir(), 'state', 'llm-observability');
});
afterEach(atOnce);

/** Things are as they are: one file system, and nothing that fails. */
function atOnce(): void {
  for (const name of ['renameSync', 'cpSync', 'rmSync', 'writeFileSync'] as const) {
    jest.mocked(fs[name] as typeof fs.rmSync).mockReset().mockImplementation(actual[name] as typeof fs.rmSync);
  }
}

/** A folder as an earlier version has left it. */
function fill(dir: string, passphrase: string): void {
  const stacks = path.join(dir, 'backend', '.pulumi', 'stacks', 'llm-observability');
  actual.mkdirSync(stacks, { recursive: true, mode: 0o700 });
  actual.writeFileSync(path.join(stacks, 'dev.json'), `of ${passphrase}`);
  actual.writeFileSync(path.join(dir, 'passphrase'), passphrase, { mode: 0o600 });
}

function lock(pid: number, hostname = os.hostname()): void {
  const dir = path.join(old, 'backend', '.pulumi', 'locks', 'organization', 'llm-observability', 'dev');
  actual.mkdirSync(dir, { recursive: true });
  actual.writeFileSync(path.join(dir, 'a.json'), JSON.stringify({ pid, hostname }));
  actual.writeFileSync(path.join(dir, 'a.json.attrs'), 'no JSON');
}

/** The passphrase in each folder that a run could take for one with state: the checkout's and the usual one. */
const found = (): (string | undefined)[] =>
  [old, usual].map((dir) => (actual.existsSync(dir) ? actual.readFileSync(path.join(dir, 'passphrase'), 'utf8') : undefined));
const settle = (): string => settledFolder({ usual, old }).dir;
const names = (dir: string): string[] => (actual.existsSync(dir) ? actual.readdirSync(dir).sort() : []);
/** All that is in a folder, and who may read it. */
const contents = (dir: string): string[] =>
  actual.readdirSync(dir, { withFileTypes: true, recursive: true }).map((one) => {
    const file = path.join(one.parentPath, one.name);
    return [path.relative(dir, file), (actual.statSync(file).mode & 0o777).toString(8), one.isFile() ? actual.readFileSync(file, 'utf8') : ''].join(' ');
  }).sort();
/** The two folders are on different file systems. */
const apart = (): unknown => jest.mocked(fs.renameSync).mockImplementation((from, to) => {
  if (path.dirname(String(from)) !== path.dirname(String(to))) {
    throw Object.assign(new Error('EXDEV: cross-device link not permitted'), { code: 'EXDEV' });
  }
  actual.renameSync(from, to);
});

test.each([
  [{}, path.join(os.homedir(), '.local', 'state', 'llm-observability')],
  [{ XDG_STATE_HOME: '' }, path.join(os.homedir(), '.local', 'state', 'llm-observability')],
  [{ XDG_STATE_HOME: 'relative' }, path.join(os.homedir(), '.local', 'state', 'llm-observability')],
  [{ XDG_STATE_HOME: '/srv/states' }, '/srv/states/llm-observability'],
])('where the state is, with %j', (env, place) => {
  expect(usualPlace(env)).toBe(place);
});

test('a new user has a folder outside of the checkout, and nothing in it', () => {
  const said = listen();
  expect(currentFolder({ usual, old }).dir).toBe(usual);
  expect(settle()).toBe(usual);
  expect([names(usual), names(checkout), said]).toEqual([['backend'], [], []]);
});

test('one that cannot be made is named, with what helps', () => {
  const file = path.join(tempDir(), 'file');
  fs.writeFileSync(file, '');
  usual = path.join(file, 'llm-observability');
  expect(settle).toThrow(new RegExp(`^The state of the stacks is kept in ${usual}, and that cannot be written to: E.*\\n {4}export XDG_STATE_HOME=/a/folder/that/you/may/write/to `));
});

test('one where no folder can be made at all is named too, and does not hang', () => {
  usual = '/proc/nothing/here/llm-observability';
  expect(settle).toThrow(/^The state of the stacks is kept in \/proc\/nothing\/here\/llm-observability, and that cannot be written to: E/);
});

describe('whether a folder could be written to', () => {
  test('one that is there or can be made, and nothing stays behind', () => {
    const dir = tempDir();
    expect([whyNotWritable(dir), whyNotWritable(path.join(dir, 'a', 'b'))]).toEqual([undefined, undefined]);
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  test('one below a file, or in a file system that takes none', () => {
    const file = path.join(tempDir(), 'file');
    fs.writeFileSync(file, '');
    expect(whyNotWritable(path.join(file, 'a'))).toMatch(/^ENOTDIR/);
    expect(whyNotWritable('/proc/nothing/here')).toMatch(/^E/);
  });
});

describe.each([['on one file system', () => undefined], ['on another file system', apart]])('the state in a checkout, %s', (_, system) => {
  beforeEach(() => {
    fill(old, 'mine');
    system();
  });

  test('is moved once, whole, and that is said', () => {
    const said = listen();
    const before = contents(old);
    expect(currentFolder({ usual, old }).dir).toBe(old);
    expect([settle(), settle()]).toEqual([usual, usual]);
    expect(contents(usual).filter((line) => !line.startsWith('moved-as '))).toEqual(before);
    expect([found(), names(checkout), names(path.dirname(usual))]).toEqual([[undefined, 'mine'], [], ['llm-observability']]);
    expect(said).toEqual([`State: moved from ${old} to ${usual}, the folder for all your checkouts.`]);
  });

  test('stays where another checkout has begun, and each run says what there is', () => {
    const said = listen();
    fill(usual, 'others');
    expect([settle(), settle()]).toEqual([old, old]);
    expect([found(), names(checkout)]).toEqual([['mine', 'others'], ['.state']]);
    expect(said).toEqual(Array.from({ length: 2 }, () => `State: this checkout still uses its own files, in ${old}: ${usual} holds those of other checkouts. docs/state.md says how to move a stack there.`));
  });

  test.each([['a run at work', process.pid, os.hostname()], ['one of another machine', 1 << 22, 'elsewhere.invalid']])('stays while it is locked by %s', (_, pid, hostname) => {
    const said = listen();
    lock(pid, hostname);
    expect(settle()).toBe(old);
    expect([found(), said]).toEqual([['mine', undefined], []]);
  });

  test('is moved with the lock of a run that was killed', () => {
    listen();
    lock(spawnSync(process.execPath, ['--version']).pid);
    expect(settle()).toBe(usual);
    expect(found()).toEqual([undefined, 'mine']);
  });
});

describe('a move that is cut off', () => {
  /** Everything that a move does to files, in order. */
  const steps = ['renameSync', 'cpSync', 'rmSync', 'writeFileSync'] as const;

  /** A run that ends at the step of this number. @returns whether it has got that far */
  function endsAt(number: number): boolean {
    let count = 0;
    apart();
    for (const name of steps) {
      const does = jest.mocked(fs[name] as typeof fs.rmSync).getMockImplementation();
      jest.mocked(fs[name] as typeof fs.rmSync).mockImplementation((...args) => {
        count += 1;
        if (count === number && name === 'cpSync') {
          // Half of it.
          actual.mkdirSync(path.join(String(args[1]), 'backend'), { recursive: true });
        } else if (count === number && name === 'rmSync' && actual.existsSync(String(args[0]))) {
          actual.rmSync(path.join(String(args[0]), 'passphrase'), { force: true });
        }
        if (count >= number) {
          throw Object.assign(new Error('killed'), { code: 'KILLED' });
        }
        does?.(...args);
      });
    }
    try {
      settle();
    } catch {
      // As a killed process would.
    }
    atOnce();
    return count >= number;
  }

  test('at any step leaves one whole state, which the next run finds', () => {
    listen();
    let number = 1;
    for (; ; number += 1) {
      fill(old, 'mine');
      if (!endsAt(number)) {
        break;
      }
      // In one place or on its way, and never half of it under a name that counts.
      expect([number, found().filter((passphrase) => passphrase !== undefined && passphrase !== 'mine')]).toEqual([number, []]);
      apart();
      expect([number, settle(), found()]).toEqual([number, usual, [undefined, 'mine']]);
      atOnce();
      expect([number, names(checkout), names(path.dirname(usual))]).toEqual([number, [], ['llm-observability']]);
      actual.rmSync(usual, { recursive: true });
    }
    expect(number).toBeGreaterThan(6);
  });

  test('after which another checkout has begun there goes back', () => {
    listen();
    for (let number = 2; ; number += 1) {
      fill(old, 'mine');
      const cut = endsAt(number);
      if (!cut || found()[1] !== undefined) {
        break;
      }
      fill(usual, 'others');
      expect([number, settle(), found()]).toEqual([number, old, ['mine', 'others']]);
      [old, usual].forEach((dir) => actual.rmSync(dir, { recursive: true }));
      expect(number).toBeLessThan(20);
    }
  });
});
