/**
 * A current Docker Engine beside the usual one, and every way to it: contexts, variables, TLS, ssh; and a rootless one. Whatever a
 * command does, it does on the engine of the stack alone. The tests build on each other, in this order.
 */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { Checkout, docker, storedSpans, until } from './checkout';
import { Authority, freePort, telemetrygen } from '../../lab';
import { copyImages, createContext, type Engine, engineTree, type SshAccess, startEngine, startRootless, startSsh, type Tree, useContext } from '../../lab/engines';
import { usedImages } from './images';
import { finished } from './load';
import { above, offsets } from './offsets';

const usual = 'unix:///var/run/docker.sock';
const label = 'llm-observability.stack=llm-observability/engines';
/** A volume of the same stack on the usual engine: what a checkout has left there, say. */
const decoy = 'phoenix-engines-data';
const settings = { ...above('engines'), 'alloy:bind': '127.0.0.1' };
/** Names for images that are set: what takes the place of an image that cannot be pulled is for the engines of this machine alone. */
let own: Record<'phoenix:image' | 'alloy:image' | 'gate:image', string>;

let dir: string;
let tree: Tree;
let engine: Engine;
let ssh: SshAccess;
let tcp: string;
let client: string;
let stranger: string;
let checkout: Checkout;

/** A shell in which nothing names an engine but this. */
const shell = (env: Readonly<Record<string, string>> = {}): Checkout =>
  checkout.in({ env: { DOCKER_HOST: undefined, DOCKER_CONTEXT: undefined, DOCKER_CERT_PATH: undefined, DOCKER_TLS_VERIFY: undefined, DOCKER_CONFIG: path.join(dir, 'none'), ...env } });
const contexts = (): string => path.join(dir, 'contexts');
const on = (host: string, ...args: string[]): Promise<string> => docker('--host', host, ...args);
const containersOn = (host: string): Promise<string> => on(host, 'ps', '--quiet', '--no-trunc', '--filter', `label=${label}`);

beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'engines-'));
  // Others than root run programs below it.
  fs.chmodSync(dir, 0o755);
  tree = await engineTree();
  const authority = await Authority.create(path.join(dir, 'authority'));
  client = await authority.client('client');
  stranger = await (await Authority.create(path.join(dir, 'strangers'), 'Strangers')).client('client');
  const port = await freePort();
  tcp = `tcp://127.0.0.1:${port}`;
  engine = await startEngine({ name: 'e2e-engines', tree, tls: { port, dir: await authority.server('server') } });
  ssh = await startSsh(engine);
  const { phoenix, alloy, gate } = await usedImages();
  // A version says what Alloy's configuration may hold.
  const tagOf = (image: string): string => /:([^:@/]+)(?:@.*)?$/.exec(image)?.[1] ?? '';
  own = { 'phoenix:image': `e2e/phoenix:${tagOf(phoenix)}`, 'alloy:image': `e2e/alloy:${tagOf(alloy)}`, 'gate:image': `e2e/nginx:${tagOf(gate)}` };
  await copyImages(usual, engine.host, [phoenix, alloy, gate]);
  for (const host of [usual, engine.host]) {
    await on(host, 'tag', phoenix, own['phoenix:image']);
    await on(host, 'tag', alloy, own['alloy:image']);
    await on(host, 'tag', gate, own['gate:image']);
  }
  await createContext({ config: contexts(), name: 'current', host: engine.host });
  await createContext({ config: contexts(), name: 'secure', host: tcp, tls: client });
  await on(usual, 'volume', 'create', '--label', label, decoy);
  checkout = await Checkout.clone('engines');
});

afterAll(async () => {
  await on(usual, 'volume', 'rm', '--force', decoy);
  await on(usual, 'image', 'rm', ...Object.values(own));
  await engine?.stop();
  fs.rmSync(path.dirname(checkout.dir), { recursive: true, force: true });
  fs.rmSync(dir, { recursive: true, force: true });
});

