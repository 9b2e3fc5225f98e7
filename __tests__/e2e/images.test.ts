/**
 * Where images come from: an engine of its own (Debian's next release) asks a registry on loopback, as its mirror of Docker Hub and
 * by name. A stack begins without a registry, on what lab/ has built, and moves to the published images when one answers.
 */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { images } from '../../components/catalog';
import { copyImages } from '../../lab/engines/images';
import { startEngine, type Engine } from '../../lab/engines/engine';
import { engineTree } from '../../lab/engines/tree';
import { tempDir } from '../support/temp';
import { Registry } from '../support/registry';
import { Checkout, docker, type Ended } from './checkout';
import { usedImages } from './images';

const run = promisify(execFile);
const offset = { 'ports:offset': '700' };
/** Docker Hub's own folder for images without one. */
const inRegistry = { phoenix: images.phoenix, alloy: images.alloy, gate: `library/${images.gate}` };

let engine: Engine;
let registry: Registry | undefined;
let port: number;
let checkout: Checkout;
let lab: Readonly<Record<'phoenix' | 'alloy' | 'gate', string>>;

beforeAll(async () => {
  const found = await Registry.start();
  port = Number(found.address.split(':')[1]);
  await found.close();
  lab = await usedImages();
  engine = await startEngine({ name: 'e2e-images', tree: await engineTree(), args: ['--registry-mirror', `http://127.0.0.1:${port}`] });
  await copyImages('unix:///var/run/docker.sock', engine.host, Object.values(lab).filter((tag) => tag.startsWith('lab/')));
  process.env['DOCKER_HOST'] = engine.host;
  checkout = await Checkout.clone('images');
});

afterAll(async () => {
  await checkout?.command('down', ['--purge', '--yes']);
  delete process.env['DOCKER_HOST'];
  await engine?.stop();
  await registry?.close();
});

const onEngine = async (...args: string[]): Promise<string> => (await run('docker', ['--host', engine.host, ...args])).stdout.trim();
const stackFile = (): string => fs.readFileSync(path.join(checkout.dir, 'Pulumi.images.yaml'), 'utf8');
const namesOf = async (): Promise<string[]> => Object.values((await checkout.outputs()).images).map(({ name }) => name);

/** Puts what lab/ has built into the registry, under the names of the published images. */
async function publish(): Promise<Registry> {
  const started = await Registry.start({ port });
  for (const part of ['phoenix', 'alloy', 'gate'] as const) {
    const reference = `${started.address}/${inRegistry[part]}`;
    await docker('tag', lab[part], reference);
    await docker('push', '--quiet', reference);
    await docker('image', 'rm', reference);
  }
  return started;
}

test('without a registry a stack runs on what was built here, and its file says nothing of that', async () => {
  const { code, stderr } = await checkout.command('up', ['--json', '--yes', '-c', `ports:offset=${offset['ports:offset']}`]);
  expect([code, stderr.slice(-3000)]).toEqual([0, expect.stringContaining('Images of phoenix, alloy, gate: no registry can be reached (Docker Hub: ')]);
  expect(await namesOf()).toEqual([lab.phoenix, lab.alloy, lab.gate]);
  expect(stackFile()).not.toContain('image');
  expect((await checkout.up()).changes).toEqual({ unchanged: expect.any(Number) });
});

test('when a registry answers again the preview says that the published images take their place', async () => {
  registry = await publish();
  const { code, stdout } = await checkout.command('preview');
  expect(code).toBe(0);
  for (const reference of [images.phoenix, images.alloy, images.gate]) {
    expect(stdout).toContain(reference);
  }
  expect(await onEngine('image', 'ls', '--quiet', images.phoenix)).toBe('');
  expect(await namesOf()).toEqual([lab.phoenix, lab.alloy, lab.gate]);
});

