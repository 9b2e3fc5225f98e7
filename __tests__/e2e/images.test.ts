/**
 * Where images come from: an engine of its own (Debian's next release), whose proxy forbids the way to Docker Hub, asks a registry on
 * loopback, as a mirror of Docker Hub and by name. A stack begins without a registry, on what lab/ has built, and moves to the
 * published images when one answers.
 */
import { exec, execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { images } from '../../components/catalog';
import * as laboratory from '../../lab';
import { copyImages, type Engine, engineTree, startEngine } from '../../lab/engines';
import { tempDir } from '../support/temp';
import { Registry } from '../support/registry';
import { Checkout, docker, type Ended } from './checkout';
import { pinnedAlloy } from './pinned-alloy';
import { offsets } from './offsets';

const run = promisify(execFile);
const parts = ['phoenix', 'alloy', 'gate'] as const;
/** Docker Hub's own folder for images without one. */
const inRegistry: Readonly<Record<(typeof parts)[number], string>> = { phoenix: images.phoenix, alloy: images.alloy, gate: `library/${images.gate}` };

let engine: Engine;
let registry: Registry | undefined;
let port: number;
let checkout: Checkout;
let lab: Readonly<Record<(typeof parts)[number], string>>;
/** Lets nothing through. */
const proxy = http.createServer().on('connect', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));

beforeAll(async () => {
  const found = await Registry.start();
  port = Number(found.address.split(':')[1]);
  await found.close();
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  await laboratory.build(parts);
  lab = Object.fromEntries(await Promise.all(parts.map(async (part) => [part, await laboratory.image(part)]))) as typeof lab;
  const args = ['--registry-mirror', `http://127.0.0.1:${port}`, '--https-proxy', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`];
  engine = await startEngine({ name: 'e2e-images', tree: await engineTree(), args });
  await copyImages('unix:///var/run/docker.sock', engine.host, Object.values(lab));
  process.env['DOCKER_HOST'] = engine.host;
  checkout = await Checkout.clone('images');
  // Compiles for ten minutes where nothing is cached.
}, 60 * 60_000);

afterAll(async () => {
  await checkout?.command('down', ['--purge', '--yes']);
  delete process.env['DOCKER_HOST'];
  await engine?.stop();
  await registry?.close();
  await new Promise((resolve) => proxy.close(resolve));
});

const onEngine = async (...args: string[]): Promise<string> => (await run('docker', ['--host', engine.host, ...args])).stdout.trim();
const stackFile = (): string => fs.readFileSync(path.join(checkout.dir, 'Pulumi.images.yaml'), 'utf8');
const imagesInUse = async (): Promise<Record<string, string>> => Object.fromEntries(Object.entries((await checkout.outputs()).images).map(([service, { name }]) => [service, name]));
const published = { phoenix: images.phoenix, alloy: images.alloy, gate: images.gate };

/** `npm run up`, which must succeed. @returns what it says */
async function up(...pairs: string[]): Promise<string> {
  const { code, stderr } = await checkout.command('up', ['--yes', '--json', ...pairs.flatMap((pair) => ['-c', pair])]);
  if (code !== 0) {
    throw new Error(`npm run up ended with ${code}:\n${stderr.slice(-6000)}`);
  }
  return stderr;
}

/** Puts what lab/ has built into the registry, under the names of the published images. */
async function publish(): Promise<Registry> {
  const started = await Registry.start({ port });
  for (const part of parts) {
    const reference = `${started.address}/${inRegistry[part]}`;
    await (part === 'alloy' ? pinnedAlloy(lab.alloy, reference) : docker('tag', lab[part], reference));
    const dir = tempDir();
    await promisify(exec)(`docker save '${reference}' | tar -x -C '${dir}'`);
    const [, repository = '', tag = ''] = /^(.+):([^:]+)$/.exec(inRegistry[part]) ?? [];
    started.store.putSaved(repository, tag, dir);
    fs.rmSync(dir, { recursive: true });
    await docker('image', 'rm', reference);
  }
  return started;
}

test('without a registry a stack runs on what was built here, and its file says nothing of that', async () => {
  expect(await up(`ports:offset=${offsets.images}`)).toContain("Images of phoenix, alloy, gate: no registry can be reached (Docker Hub: the engine's proxy forbids the way there); using ");
  expect(await imagesInUse()).toEqual(lab);
  expect(stackFile()).not.toContain('image');
  expect((await checkout.up()).changes).toEqual({ unchanged: expect.any(Number) });
});

test('when a registry answers again the preview says that the published images take their place', async () => {
  registry = await publish();
  const { code, stdout } = await checkout.command('preview');
  expect(code).toBe(0);
  for (const reference of Object.values(published)) {
    expect(stdout).toContain(reference);
  }
  expect(await onEngine('image', 'ls', '--quiet', images.phoenix)).toBe('');
  expect(await imagesInUse()).toEqual(lab);
});

test('and the next deployment pulls them, shows it, and goes on with the data', async () => {
  const said = await up();
  for (const [service, reference] of Object.entries(published)) {
    expect(said).toMatch(new RegExp(`^${service} +asking Docker Hub for ${reference}$`, 'm'));
    expect(said).toMatch(new RegExp(`^${service} +${reference} pulled( \\(\\d+ MB\\))?$`, 'm'));
  }
  expect(said).not.toContain('no registry can be reached');
  expect(await imagesInUse()).toEqual(published);
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
    ['portal', '1.18.1', /what answers there is not a registry/, 'curl -v'],
    ['private', '1.18.1', /the registry requires a login that may pull it/, 'docker login'],
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
      const said = await up(`gate:image=${reference}`);
      expect(said).toContain(`${reference} pulled`);
      expect(said).not.toMatch(/s3cret|YW5uOnMzY3JldA/);
      expect((await imagesInUse())['gate']).toBe(reference);
    } finally {
      delete process.env['DOCKER_CONFIG'];
    }
  });
});