describe(`a current engine, named by a context`, () => {
  let ids: string;

  it('docker context use: the stack is there, and nothing is on the usual engine', async () => {
    expect(tree.version('docker.io')).toMatch(/^(2[6-9]|[3-9]\d)\./);
    await useContext(contexts(), 'current');
    const { traceId } = await shell({ DOCKER_CONFIG: contexts() }).up({ ...settings, ...own });
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    ids = await containersOn(engine.host);
    expect(ids.split('\n')).toHaveLength(3);
    expect(await containersOn(usual)).toBe('');
    expect(await shell({ DOCKER_CONFIG: contexts() }).verify()).toMatchObject({ ok: true });
  });

  it.each([
    ['the context in use', () => ({ DOCKER_CONFIG: contexts() })],
    ['DOCKER_CONTEXT', () => ({ DOCKER_CONFIG: contexts(), DOCKER_CONTEXT: 'current' })],
    ['DOCKER_HOST', () => ({ DOCKER_HOST: engine.host })],
  ])('%s: nothing to change, after a refresh either', async (_, env) => {
    const here = shell(env());
    expect((await here.pulumi('refresh', '--yes')).code).toBe(0);
    expect(await here.plannedSteps()).toEqual([]);
  });

  it('verify finds the stack without being told where it is', async () => {
    expect(await shell().verify()).toMatchObject({ ok: true });
  });

  it('on the usual engine a deployment is refused: the stack is not there', async () => {
    const { code, stderr } = await shell({ DOCKER_HOST: usual }).command('up', ['--yes', '-c', `ports:offset=${offsets.otherEngine}`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`docker:host is '${usual}': the stack runs on the Docker Engine at ${engine.host}`));
    expect(await containersOn(usual)).toBe('');
    expect(await containersOn(engine.host)).toBe(ids);
  });

  it('adopt looks at the engine of the stack, and finds nothing to take over there', async () => {
    const { code, stderr } = await shell({ DOCKER_CONFIG: contexts() }).command('adopt', ['--yes']);
    expect(code).toBe(1);
    expect(stderr).not.toMatch(new RegExp(usual));
    expect(await containersOn(engine.host)).toBe(ids);
  });

  it.each([
    ['TLS, by a context', () => ({ DOCKER_CONFIG: contexts(), DOCKER_CONTEXT: 'secure' }), {}],
    ['TLS, by variables', () => ({ DOCKER_HOST: tcp, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: client }), {}],
    ['TLS, by settings', () => ({}), () => ({ 'docker:host': tcp, 'docker:certPath': client })],
    ['ssh with options', () => ({}), () => ({ 'docker:host': ssh.host, 'docker:sshOpts': JSON.stringify(ssh.options) })],
  ])('%s: the same containers, another way to them', async (_, env, config) => {
    const given: Record<string, string> = typeof config === 'function' ? config() : config;
    const here = shell(env());
    await here.pulumi('config', 'rm-all', 'docker:host', 'docker:certPath', 'docker:sshOpts');
    const { traceId } = await here.up(given);
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(await containersOn(engine.host)).toBe(ids);
    expect(await here.plannedSteps()).toEqual([]);
  });

  it.each([
    ['a certificate of somebody else', () => ({ DOCKER_HOST: tcp, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: stranger }), /tcp:\/\/127\.0\.0\.1:\d+/],
    ['no certificate', () => ({ DOCKER_HOST: tcp }), /tcp:\/\/127\.0\.0\.1:\d+/],
    ['a context that does not exist', () => ({ DOCKER_CONFIG: contexts(), DOCKER_CONTEXT: 'nowhere' }), /DOCKER_CONTEXT is 'nowhere': there is no docker context of that name/],
    ['certificates that are not there', () => ({ DOCKER_HOST: tcp, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: path.join(dir, 'none') }), /ca\.pem is not there/],
  ])('%s: one message, and nothing changes', async (_, env, message) => {
    await shell().pulumi('config', 'rm-all', 'docker:host', 'docker:certPath', 'docker:sshOpts');
    const { code, stderr } = await shell(env()).command('up', ['--yes']);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at .*\.[jt]s:\d+/m);
    expect(await containersOn(engine.host)).toBe(ids);
  });

  it('down --purge removes it there, from any shell, and nothing of the usual engine', async () => {
    const { code, stderr } = await shell({ DOCKER_HOST: usual }).command('down', ['--purge', '--yes']);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(await on(engine.host, 'ps', '--all', '--quiet', '--filter', `label=${label}`)).toBe('');
    expect(await on(engine.host, 'volume', 'ls', '--quiet', '--filter', `label=${label}`)).toBe('');
    expect(await on(usual, 'volume', 'ls', '--quiet', '--filter', `label=${label}`)).toBe(decoy);
  });
});

