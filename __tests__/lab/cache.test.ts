import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cacheRoot, elapsed, ensure, type Build } from '../../lab/cache';
import { cacheKey, type Recipe } from '../../lab/recipe';

const recipe: Recipe = { name: 'Thing', version: '1.2.3', inputs: { flags: ['-a'] }, from: 'nowhere', cost: { minutes: 2, cache: 10 } };

let root: string;
let lines: string[];
const print = (line: string): void => void lines.push(line);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cache-'));
  lines = [];
});
afterEach(() => rmSync(root, { recursive: true }));

const writeResult = async (build: Build): Promise<void> => writeFileSync(join(build.dir, 'result'), 'done');

test('cacheRoot follows XDG_CACHE_HOME, and an empty one counts as none', () => {
  expect(cacheRoot({ XDG_CACHE_HOME: '/caches' })).toBe('/caches/llm-observability');
  expect(cacheRoot({ XDG_CACHE_HOME: '' })).toBe(cacheRoot({}));
  expect(cacheRoot({})).toMatch(/\/\.cache\/llm-observability$/);
});

test.each([[0, '0s'], [59_999, '59s'], [60_000, '1m00s'], [195_000, '3m15s'], [3_600_000, '60m00s']])('elapsed(%d) is %s', (ms, text) => {
  expect(elapsed(ms)).toBe(text);
});