test('and the next deployment pulls them, shows it, and goes on with the data', async () => {
  const { code, stderr } = await checkout.command('up', ['--json', '--yes']);
  expect([code, stderr.slice(-3000)]).toEqual([0, expect.any(String)]);
  for (const [service, reference] of [['phoenix', images.phoenix], ['alloy', images.alloy], ['gate', images.gate]]) {
    expect(stderr).toMatch(new RegExp(`^${service} +asking Docker Hub for ${reference}$`, 'm'));
    expect(stderr).toMatch(new RegExp(`^${service} +${reference} pulled( \\(\\d+ MB\\))?$`, 'm'));
  }
  expect(stderr).not.toContain('no registry can be reached');
  expect(await namesOf()).toEqual([images.phoenix, images.alloy, images.gate]);
  expect(await checkout.verify()).toMatchObject({ ok: true });
});

test('what is on the engine needs no registry', async () => {
  await registry?.close();
  registry = undefined;
  expect((await checkout.up()).changes).toEqual({ unchanged: expect.any(Number) });
  expect(await checkout.plannedSteps()).toEqual([]);
});

describe('a registry that refuses', () => {
  let theirs: Registry;
  let before: string;
  beforeAll(async () => {
    theirs = await Registry.start({ auth: 'token', user: { name: 'ann', password: 's3cret' } });
    await theirs.store.putImage('team/broken', '1.18.1', [2_000_000]);
    await theirs.store.putImage('team/private', '1.18.1');
    before = stackFile();
  });
  afterAll(() => theirs?.close());

  /** What `npm run up` says with this image for Alloy. It must fail, and leave the stack as it is. */
  async function refused(repository: string, tag = '1.18.1'): Promise<string> {
    const { code, stderr }: Ended = await checkout.command('up', ['--yes', '-c', `alloy:image=${theirs.address}/team/${repository}:${tag}`]);
    expect(code).toBe(1);
    expect(stackFile()).toBe(before);
    return stderr;
  }

  test.each([
    ['limited', '1.18.1', /the registry answers 429: .*pull rate limit/, 'docker login'],
    ['unavailable', '1.18.1', /the registry is out of order .*503/, '# later'],
    ['portal', '1.18.1', /what answers there is no registry/, 'curl -v'],
    ['private', '1.18.1', /the registry wants a login that may pull it/, 'docker login'],
    ['broken', '9.9.9', /the registry does not know it/, 'alloy:image='],
  ] as const)('%s: the message names it and the command', async (mood, tag, why, command) => {
    if (mood !== 'broken') {
      theirs.set(`team/${mood}`, mood);
    }
    const said = await refused(mood, tag);
    expect(said).toContain(`alloy: ${theirs.address}/team/${mood}:${tag}: `);
    expect(said).toMatch(why);
    expect(said).toContain(command);
  });

  test('a connection that breaks off in the middle leaves nothing behind', async () => {
    theirs.set('team/broken', 'cut');
    expect(await refused('broken')).toContain('the connection broke off');
    expect(await onEngine('image', 'ls', '--quiet', `${theirs.address}/team/broken`)).toBe('');
  });

  test('after all of them the stack is as it was', async () => {
    expect(await checkout.plannedSteps()).toEqual([]);
    expect(await checkout.verify()).toMatchObject({ ok: true });
  });

  test('an image that wants a login is pulled with that of the docker command, and the password is shown nowhere', async () => {
    const reference = `${theirs.address}/team/nginx:1.22.1`;
    const config = tempDir();
    fs.writeFileSync(path.join(config, 'config.json'), JSON.stringify({ auths: { [theirs.address]: { auth: Buffer.from('ann:s3cret').toString('base64') } } }));
    process.env['DOCKER_CONFIG'] = config;
    try {
      await docker('tag', lab.gate, reference);
      await run('docker', ['push', '--quiet', reference], { env: { ...process.env, DOCKER_HOST: 'unix:///var/run/docker.sock', DOCKER_CONFIG: config } });
      await docker('image', 'rm', reference);
      theirs.set('team/nginx', 'private');
      const { code, stderr } = await checkout.command('up', ['--json', '--yes', '-c', `gate:image=${reference}`]);
      expect([code, stderr.slice(-3000)]).toEqual([0, expect.stringContaining(`${reference} pulled`)]);
      expect(stderr).not.toMatch(/s3cret|YW5uOnMzY3JldA/);
      expect((await checkout.outputs()).images.gate.name).toBe(reference);
    } finally {
      delete process.env['DOCKER_CONFIG'];
    }
  });
});