describe('rootless Docker', () => {
  let rootless: Engine;

  beforeAll(async () => {
    rootless = await startRootless({ name: 'e2e-rootless', tree, uid: 1000, gid: 1000 });
    await copyImages(usual, rootless.host, Object.values(own));
  });
  afterAll(() => rootless?.stop());

  it('is published on loopback, limited as far as it can be, and verified', async () => {
    const here = shell({ DOCKER_HOST: rootless.host });
    const { code, stdout, stderr } = await here.command('up', ['--yes', '--json', '-c', `ports:offset=${offsets.rootless}`, '-c', 'alloy:bind=auto']);
    expect({ code, stderr: code === 0 ? '' : stderr.slice(-4000) }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    const [{ NetworkSettings }] = JSON.parse(await on(rootless.host, 'inspect', 'alloy-engines')) as [{ NetworkSettings: { Ports: Record<string, { HostIp: string }[] | null> } }];
    expect(new Set(Object.values(NetworkSettings.Ports).flatMap((bindings) => (bindings ?? []).map(({ HostIp }) => HostIp)))).toEqual(new Set(['127.0.0.1']));
    expect(await here.plannedSteps()).toEqual([]);
  });

  // One that shares the network of the machine would take its bridge away.
  it('after a restart of the engine everything comes back by itself, with the data', async () => {
    const here = shell({ DOCKER_HOST: rootless.host });
    const { endpoints } = await here.outputs();
    const { code, output } = await finished(await telemetrygen(), [
      'traces', '--otlp-http', '--otlp-insecure', '--otlp-endpoint', new URL(endpoints.otlpHttp).host, '--traces', '100', '--child-spans', '1', '--rate', '0',
      '--otlp-attributes', 'openinference.project.name="before-the-restart"',
    ]);
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    await until('the spans', async () => (await storedSpans(endpoints.phoenixUi, 'before-the-restart')) === 200);
    const ids = (await containersOn(rootless.host)).split('\n');
    const states = (format: string): Promise<string[]> => Promise.all(ids.map((id) => on(rootless.host, 'inspect', '--format', format, id)));
    const before = await states('{{.State.StartedAt}}');
    await rootless.restart();
    await until('every container to be healthy', async () => (await states('{{.State.Health.Status}}')).every((status) => status === 'healthy'));
    expect((await states('{{.State.StartedAt}}')).filter((time) => before.includes(time))).toEqual([]);
    expect(await here.verify()).toMatchObject({ ok: true });
    expect(await storedSpans(endpoints.phoenixUi, 'before-the-restart')).toBe(200);
    expect(await here.plannedSteps()).toEqual([]);
    expect((await here.command('down', ['--purge', '--yes'])).code).toBe(0);
  });
});

describe('an ordinary user in the group docker', () => {
  const run = promisify(execFile);
  const uid = 64_201;
  let home: string;

  beforeAll(() => {
    home = path.join(dir, 'home');
    fs.mkdirSync(home);
  });

  it('deploys and removes a stack, with a home of their own', async () => {
    const group = String(fs.statSync(usual.slice('unix://'.length)).gid);
    const mine = path.join(home, 'clone');
    await run('cp', ['--archive', checkout.dir, mine]);
    // What was built for the tests lies in a folder of root's. There may be none; and what a test beside this one removes meanwhile
    // is a lock or a part of something that is being made.
    const cache = path.join(home, 'cache');
    await run('cp', ['--archive', path.join(process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache'), 'llm-observability'), cache]).catch(() => fs.mkdirSync(cache, { recursive: true }));
    await run('chown', ['--recursive', `${uid}:${uid}`, home]);
    const user = checkout.at(mine).in({
      env: { HOME: home, USER: 'somebody', XDG_CACHE_HOME: home, DOCKER_HOST: undefined },
      prefix: ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--groups', group, '--'],
    });
    fs.renameSync(cache, path.join(home, 'llm-observability'));
    const up = await user.command('up', ['--yes', '--json', '-c', `ports:offset=${offsets.user}`, '-c', 'alloy:bind=127.0.0.1']);
    expect({ code: up.code, stderr: up.code === 0 ? '' : up.stderr.slice(-4000) }).toEqual({ code: 0, stderr: '' });
    expect(await user.verify()).toMatchObject({ ok: true });
    // The decoy is of this very stack, and goes with it.
    expect((await user.command('down', ['--purge', '--yes'])).code).toBe(0);
  });
});
