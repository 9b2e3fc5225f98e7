/**
 * Auth on real parts: one switch, every change of it under a load of 50 spans a second, and what must
 * be seen nowhere. The tests build on each other, in this order.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { freePort, telemetrygen } from '../../lab';
import type { Outputs } from '../../ops/support/outputs';
import { pulumiWithLogin } from '../support/docs-lines';
import { Checkout, docker, storedSpans, until } from './checkout';
import { usedImages } from './images';
import { finished, underLoad } from './load';
import { Postgresql } from './postgresql';
import { previousPhoenix } from './previous-phoenix';
import { above } from './offsets';
import { expectNowhere, placesOf, secretsOf, type Places } from './secrecy';

const stack = 'auth';
const [phoenix, alloy, gate] = [`phoenix-${stack}`, `alloy-${stack}`, `phoenix-${stack}-gate`];
let checkout: Checkout;
let deployed: Outputs;

beforeAll(async () => {
  checkout = await Checkout.clone(stack);
  await checkout.up({ ...above('auth'), 'phoenix:image': await previousPhoenix() });
  deployed = await checkout.outputs();
});

afterAll(async () => {
  const { code, stderr } = await checkout.command('down', ['--purge', '--yes']);
  fs.rmSync(path.dirname(checkout.dir), { recursive: true, force: true });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
});

interface Key {
  readonly id: string;
  readonly name: string;
}

function ask(pathname: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${deployed.endpoints.phoenixUi}${pathname}`, { ...init, headers: { authorization: `Bearer ${deployed.adminSecret}`, ...init.headers } });
}

function onAlloysPage(pathname: string): Promise<Response> {
  const { user, password } = deployed.alloyPage;
  return fetch(`${deployed.endpoints.alloyUi}${pathname}`, { headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` } });
}

async function keys(): Promise<Key[]> {
  return ((await (await ask('/v1/system/api_keys')).json()) as { data: Key[] }).data;
}

async function keyOf(name: string): Promise<Key> {
  const found = (await keys()).filter((key) => key.name === name);
  expect(found).toHaveLength(1);
  return found[0] as Key;
}

/** The key of a resource in the state, as Alloy has it. */
async function secretOf(name: string): Promise<string> {
  const { stdout } = await checkout.pulumi('stack', 'export', '--show-secrets');
  const { deployment } = JSON.parse(stdout) as { deployment: { resources: { urn: string; outputs?: { key?: { plaintext: string } } }[] } };
  const { outputs } = deployment.resources.find(({ urn }) => urn.endsWith(`::phoenix-key-${name}`)) ?? {};
  return JSON.parse(outputs?.key?.plaintext ?? '""') as string;
}

/** A key as a person makes one in Phoenix, by the name that the stack has for its own. */
async function keyOfPerson(): Promise<string> {
  const body = JSON.stringify({ data: { name: 'evaluations', description: 'my laptop', expires_at: null } });
  const answer = await ask('/v1/system/api_keys', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return ((await answer.json()) as { data: { key: string } }).data.key;
}

async function revoke({ id }: Key): Promise<void> {
  expect((await ask(`/v1/system/api_keys/${id}`, { method: 'DELETE' })).status).toBe(204);
}

/** Makes a change under load; every span that Alloy has accepted is stored in the end. Prints both numbers. */
async function losesNothing(name: string, change: () => Promise<unknown>): Promise<void> {
  const project = name.replace(/\W+/g, '-');
  // A third of what Phoenix stores on one core: what has waited is stored soon after.
  const accepted = await underLoad(project, change, { receiver: new URL(deployed.endpoints.otlpGrpc).host, spansPerSecond: 50 });
  deployed = await checkout.outputs();
  const stored = (): Promise<number> => storedSpans(deployed.endpoints.phoenixUi, project, deployed.auth ? deployed.adminSecret : '');
  await until(`${accepted} spans of ${project}`, async () => (await stored()) >= accepted, 300_000);
  console.log(`${name}: Alloy accepted ${accepted} spans, Phoenix holds ${await stored()}`);
  expect(await stored()).toBe(accepted);
}

/** Status of an OTLP request without spans to Phoenix's own port. */
async function otlp(headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(`${deployed.endpoints.phoenixOtlpHttp}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/x-protobuf', ...headers } });
  return answer.status;
}

function login(password: string, headers: Record<string, string> = {}, email = 'admin@localhost'): Promise<Response> {
  return fetch(`${deployed.endpoints.phoenixUi}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ email, password }),
  });
}

