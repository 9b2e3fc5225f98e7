/**
 * Versions of Phoenix on real parts: a migration that takes as long as it likes, and a way back that there is not. The tests
 * build on each other, in this order.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Checkout, docker, type Ended } from './checkout';
import { usedImages } from './images';
import { goOn, newerPhoenix, type Newer } from './newer-phoenix';
import { above } from './offsets';

const stack = 'versions';
const phoenix = `phoenix-${stack}`;
let checkout: Checkout;
let base: string;
let newer: Newer;
/** ID of the container with the newer version. */
let migrating: string;

const containerId = (): Promise<string> => docker('inspect', '--format', '{{.Id}}', phoenix);

beforeAll(async () => {
  [checkout, { phoenix: base }, newer] = await Promise.all([Checkout.clone(stack), usedImages(), newerPhoenix()]);
  await checkout.up(above('versions'));
});

afterAll(async () => {
  const { code, stderr } = await checkout.command('down', ['--purge', '--yes']);
  fs.rmSync(path.dirname(checkout.dir), { recursive: true, force: true });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
});

const progress = /Phoenix is starting, \d+ (?:s|min) so far: it migrates its database, \d+ steps? done, now CREATE TABLE newer/;

/** A deployment that waits for Phoenix, and has said so. */
async function waiting(config: Readonly<Record<string, string>> = {}): Promise<{ stop(): void; ended: Promise<Ended> }> {
  const { child, ended } = checkout.start('up', ['--yes', ...Object.entries(config).flatMap(([key, value]) => ['-c', `${key}=${value}`])]);
  let said = '';
  const seen = new Promise<void>((resolve) => child.stderr?.on('data', (chunk: Buffer) => progress.test(said += chunk.toString()) && resolve()));
  await Promise.race([seen, ended.then(({ stderr }) => Promise.reject(new Error(`it ended without a line about the migration:\n${stderr.slice(-4000)}`)))]);
  return { stop: () => void process.kill(-(child.pid as number), 'SIGINT'), ended };
}

test('a migration is waited for, and Ctrl-C ends the wait and not the migration', async () => {
  const { stop, ended } = await waiting({ 'phoenix:image': newer.image });
  migrating = await containerId();
  stop();
  const { code, stderr } = await ended;
  expect(code).not.toBe(0);
  expect(stderr).toContain(`the wait for Phoenix was interrupted; its container ${phoenix} continues to start`);
  expect(await docker('inspect', '--format', '{{.Id}} {{.State.Status}} {{.RestartCount}}', phoenix)).toBe(`${migrating} running 0`);
});

test('a change that would replace it is refused before anything is touched', async () => {
  const { code, stderr } = await checkout.command('up', ['--preview-only', '-c', 'phoenix:cpus=0.9']);
  expect(code).not.toBe(0);
  expect(stderr).toContain(`container ${phoenix}: Phoenix is migrating its database (since `);
  expect(stderr).toContain(`docker logs -f --tail 5 ${phoenix}`);
  expect(await containerId()).toBe(migrating);
});

test('the next deployment finds it as it is and goes on waiting, until it is ready', async () => {
  const { ended } = await waiting();
  expect(await containerId()).toBe(migrating);
  await docker('exec', phoenix, 'python3', '-c', `open('/phoenix_storage/${goOn}', 'w')`);
  const { code, stderr } = await ended;
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(await containerId()).toBe(migrating);
  expect(await checkout.plannedSteps()).toEqual([]);
});

test('an older version is refused at the preview while the newer one runs', async () => {
  const { code, stderr } = await checkout.command('up', ['--preview-only', '-c', `phoenix:image=${base}`]);
  expect(code).not.toBe(0);
  expect(stderr).toContain(`phoenix:image is '${base}': Phoenix ${newer.version} runs on the database of this stack, and Phoenix has no downgrade`);
  expect(stderr).toContain(`config set phoenix:image ${newer.image} --stack ${stack}`);
  expect(await containerId()).toBe(migrating);
});

test('and by its own image, which knows the database, when no container says what ran', async () => {
  await docker('rm', '--force', phoenix);
  const { code, stderr } = await checkout.command('up', ['--yes', '-c', `phoenix:image=${base}`]);
  expect(code).not.toBe(0);
  expect(stderr).toContain(`(container ${phoenix}-data-owner ended with 1)`);
  expect(stderr).toContain('/phoenix_storage/phoenix.db is of a newer Phoenix than this image: its revision feedfacefeed is none of the ');
  // Not even made: it would only crash.
  expect(await docker('ps', '--all', '--quiet', '--filter', `name=^${phoenix}$`)).toBe('');
});

test('with the version that wrote it everything is there again', async () => {
  await checkout.up({ 'phoenix:image': newer.image });
  expect(await checkout.verify()).toMatchObject({ ok: true });
});
