import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../../lab/lock';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lock-'));
  path = join(dir, 'lock');
});
afterEach(() => rmSync(dir, { recursive: true }));

test('never lets two in at once, and leaves no file behind', async () => {
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise(setImmediate);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 8 }, () => withLock(path, work, { pollMs: 1 })));
  expect(most).toBe(1);
  expect(readdirSync(dir)).toEqual([]);
});

test('is released when the work throws', async () => {
  await expect(withLock(path, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  await expect(withLock(path, async () => 'ran')).resolves.toBe('ran');
});

test('a process that died does not keep it', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  writeFileSync(path, JSON.stringify({ pid, host: hostname() }));
  const onWait = jest.fn();
  await expect(withLock(path, async () => 'ran', { onWait })).resolves.toBe('ran');
  expect(onWait).not.toHaveBeenCalled();
});

test('an owner on another machine keeps it as long as it shows signs of life, and no longer', async () => {
  writeFileSync(path, JSON.stringify({ pid: 1, host: 'elsewhere.invalid' }));
  const onWait = jest.fn();
  await expect(withLock(path, async () => 'ran', { onWait, pollMs: 5, staleMs: 50 })).resolves.toBe('ran');
  expect(onWait).toHaveBeenCalledTimes(1);
});