describe('without auth', () => {
  it('another version of Phoenix under load costs no span', () =>
    losesNothing('another version', async () => {
      const { changes } = await checkout.up({ 'phoenix:image': (await usedImages()).phoenix });
      expect(changes['replaced']).toBeGreaterThan(0);
    }));

  it('has no login, and the header that Phoenix ignores: switching auth on leaves Alloy as it is', async () => {
    expect(deployed).toMatchObject({ auth: false, login: null, apiKeys: {} });
    expect(((await onAlloysPage('/api/v0/web/components').then((answer) => answer.json())) as { localID: string }[]).flatMap(({ localID }) => (/auth|local\.file/.test(localID) ? [localID] : [])).sort()).toEqual(['local.file.page', 'local.file.phoenix_authorization', 'otelcol.auth.headers.phoenix']);
  });
});

describe('phoenix:auth true', () => {
  it('is the whole procedure, and costs no span', async () => {
    await losesNothing('auth off to on', () => checkout.up({ 'phoenix:auth': 'true', 'phoenix:apiKeys': 'evaluations' }));
    expect(deployed).toMatchObject({ auth: true, login: { email: 'admin@localhost', url: deployed.endpoints.phoenixUi } });
    expect(await checkout.plannedSteps()).toEqual([]);
  });

  it('refuses OTLP without a token on both ports', async () => {
    expect(await otlp()).toBe(401);
    expect(await otlp({ authorization: 'Bearer wrong' })).toBe(401);
    const { output } = await finished(await telemetrygen(), ['traces', '--otlp-insecure', '--otlp-endpoint', new URL(deployed.endpoints.phoenixOtlpGrpc).host, '--traces', '1']);
    expect(output).toMatch(/Unauthenticated/);
  });

  it('gives programs keys of their own', async () => {
    expect(Object.keys(deployed.apiKeys)).toEqual(['evaluations']);
    expect(await otlp({ authorization: `Bearer ${deployed.apiKeys['evaluations']}` })).toBe(200);
    expect((await keys()).map(({ name }) => name).sort()).toEqual(['alloy', 'evaluations']);
  });

  it.each(pulumiWithLogin)('prints what it has by `%s`', async (line) => {
    expect(await checkout.pulumi('stack', 'select')).toMatchObject({ code: 0 });
    const { stdout } = await checkout.shell(line);
    const { login: { password } = { password: '' }, apiKeys, adminSecret } = deployed as Outputs & { login: { password: string } };
    expect(Object.values({ password, adminSecret, ...apiKeys }).filter((secret) => stdout.includes(secret))).toHaveLength(1);
  });

  it('lets the first administrator in with the generated password, and not with the one that everybody knows', async () => {
    expect((await login('admin')).status).toBe(401);
    expect((await login(deployed.login?.password ?? '')).status).toBe(204);
  });

  it('has its secrets in a file that only Phoenix can read', async () => {
    const look = "import os;s=os.stat('/etc/phoenix-secrets/environment.json');print(oct(s.st_mode),s.st_uid,s.st_gid)";
    expect(await docker('exec', phoenix, 'python3', '-ISc', look)).toBe('0o100400 65532 65532');
    const { code, output } = await finished('docker', ['exec', '--user', '473:473', phoenix, 'python3', '-ISc', "open('/etc/phoenix-secrets/environment.json')"]);
    expect([code, output]).toEqual([1, expect.stringContaining('Permission denied')]);
  });

  it('refuses a request that is far too large unpacked, many at once, and stays', async () => {
    const [bomb, before] = [gzipSync(Buffer.alloc(512 << 20)), await docker('inspect', '--format', '{{.State.StartedAt}} {{.RestartCount}}', phoenix)];
    const post = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${deployed.apiKeys['evaluations']}`, 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' };
      return (await fetch(`${deployed.endpoints.phoenixOtlpHttp}/v1/traces`, { method: 'POST', headers, body: bomb })).status;
    };
    // The gate lets three of one address through at a time.
    const statuses = await Promise.all(Array.from({ length: 20 }, post));
    expect(statuses.filter((status) => status === 413).length).toBeGreaterThanOrEqual(3);
    expect(statuses.filter((status) => status !== 413 && status !== 503)).toEqual([]);
    expect(await docker('inspect', '--format', '{{.State.StartedAt}} {{.RestartCount}}', phoenix)).toBe(before);
  });

  it('mints nothing when it is run again', async () => {
    const before = await keys();
    const { changes } = await checkout.up();
    expect(Object.keys(changes)).toEqual(['unchanged']);
    expect(await keys()).toEqual(before);
  });

  it('shows its secrets nowhere', async () => {
    const secrets = await secretsOf(checkout);
    // Four generated ones and two keys.
    expect(secrets.filter((secret) => secret.length >= 24)).toHaveLength(6);

    const places: Places = {
      'the environment that Phoenix was started with': await docker('exec', phoenix, 'python3', '-ISc', "print(open('/proc/1/environ').read())"),
      'verify': JSON.stringify(await checkout.command('verify')),
      'preview': JSON.stringify(await checkout.pulumi('preview', '--diff')),
      ...await placesOf(checkout),
    };
    // The container that has them, and shows them no more than the others.
    expect((JSON.parse(places[`docker inspect of ${stack}`] ?? '[]') as { Name: string; Config: { Env: string[] } }[]).find(({ Name }) => Name === `/${phoenix}`)?.Config.Env).toContain('PHOENIX_ENABLE_AUTH=true');
    const components = (await (await onAlloysPage('/api/v0/web/components')).json()) as { localID: string }[];
    expect(components.map(({ localID }) => localID)).toContain('otelcol.auth.headers.phoenix');
    for (const { localID } of components) {
      places[`Alloy's component ${localID}`] = await (await onAlloysPage(`/api/v0/web/components/${localID}`)).text();
    }
    places["Alloy's metrics"] = await (await onAlloysPage('/metrics')).text();
    expect(places["Alloy's component otelcol.auth.headers.phoenix"]).toContain('(secret)');
    // A container that was never started has no log; everything else says something.
    expect(Object.keys(places).filter((place) => places[place] === '' && !/-files$/.test(place))).toEqual([]);
    expectNowhere(secrets, places);
  });
});

