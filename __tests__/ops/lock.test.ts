import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { clearStaleLock } from '../../ops/support/lock';
import { Pulumi } from '../../ops/support/pulumi';
import { Failure } from '../../ops/support/say';
import { setEnvironment } from '../support/environment';
import { fakePulumi, type FakePulumi } from '../support/fake-pulumi';
import { listen } from '../support/said';
import { tempDir } from '../support/temp';

let backend: string;
let locks: string;
let cli: FakePulumi;
beforeEach(() => {
  backend = tempDir();
  locks = path.join(backend, '.pulumi', 'locks', 'organization', 'llm-observability', 'dev');
  cli = fakePulumi({ 'cancel --yes --stack dev': {} });
});

const clear = (stack = 'dev', url = `file://${backend}`): Promise<boolean> => clearStaleLock(new Pulumi({ pulumi: cli.file, env: { PULUMI_BACKEND_URL: url } }, stack), { waitMs: 0 });

/** A lock as the file backend writes it, with the file of attributes beside it. */
function lock(pid: number, hostname = os.hostname()): void {
  fs.mkdirSync(locks, { recursive: true });
  const file = path.join(locks, '0b5f2d0e-2a7b-4d9c-8d3c-0c7f3a1b2c3d.json');
  fs.writeFileSync(file, JSON.stringify({ pid, username: 'somebody', hostname, timestamp: '2025-11-21T03:13:16Z' }));
  fs.writeFileSync(`${file}.attrs`, 'no JSON');
}

/** Number of a process that has ended. */
const ended = (): number => spawnSync(process.execPath, ['--version']).pid;

test('no lock, no run of the CLI', async () => {
  expect(await clear()).toBe(false);
  fs.mkdirSync(locks, { recursive: true });
  expect(await clear()).toBe(false);
  expect(cli.calls()).toEqual([]);
});

test('the lock of a run that was killed is removed, by the CLI', async () => {
  const said = listen();
  lock(ended());
  expect(await clear()).toBe(true);
  expect(cli.calls()).toEqual([['cancel', '--yes', '--stack', 'dev']]);
  expect(said).toEqual(['An earlier run was killed; removing its lock']);
});

test('the lock of another stack is not looked at', async () => {
  lock(process.pid);
  expect(await clear('prod')).toBe(false);
});

test('a backend that is no files of this machine has locks of its own', async () => {
  lock(ended());
  expect([await clear('dev', 's3://state'), await clear('dev', '')]).toEqual([false, false]);
  expect(cli.calls()).toEqual([]);
});

test('one in files that somebody has chosen has them as well', async () => {
  listen();
  setEnvironment({ PULUMI_BACKEND_URL: `file://${backend}?no_tmp_dir=true` });
  lock(ended());
  expect(await clearStaleLock(new Pulumi({ pulumi: cli.file, env: {} }, 'dev'), { waitMs: 0 })).toBe(true);
});

test('a run that ends meanwhile is waited for', async () => {
  const said = listen();
  const run = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  lock(run.pid ?? 0);
  const cleared = clearStaleLock(new Pulumi({ pulumi: cli.file, env: { PULUMI_BACKEND_URL: `file://${backend}` } }, 'dev'), { waitMs: 60_000 });
  run.kill('SIGKILL');
  expect(await cleared).toBe(true);
  expect(said).toEqual([
    `Another deployment of stack dev is in progress (process ${run.pid} on ${os.hostname()}); waiting for it to finish`,
    'An earlier run was killed; removing its lock',
  ]);
});

test('whoever stops the command does not wait for its end', async () => {
  listen();
  lock(process.pid);
  const stop = AbortSignal.abort();
  await expect(clearStaleLock(new Pulumi({ pulumi: cli.file, env: { PULUMI_BACKEND_URL: `file://${backend}` } }, 'dev'), { stop })).rejects.toThrow(/^Another deployment of stack dev is in progress/);
});

test('a run that is in progress keeps its lock', async () => {
  lock(process.pid);
  await expect(clear()).rejects.toThrow(
    new Failure(`Another deployment of stack dev is in progress (process ${process.pid} on ${os.hostname()}).`, ['npm run up   # when that has ended']),
  );
  expect(cli.calls()).toEqual([]);
});

test("so does one that is another user's", async () => {
  jest.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  lock(4711);
  await expect(clear()).rejects.toThrow(`Another deployment of stack dev is in progress (process 4711 on ${os.hostname()}).`);
});

test('of a process on another machine nothing can be told here', async () => {
  lock(ended(), 'elsewhere.invalid');
  await expect(clear()).rejects.toThrow(/^Another deployment of stack dev is in progress \(process \d+ on elsewhere\.invalid\)\.\n/);
  expect(cli.calls()).toEqual([]);
});

test('the command to type names the stack', async () => {
  locks = path.join(path.dirname(locks), 'prod');
  lock(process.pid);
  await expect(clear('prod')).rejects.toThrow(/\n {4}npm run up -- --stack prod {3}# when that has ended$/);
});

test('a lock that the CLI does not give up', async () => {
  listen();
  lock(ended());
  cli = fakePulumi({ cancel: { stderr: 'error: permission denied\n', code: 255 } });
  await expect(clear()).rejects.toThrow(new Failure('Removing the lock failed: permission denied'));
});