describe('ensure', () => {
  test('builds once, says so, and returns the same directory from then on', async () => {
    const build = jest.fn(writeResult);
    const first = await ensure(recipe, build, { root, print });
    const second = await ensure(recipe, build, { root, print });
    expect(second).toBe(first);
    expect(first).toBe(join(root, cacheKey(recipe)));
    expect(readFileSync(join(first, 'result'), 'utf8')).toBe('done');
    expect(build).toHaveBeenCalledTimes(1);
    expect(lines).toEqual(['Thing 1.2.3: making it from nowhere (about 2 minutes, once)', 'Thing 1.2.3: ready after 0s']);
  });

  test('the result is not where it belongs before the build has returned', async () => {
    const result = join(root, cacheKey(recipe));
    await ensure(recipe, async (build) => {
      await writeResult(build);
      expect(build.dir).not.toBe(result);
      expect(existsSync(result)).toBe(false);
    }, { root, print });
    expect(existsSync(result)).toBe(true);
  });

  test('a build that throws leaves nothing but its log, and the next one starts afresh', async () => {
    const fail = async (build: Build): Promise<void> => {
      await writeResult(build);
      throw new Error('no more disk');
    };
    await expect(ensure(recipe, fail, { root, print })).rejects.toThrow('Thing 1.2.3: the build failed: no more disk');
    expect(readdirSync(root)).toEqual(['logs']);
    await expect(ensure(recipe, writeResult, { root, print })).resolves.toBe(join(root, cacheKey(recipe)));
  });

  test('a failed command is reported with the last lines of its output and the path of the log', async () => {
    const script = 'for (let i = 1; i <= 40; i += 1) console.log("line " + i); process.exitCode = 3;';
    const log = join(root, 'logs', `${cacheKey(recipe)}.log`);
    const failing = ensure(recipe, async (build) => void (await build.run(process.execPath, ['-e', script])), { root, print });
    const message = await failing.then(() => '', (error: Error) => error.message);
    expect(message).toContain('exit status 3');
    expect(message).toContain('line 40');
    expect(message).not.toContain('line 20\n');
    expect(message).toContain(`All of it is in ${log}`);
    expect(readFileSync(log, 'utf8')).toContain('line 1\n');
  });

  test('what a killed build left is no result, and is removed by the next build', async () => {
    const leftover = join(root, `${cacheKey(recipe)}.tmp-abc123`);
    mkdirSync(leftover);
    writeFileSync(join(leftover, 'result'), 'half');
    const dir = await ensure(recipe, writeResult, { root, print });
    expect(readFileSync(join(dir, 'result'), 'utf8')).toBe('done');
    expect(existsSync(leftover)).toBe(false);
  });

  test('so is what a killed build of something else left, while one that is at work keeps its folder', async () => {
    const [dead, alive] = ['other-1-abc', 'third-1-abc'].map((key) => join(root, `${key}.tmp-123abc`));
    [dead, alive].forEach((dir) => mkdirSync(dir));
    writeFileSync(join(root, 'third-1-abc.lock'), JSON.stringify({ pid: process.pid, host: hostname() }));
    await ensure(recipe, writeResult, { root, print });
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(alive)).toBe(true);
  });

  test('a cache that cannot be written to is told with the way round, before anything is built', async () => {
    writeFileSync(join(root, 'file'), '');
    const build = jest.fn(writeResult);
    await expect(ensure(recipe, build, { root: join(root, 'file', 'cache'), print })).rejects.toThrow(
      `${join(root, 'file', 'cache', 'logs')}: what is built is kept there, and it cannot be written to (ENOTDIR). Set XDG_CACHE_HOME to a folder that can, and run this again.`,
    );
    expect(build).not.toHaveBeenCalled();
    expect(lines).toEqual([]);
  });

  test.each([
    ['a program', async (build: Build) => void (await build.run('sh', ['-c', 'echo "write /x/y: no space left on device" >&2; exit 1']))],
    ['this process', () => Promise.reject(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }))],
  ])('a full disk that %s meets is one message with the folder and what is missing', async (_, build) => {
    const tooMuch = { ...recipe, cost: { minutes: 1, cache: 1e12 } };
    const message = await ensure(tooMuch, build, { root, print }).then(() => '', (error: Error) => error.message);
    expect(message).toMatch(/^Thing 1\.2\.3: no space left\.\n(\S+): [\d,]+ MB are missing: 1,000,000,000,000 are needed there and [\d,]+ are free\.\nMake room there and run this again\.$/);
    expect(message).toContain(`${root}: `);
    expect(readdirSync(root)).toEqual(['logs']);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends the program that runs, removes what was made, and only then this process', async (signal) => {
    const pidFile = join(root, 'pid');
    const script = join(root, 'build.ts');
    writeFileSync(script, `
      import { ensure } from ${JSON.stringify(resolve(__dirname, '../../lab/cache'))};
      const shell = 'echo $$ > ${pidFile}.new && mv ${pidFile}.new ${pidFile} && exec sleep 600';
      ensure(${JSON.stringify(recipe)}, (build) => build.run('sh', ['-c', shell]).then(() => undefined), { root: ${JSON.stringify(root)} });
    `);
    const child = spawn(process.execPath, ['--import', 'tsx', script], { cwd: resolve(__dirname, '../..'), stdio: 'ignore' });
    const ended = once(child, 'exit');
    while (!existsSync(pidFile) && child.exitCode === null) await new Promise((next) => setTimeout(next, 20));
    const pid = Number(readFileSync(pidFile, 'utf8'));
    child.kill(signal);
    expect(await ended).toEqual([null, signal]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(readdirSync(root).sort()).toEqual(['build.ts', 'logs', 'pid']);
  }, 30_000);

  test('two at once build once, and the second says that it waits', async () => {
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const slow = jest.fn(async (build: Build) => {
      await finished;
      await writeResult(build);
    });
    const options = { root, print, pollMs: 5 };
    const both = [ensure(recipe, slow, options), ensure(recipe, slow, options)];
    while (!lines.some((line) => line.includes('waiting'))) await new Promise(setImmediate);
    finish();
    const [first, second] = await Promise.all(both);
    expect(second).toBe(first);
    expect(slow).toHaveBeenCalledTimes(1);
    expect(lines).toContain('Thing 1.2.3: waiting for another run that makes it, 0s');
  });

  test('says what goes on while it takes long', async () => {
    await ensure(recipe, async (build) => {
      build.phase('compiling', () => '3 of 4 packages');
      while (!lines.some((line) => line.includes('compiling'))) await new Promise(setImmediate);
    }, { root, print, everyMs: 5 });
    expect(lines).toContain('Thing 1.2.3: compiling, 0s, 3 of 4 packages');
  });
});