describe('a change under load costs no span', () => {
  it('when the key of Alloy and the admin secret are rotated at once, and the old key opens nothing any more', async () => {
    const [before, dead, admin] = [await keyOf('alloy'), await secretOf('alloy'), deployed.adminSecret];
    await losesNothing('key and admin secret rotated', () => checkout.up({}, '--rotate', 'alloy', '--rotate', 'admin-secret'));
    expect((await keyOf('alloy')).id).not.toBe(before.id);
    const statuses = [dead, admin, await secretOf('alloy'), deployed.apiKeys['evaluations'], deployed.adminSecret].map((token) => otlp({ authorization: `Bearer ${token}` }));
    expect(await Promise.all(statuses)).toEqual([401, 401, 200, 200, 200]);
    expect(await checkout.plannedSteps()).toEqual([]);
  });

  it('when the container of Phoenix is replaced, here because it is published and PHOENIX_SECRET is rotated', async () => {
    await checkout.pulumi('config', 'set', 'phoenix:rootUrl', 'https://phoenix.example.com');
    // Its keys stay, and a preview says so: what holds them changes as little.
    const planned = await checkout.plannedSteps();
    expect(planned).toContain(`replace phoenix-server`);
    expect(planned.filter((step) => /alloy-secret|alloy-server/.test(step))).toEqual([]);
    await losesNothing('container replaced', () => checkout.up({}, '--rotate', 'secret'));
    expect((await keys()).map(({ name }) => name).sort()).toEqual(['alloy', 'evaluations']);
    expect(await otlp({ authorization: `Bearer ${deployed.apiKeys['evaluations']}` })).toBe(200);
    expect(deployed.login?.url).toBe('https://phoenix.example.com');
  });

  it('and a published Phoenix counts people at its login, keeps their cookies to https and other sites out', async () => {
    const attempt = async (from: string, who: number): Promise<number> => (await login('wrong', { 'x-forwarded-for': from }, `${who}@example.com`)).status;
    const answers: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      answers.push(await attempt('203.0.113.7', i));
    }
    expect(answers).toContain(429);
    expect(await attempt('203.0.113.8', 99)).toBe(401);
    const { headers } = await login(deployed.login?.password ?? '', { 'x-forwarded-for': '203.0.113.9', origin: 'https://phoenix.example.com' });
    expect(headers.getSetCookie().length).toBeGreaterThan(0);
    expect(headers.getSetCookie().filter((cookie) => !/; secure/i.test(cookie))).toEqual([]);
    const foreign = await login(deployed.login?.password ?? '', { 'x-forwarded-for': '203.0.113.9', origin: 'https://elsewhere.example.com' });
    expect(foreign.status).toBe(403);
  });

  it('when the key is deleted in Phoenix, which then refuses it: verify names that, and the next deployment makes another', async () => {
    await losesNothing('key refused', async () => {
      await revoke(await keyOf('alloy'));
      expect(await checkout.plannedSteps()).toContain('update phoenix-key-alloy');
      const { stdout } = await checkout.command('verify', ['--json', '--timeout', '10']);
      const { failure } = JSON.parse(stdout) as { failure: { hop: string; cause: string } };
      expect(failure.hop).toBe('Alloy -> Phoenix');
      expect(failure.cause).toMatch(/^Phoenix does not take Alloy's API key: it answers 401; Alloy keeps what it has accepted on disk \([\d.]+ [KM]iB of 2 GiB/);
      expect(await docker('logs', gate)).toMatch(/refused upstream=401 answered=503 uri=\/v1\/traces/);
      await checkout.up();
    });
    await keyOf('alloy');
  });

  it('when auth goes off together with a key, and the others are the same once it is on again', async () => {
    const [alloyKey, dead, person] = [await keyOf('alloy'), deployed.apiKeys['evaluations'], await keyOfPerson()];
    // Without auth nothing may be published.
    await checkout.pulumi('config', 'rm', 'phoenix:rootUrl');
    await checkout.pulumi('config', 'rm', 'phoenix:apiKeys');
    await losesNothing('auth on to off', () => checkout.up({ 'phoenix:auth': 'false' }));
    expect(await otlp()).toBe(200);
    expect(await docker('volume', 'ls', '--quiet', '--filter', `name=${alloy}-secrets`)).toBe(`${alloy}-secrets`);
    await checkout.up({ 'phoenix:auth': 'true' });
    deployed = await checkout.outputs();
    expect((await keys()).map(({ id, name }) => (name === 'alloy' ? id : name)).sort()).toEqual([alloyKey.id, 'evaluations'].sort());
    expect(await Promise.all([dead, person, await secretOf('alloy')].map((token) => otlp({ authorization: `Bearer ${token}` })))).toEqual([401, 200, 200]);
    expect(await checkout.plannedSteps()).toEqual([]);
  });
});

