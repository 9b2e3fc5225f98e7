import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheKey, cacheRoot, elapsed, ensure, type Build, type Recipe } from '../../lab/cache';

const recipe: Recipe = { name: 'Thing', version: '1.2.3', inputs: { flags: ['-a'] }, why: 'nobody else has it' };

let root: string;
let lines: string[];
const print = (line: string): void => void lines.push(line);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cache-'));
  lines = [];
});
afterEach(() => rmSync(root, { recursive: true }));

const writeResult = async (build: Build): Promise<void> => writeFileSync(join(build.dir, 'result'), 'done');

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

  test('does not change with the sentence that is printed', () => {
    expect(cacheKey({ ...recipe, why: 'other words' })).toBe(cacheKey(recipe));
  });
});

test('cacheRoot follows XDG_CACHE_HOME, and an empty one counts as none', () => {
  expect(cacheRoot({ XDG_CACHE_HOME: '/caches' })).toBe('/caches/llm-observability');
  expect(cacheRoot({ XDG_CACHE_HOME: '' })).toBe(cacheRoot({}));
  expect(cacheRoot({})).toMatch(/\/\.cache\/llm-observability$/);
});

test.each([[0, '0s'], [59_999, '59s'], [60_000, '1m00s'], [195_000, '3m15s'], [3_600_000, '60m00s']])('elapsed(%d) is %s', (ms, text) => {
  expect(elapsed(ms)).toBe(text);
});

describe('ensure', () => {
  test('builds once, says why, and returns the same directory from then on', async () => {
    const build = jest.fn(writeResult);
    const first = await ensure(recipe, build, { root, print });
    const second = await ensure(recipe, build, { root, print });
    expect(second).toBe(first);
    expect(first).toBe(join(root, cacheKey(recipe)));
    expect(readFileSync(join(first, 'result'), 'utf8')).toBe('done');
    expect(build).toHaveBeenCalledTimes(1);
    expect(lines).toEqual(['Thing: nobody else has it', 'Thing 1.2.3: ready after 0s']);
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
    expect(lines).toContain('Thing 1.2.3: waiting for another run that builds it, 0s');
  });

  test('says what goes on while it takes long', async () => {
    await ensure(recipe, async (build) => {
      build.phase('compiling', () => '3 of 4 packages');
      while (!lines.some((line) => line.includes('compiling'))) await new Promise(setImmediate);
    }, { root, print, everyMs: 5 });
    expect(lines).toContain('Thing 1.2.3: compiling, 0s, 3 of 4 packages');
  });
});