describe('a trace that does not arrive', () => {
  it('fails pulumi up itself, with the hop and the cause, and the next run goes on from there', async () => {
    const file = path.join(checkout.dir, 'components', 'phoenix.ts');
    const source = fs.readFileSync(file, 'utf8');
    const broken = source.replace('readonly internal = `http://${aliases.phoenix}:${ports.phoenix.ui}`', 'readonly internal = `http://${aliases.phoenix}:6007`');
    expect(broken).not.toBe(source);
    fs.writeFileSync(file, broken);
    const { code, stdout, stderr } = await checkout.pulumi('up', '--yes', '--skip-preview');
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/A trace does not arrive\. Alloy -> Phoenix: /);
    fs.writeFileSync(file, source);
    await checkout.up();
    expect(await checkout.plannedSteps()).toEqual([]);
  });
});

describe('bad input', () => {
  it('is refused at the preview, all of it at once', async () => {
    const bad = { 'phoenix:auth': 'yes', 'phoenix:basicAuth': 'false', 'phoenix:apiKeys': 'alloy', 'phoenix:bind': '0.0.0.0,1.2.3' };
    const { code, stderr } = await checkout.command('up', ['--yes', ...Object.entries(bad).flatMap(([key, value]) => ['-c', `${key}=${value}`])]);
    expect(code).toBe(1);
    for (const [key, value] of Object.entries(bad).filter(([key]) => key !== 'phoenix:basicAuth')) {
      expect(stderr).toContain(`${key} is '${value}'`);
    }
    expect(await checkout.plannedSteps()).toEqual([]);
  });

  it('does not let Phoenix be published without auth', async () => {
    const { code, stderr } = await checkout.command('up', ['--yes', '-c', 'phoenix:auth=false', '-c', 'phoenix:rootUrl=https://phoenix.example.com']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/phoenix:auth is 'false'/);
    expect(stderr).toMatch(/pulumi -- config set phoenix:auth true --stack auth/);
  });

  it('names the rule that a secret of one\'s own breaks, and not the secret', async () => {
    expect((await checkout.pulumi('config', 'set', '--secret', 'phoenix:secret', 'short-and-sweet')).code).toBe(0);
    const { code, stderr } = await checkout.command('up', ['--yes']);
    await checkout.pulumi('config', 'rm', 'phoenix:secret');
    expect(code).toBe(1);
    expect(stderr).toMatch(/phoenix:secret.*32/);
    expect(stderr).not.toContain('short-and-sweet');
  });
});

describe('down and up again', () => {
  it('keeps the way in, and leaves one key', async () => {
    const password = deployed.login?.password;
    expect((await checkout.command('down', ['--yes'])).code).toBe(0);
    await checkout.up();
    deployed = await checkout.outputs();
    expect(deployed.login?.password).toBe(password);
    expect((await login(password ?? '')).status).toBe(204);
    await keyOf('alloy');
  });

  it('and wrong passwords that anybody tries stop no deployment', async () => {
    await until('Phoenix to take no more logins', async () => (await login('wrong')).status === 429);
    await checkout.up({ 'phoenix:retentionDays': '7' });
    expect(await checkout.plannedSteps()).toEqual([]);
  });
});

describe('a PostgreSQL with TLS', () => {
  let database: Postgresql;
  const set = async (line: string, input: string): Promise<void> => expect(await checkout.shell(`pulumi config set ${line} --stack ${stack}`, input)).toMatchObject({ code: 0 });

  beforeAll(async () => {
    const address = await docker('network', 'inspect', '--format', '{{(index .IPAM.Config 0).Gateway}}', 'bridge');
    database = await Postgresql.start(`postgresql-${stack}`, path.join(path.dirname(checkout.dir), 'postgresql'), address, await freePort(address));
    fs.writeFileSync(path.join(checkout.dir, 'ca.pem'), database.authority);
    await set('phoenix:databaseCertificate < ca.pem', '');
    await set('--secret phoenix:database', database.url('not-this-password'));
  });

  afterAll(() => database.remove());

  it('is refused at the preview, until somebody says that the traces in SQLite stay there', async () => {
    const { code, stderr, stdout } = await checkout.pulumi('preview');
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain('config set phoenix:databaseLeft sqlite');
    await set('phoenix:databaseLeft sqlite', '');
  });

  it('that does not take the password ends the deployment, and Phoenix runs on', async () => {
    const id = await docker('inspect', '--format', '{{.Id}} {{.State.Running}}', phoenix);
    const { code, stderr } = await checkout.command('up', ['--yes']);
    expect(code).not.toBe(0);
    expect(stderr).toContain('does not take the password of phoenix');
    expect(stderr).not.toContain('not-this-password');
    expect(await docker('inspect', '--format', '{{.Id}} {{.State.Running}}', phoenix)).toBe(id);
  });

  it('has what Phoenix stores, the connection is encrypted, and the next preview changes nothing', async () => {
    await set('--secret phoenix:database', database.url());
    await checkout.up();
    deployed = await checkout.outputs();
    expect((await database.sql("SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'phoenix' AND client_addr IS NOT NULL")).trim()).toBe('t');
    expect(await checkout.plannedSteps()).toEqual([]);
    expect((await checkout.verify()).ok).toBe(true);
  });

  it('restarted under load costs no span', async () => {
    await losesNothing('PostgreSQL restarted', () => database.restart());
    expect(Number(await database.sql('SELECT count(*) FROM spans'))).toBeGreaterThan(0);
  });
});
