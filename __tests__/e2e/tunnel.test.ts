/**
 * The tunnel on real parts: a central stack and one at the edge, between them a stand-in of Cloudflare (its API, and
 * an edge that routes by what the stack has declared). The tests build on each other, in this order.
 */
import * as fs from 'node:fs';
import * as https from 'node:https';
import * as path from 'node:path';
import { Cloudflare, connectorImage, type Mode, trusting } from '../../lab/cloudflare';
import type { EdgeOutputs, Outputs } from '../../ops/support/outputs';
import { spanRequest } from '../support/span-request';
import { Checkout, docker, storedSpans, until } from './checkout';
import { usedImages } from './images';
import { above } from './offsets';
import { underLoad } from './load';
import { expectNowhere, placesOf } from './secrecy';

const accountId = 'a'.repeat(32);
const zone = 'example.com';
const hostnames = { page: 'phoenix.example.com', otlp: 'otlp.example.com', phoenixOtlp: 'phoenix-otlp.example.com' };

let central: Checkout;
let edge: Checkout;
/** A stack at the edge whose Alloy sends past its gate, as one without it would. */
let bare: Checkout;
let cloudflare: Cloudflare;
let deployed: Outputs;
const environment = { ...process.env };

/** Ports of the two edges. */
const portsOf = (base: number): Record<string, string> => ({ 'alloy:otlpGrpcPort': String(base), 'alloy:otlpHttpPort': String(base + 1), 'alloy:uiPort': String(base + 2) });
const receiverOf = { edge: '127.0.0.1:5317', bare: '127.0.0.1:5327' };

/** Joins the network of a stack as soon as it is there, for what in it looks for Cloudflare. */
const reachable = (stack: string): Promise<unknown> =>
  until(`the network of ${stack}`, async () => {
    await cloudflare.join(`observability-${stack}`);
    return true;
  }, 600_000);

beforeAll(async () => {
  central = await Checkout.clone('central');
  // Each refusal takes the five seconds until Alloy tries again; how many it takes is in goldens/edge/nginx.conf.
  const file = path.join(central.dir, 'components', 'gate-config.ts');
  const source = fs.readFileSync(file, 'utf8');
  expect(source).toContain('const refusedTimes = 30;');
  fs.writeFileSync(file, source.replace('const refusedTimes = 30;', 'const refusedTimes = 8;'));
  edge = await central.beside('edge');
  bare = await central.beside('bare');
  cloudflare = await Cloudflare.start({ name: 'cloudflare-e2e', account: { id: accountId, zones: [zone] }, team: 'example', hostnames: Object.values(hostnames) });
  process.env['CLOUDFLARE_API_TOKEN'] = await cloudflare.issueToken();
  await central.up({ ...above('central'), 'phoenix:auth': 'true' });
  deployed = await central.outputs();
});

afterAll(async () => {
  for (const one of [bare, edge, central]) {
    await cloudflare.leave(`observability-${one.stack}`).catch(() => undefined);
    const { code, stderr } = await one.command('down', ['--purge', '--yes']);
    if (code !== 0 && !stderr.includes('There is no stack')) {
      console.error(stderr);
    }
  }
  await cloudflare.stop();
  process.env['CLOUDFLARE_API_TOKEN'] = environment['CLOUDFLARE_API_TOKEN'];
  for (const { dir } of [central, edge]) {
    fs.rmSync(path.dirname(dir), { recursive: true, force: true });
  }
});

/** Settings of the central stack. */
async function published(): Promise<Record<string, string>> {
  return {
    'cloudflare:baseUrl': cloudflare.apiUrl,
    'cloudflare:accountId': accountId,
    'tunnel:hostname': hostnames.page,
    'tunnel:otlpHostname': hostnames.otlp,
    'tunnel:phoenixOtlpHostname': hostnames.phoenixOtlp,
    'tunnel:allowEmails': 'ada@example.com',
    'tunnel:image': await connectorImage(),
  };
}

/** Images of a stack at the edge that take the stand-in of Cloudflare for the real one. */
async function trustingImages(): Promise<Record<string, string>> {
  const { gate, alloy } = await usedImages();
  return { 'gate:image': await trusting(gate, cloudflare.ca), 'alloy:image': await trusting(alloy, cloudflare.ca) };
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
}

/** What Cloudflare answers to a request for a hostname. */
async function asked(hostname: string, pathname: string, { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  const address = await docker('inspect', '--format', '{{.NetworkSettings.Networks.bridge.IPAddress}}', cloudflare.name);
  return new Promise((resolve, reject) => {
    https.request(
      { host: address, port: 443, servername: hostname, ca: cloudflare.ca, path: pathname, method, headers: { host: hostname, ...headers }, agent: false },
      (incoming) => {
        incoming.resume();
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, location: incoming.headers.location }));
      },
    ).on('error', reject).end();
  });
}

/** Spans of a project in the central Phoenix. */
const stored = (project: string): Promise<number> => storedSpans(deployed.endpoints.phoenixUi, project, deployed.adminSecret);

/** Waits until all of these are stored. */
async function allStored(project: string, accepted: number): Promise<void> {
  await until(`${accepted} spans of ${project}`, async () => (await stored(project)) >= accepted, 300_000);
  expect(await stored(project)).toBe(accepted);
}

describe('a tunnel that is down', () => {
  it('fails the deployment, and stops nothing on the central host', async () => {
    // Nobody in its network finds Cloudflare yet.
    const pairs = Object.entries(await published()).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    const { code, stderr, stdout } = await central.command('up', ['--yes', ...pairs]);
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/tunnel-connector-1/);
    expect(await central.verify()).toMatchObject({ ok: true });
  });

  it('goes on at the next run with what is there already', async () => {
    const before = await cloudflare.account();
    expect(before.tunnels).toHaveLength(1);
    await cloudflare.join('observability-central');
    await central.up();
    const after = await cloudflare.account();
    expect(after.tunnels.map(({ id }) => id)).toEqual(before.tunnels.map(({ id }) => id));
    expect(after.records.map(({ name, content }) => [name, content]).sort()).toEqual(
      Object.values(hostnames).sort().map((name) => [name, `${after.tunnels[0]?.id}.cfargotunnel.com`]));
    expect(after.tunnels[0]?.connections).toBe(8);
    deployed = await central.outputs();
    expect(await central.plannedSteps()).toEqual([]);
  });
});

describe('a published stack', () => {
  it('sends people to a login, and machines without a service token away', async () => {
    expect(await asked(hostnames.page, '/')).toMatchObject({ status: 302, location: expect.stringMatching(/cloudflareaccess\.com/) });
    for (const hostname of [hostnames.otlp, hostnames.phoenixOtlp]) {
      expect(await asked(hostname, '/v1/traces', { method: 'POST' })).toEqual({ status: 401, location: undefined });
    }
  });

  it('lets machines at OTLP and at nothing else', async () => {
    const { clientId, clientSecret, apiKey } = deployed.remoteAccess['edge'] ?? { clientId: '', clientSecret: '', apiKey: '' };
    const headers = { 'cf-access-client-id': clientId, 'cf-access-client-secret': clientSecret, 'content-type': 'application/x-protobuf' };
    expect(await asked(hostnames.otlp, '/v1/traces', { method: 'POST', headers })).toMatchObject({ status: 200 });
    // The gate in front of Phoenix makes "later" of its 401.
    expect(await asked(hostnames.phoenixOtlp, '/v1/traces', { method: 'POST', headers })).toMatchObject({ status: 503 });
    const withKey = { ...headers, authorization: `Bearer ${apiKey}` };
    expect(await asked(hostnames.phoenixOtlp, '/v1/traces', { method: 'POST', headers: withKey })).toMatchObject({ status: 200 });
    expect(await asked(hostnames.phoenixOtlp, '/v1/projects', { headers: withKey })).toMatchObject({ status: 404 });
    expect(await asked(hostnames.otlp, '/graphql', { headers: withKey })).toMatchObject({ status: 404 });
  });
});

describe("an edge's API key", () => {
  it('ends in Phoenix when the stack says so, and that of Alloy does not', async () => {
    const answer = await fetch(`${deployed.endpoints.phoenixUi}/v1/system/api_keys`, { headers: { authorization: `Bearer ${deployed.adminSecret}` } });
    const { data } = (await answer.json()) as { data: { name: string; expires_at?: string }[] };
    const [key, ...more] = data.filter(({ name }) => name === 'edge');
    expect(more).toEqual([]);
    expect(new Date(key?.expires_at ?? 0).toISOString()).toBe(deployed.remote.tokens['edge']?.keyExpiresAt);
    expect(data.filter(({ name }) => name === 'alloy').map((one) => one.expires_at)).toEqual([undefined]);
  });
});

describe('a stack at the edge', () => {
  it('needs the name of the central one, and its trace is read back there', async () => {
    const config = { 'edge:central': 'central', ...portsOf(5317), ...(await trustingImages()) };
    const [up] = await Promise.all([edge.up(config), reachable('edge')]);
    expect(up.endpoints).toEqual({ otlpHttp: 'http://127.0.0.1:5318', otlpGrpc: 'http://127.0.0.1:5317', alloyUi: 'http://127.0.0.1:5319' });
    expect(await edge.verify()).toMatchObject({ ok: true, hops: [{ name: 'application -> Alloy' }, { name: "Alloy -> central's Phoenix" }, { name: 'Phoenix -> reader' }] });
    expect(await edge.plannedSteps()).toEqual([]);
    expect(Object.keys((await edge.outputs<EdgeOutputs>()).containers)).toEqual(['alloy', 'gate']);
  });

  it('shows its secrets nowhere', async () => {
    const { clientSecret = '', apiKey = '' } = deployed.remoteAccess['edge'] ?? {};
    const secrets = [clientSecret, apiKey];
    expect(secrets.every((secret) => secret.length > 20)).toBe(true);
    // Both have one folder of state.
    const places = { ...await placesOf(central), ...await placesOf(edge) };
    expect(places['state']).toContain('cf-access-client');
    expectNowhere(secrets, places);
  });

  it('keeps senders apart: a request that Phoenix refuses for what it holds costs only itself', async () => {
    const send = async (name?: Buffer): Promise<number> =>
      (await fetch('http://127.0.0.1:5318/v1/traces', { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: spanRequest('innocent', name) })).status;
    const poison = Buffer.from([0x70, 0xff]);
    const answers = await Promise.all(Array.from({ length: 55 }, (_, index) => send(index % 11 === 5 ? poison : undefined)));
    expect(new Set(answers)).toEqual(new Set([200]));
    await allStored('innocent', 50);
    // Behind them in the same queue, so that nothing of them is still on its way.
    expect(await edge.verify()).toMatchObject({ ok: true });
    expect(await stored('innocent')).toBe(50);
  });

  it('one without a gate, to compare with', async () => {
    const file = path.join(central.dir, 'stack', 'edge-stack.ts');
    const source = fs.readFileSync(file, 'utf8');
    const past = source.replace('{ ...gate.backend, signals: gate.backend', '{ ...central.backend, signals: central.backend');
    expect(past).not.toBe(source);
    fs.writeFileSync(file, past);
    await Promise.all([bare.up({ 'edge:central': 'central', ...portsOf(5327), ...(await trustingImages()) }), reachable('bare')]);
    fs.writeFileSync(file, source);
  });
});

describe('no answer of the tunnel loses a span', () => {
  const modes: readonly (readonly [Mode, string])[] = [
    ['302', 'a redirect to a login page'],
    ['403', '403 with a page'],
    ['530', '530'],
    ['502', '502'],
    ['nothing', 'nothing: the connection is cut'],
  ];

  it(`one after the other: ${modes.map(([, about]) => about).join(', ')}; without the gate some of them lose spans`, async () => {
    const [accepted, acceptedBare] = await whileAnswered(modes.map(([mode]) => mode), 'held', 'lost');
    await allStored('held', accepted);
    await drained();
    const arrived = await stored('lost');
    console.log(`with the gate ${await stored('held')} of ${accepted} spans arrived, without it ${arrived} of ${acceptedBare}`);
    expect(arrived).toBeLessThan(acceptedBare);
  });

  it('a request that a firewall refuses for what it holds is put aside, and sent again by a command', async () => {
    await cloudflare.mode(hostnames.otlp, 'firewall');
    const body = spanRequest('firewalled');
    const { status } = await fetch('http://127.0.0.1:5318/v1/traces', { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body });
    expect(status).toBe(200);
    await until('the request put aside', async () => (await docker('exec', 'central-edge-gate', 'ls', '/var/lib/gate-aside/traces')) !== '', 600_000);
    await cloudflare.mode(hostnames.otlp, 'normal');
    expect(await edge.verify()).toMatchObject({ ok: true, warnings: [expect.stringMatching(/^otlp\.example\.com refuses 1 request because of its content/)] });

    await docker('exec', 'central-edge-gate', 'bash', '/etc/gate/send-again.sh');
    await allStored('firewalled', 1);
    expect(await edge.verify()).not.toHaveProperty('warnings');
  });

  /**
   * Both edges under load while Cloudflare answers like this, each answer until both have met it several times.
   * @returns spans that each has accepted
   */
  async function whileAnswered(answers: readonly Mode[], held: string, lost: string): Promise<[number, number]> {
    await cloudflare.forget();
    let over = false;
    const meanwhile = (): Promise<unknown> => until('the answers', () => Promise.resolve(over), 300_000);
    const loads = Promise.all([
      underLoad(held, meanwhile, { receiver: receiverOf.edge, spansPerSecond: 40 }),
      underLoad(lost, meanwhile, { receiver: receiverOf.bare, spansPerSecond: 40 }),
    ]);
    try {
      for (const mode of answers) {
        await cloudflare.mode(hostnames.otlp, mode);
        await until(`answers ${mode}`, async () => ((await cloudflare.counts())[hostnames.otlp]?.[mode] ?? 0) > 8, 120_000);
      }
      expect(await stored(held)).toBe(0);
    } finally {
      await cloudflare.mode(hostnames.otlp, 'normal');
      over = true;
      await loads;
    }
    return loads;
  }

  /** What waits in the other one comes as well; a last trace of it stands in line behind. */
  async function drained(): Promise<void> {
    expect(await bare.verify()).toMatchObject({ ok: true });
    await until('an empty queue', async () => (await queued('bare')) === 0);
  }

  it('a service token that is made anew under load: what comes in between waits', async () => {
    const { clientId } = deployed.remoteAccess['edge'] ?? {};
    const accepted = await underLoad('token-rotated', async () => {
      await central.up({}, '--rotate', 'token:edge');
      const failure = await edge.command('verify', ['--json', '--timeout', '5']);
      expect(JSON.parse(failure.stdout)).toMatchObject({ ok: false, failure: { cause: expect.stringMatching(/^otlp\.example\.com answers 401: Cloudflare Access does not take the service token edge of the stack central; Alloy keeps/) } });
      await edge.up();
    }, { receiver: receiverOf.edge, spansPerSecond: 40 });
    deployed = await central.outputs();
    expect(deployed.remoteAccess['edge']?.clientId).not.toBe(clientId);
    expect((await cloudflare.account()).serviceTokens).toHaveLength(1);
    await allStored('token-rotated', accepted);
  });

  it('the other way, straight to Phoenix, while its container is replaced', async () => {
    await edge.up({ 'edge:sendTo': 'phoenix' });
    const accepted = await underLoad('straight', () => central.up({ 'phoenix:memory': '2560MiB', 'phoenix:storage': '2GiB', 'phoenix:retentionDays': '30', 'phoenix:otlpHttpPort': '14319' }), { receiver: receiverOf.edge, spansPerSecond: 40 });
    deployed = await central.outputs();
    await allStored('straight', accepted);
    expect(await edge.plannedSteps()).toEqual([]);
  });

  it('connectors that are killed under load come back, and what came in between arrives', async () => {
    const accepted = await underLoad('killed', async () => {
      await docker('kill', 'tunnel-central-1', 'tunnel-central-2');
      await until('530', async () => (await asked(hostnames.otlp, '/v1/traces', { method: 'POST' })).status !== 0 && (await cloudflare.account()).tunnels[0]?.connections === 0);
      expect(await central.verify()).toMatchObject({ ok: true });
      await central.up();
    }, { receiver: receiverOf.edge, spansPerSecond: 40 });
    await allStored('killed', accepted);
  });
});

/** Requests on the disk of an edge. */
async function queued(stack: 'edge' | 'bare'): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${{ edge: 5319, bare: 5329 }[stack]}/metrics`)).text();
  const line = metrics.split('\n').find((one) => one.startsWith('otelcol_exporter_queue_size{') && one.includes('otlphttp.central"') && one.includes('data_type="traces"'));
  return Number(line?.split(' ').at(-1));
}

describe('bad input is refused, and nothing is changed', () => {
  const refusedWith = async (one: Checkout, config: Record<string, string>, message: RegExp): Promise<void> => {
    const before = await cloudflare.account();
    const { code, stdout, stderr } = await one.command('up', ['--yes', ...Object.entries(config).flatMap(([key, value]) => ['-c', `${key}=${value}`])]);
    expect({ code, told: message.test(stdout + stderr) ? 'it' : stdout + stderr }).toEqual({ code: 1, told: 'it' });
    expect(await cloudflare.account()).toEqual(before);
    expect(await one.plannedSteps()).toEqual([]);
  };

  it('an API token that lacks a permission', async () => {
    const whole = process.env['CLOUDFLARE_API_TOKEN'];
    const account = await cloudflare.account();
    process.env['CLOUDFLARE_API_TOKEN'] = await cloudflare.issueToken({ tunnel: 'write', zone: 'read', access: 'write', serviceTokens: 'write' });
    const { code, stdout, stderr } = await central.pulumi('preview');
    process.env['CLOUDFLARE_API_TOKEN'] = whole;
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/the API token lacks the permission DNS Write/);
    expect(await cloudflare.account()).toEqual(account);
  });

  it('a zone that is not in the account', () =>
    refusedWith(central, { 'tunnel:zone': 'example.org', 'tunnel:hostname': 'phoenix.example.org', 'tunnel:otlpHostname': 'otlp.example.org', 'tunnel:phoenixOtlpHostname': 'p.example.org' }, /tunnel:zone is 'example\.org': the account has no such zone.*only example\.com/));

  it('a central stack that takes nothing in', () => refusedWith(edge, { 'edge:central': 'edge' }, /edge:central is 'edge': that stack publishes no receiver/));

  it('a stack that is not there', () => refusedWith(edge, { 'edge:central': 'nowhere' }, /edge:central is 'nowhere': its outputs cannot be read: unknown stack/));
});

describe('a stack at the edge that is deployed by somebody else', () => {
  it('needs the file of an invitation, and no state of the central one', async () => {
    await cloudflare.leave('observability-edge');
    expect((await edge.command('down', ['--purge', '--yes'])).code).toBe(0);
    edge = await Checkout.clone('edge');
    const file = path.join(edge.dir, 'edge.access.json');
    const { code, stderr } = await central.command('invite', ['--file', file]);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const typed = edge.in({ prefix: ['sh', '-c', `exec "$@" < '${file}'`, 'sh'] });
    expect((await typed.pulumi('config', 'set', '--secret', 'edge:access')).code).toBe(0);

    const [{ traceId }] = await Promise.all([edge.up({ 'edge:central': 'central', ...portsOf(5317), ...(await trustingImages()) }), reachable('edge')]);
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(await edge.verify()).toMatchObject({ ok: true });
    expect(await edge.plannedSteps()).toEqual([]);
    const everything = (await edge.pulumi('stack', 'export', '--show-secrets')).stdout;
    expect(everything).toContain((await central.outputs()).remoteAccess['edge']?.clientSecret);
    expect(everything).not.toContain(deployed.adminSecret);
    expect(fs.readFileSync(path.join(edge.dir, 'Pulumi.edge.yaml'), 'utf8')).not.toMatch(/clientSecret|otlp\.example/);
  });
});

describe('destroyed', () => {
  it('it leaves no tunnel, no record and nothing of Access', async () => {
    for (const one of [bare, edge, central]) {
      const down = one.command('down', ['--purge', '--yes']);
      if (one === central) {
        // A tunnel that is held open cannot be deleted: that the connectors go first is what is seen here.
        await until('the end of the connectors', async () => ((await cloudflare.account()).tunnels[0]?.connections ?? 0) === 0);
      }
      await cloudflare.leave(`observability-${one.stack}`);
      const { code, stdout, stderr } = await down;
      expect({ stack: one.stack, code, said: code === 0 ? '' : stdout + stderr }).toEqual({ stack: one.stack, code: 0, said: '' });
    }
    expect(await cloudflare.account()).toMatchObject({ tunnels: [], records: [], applications: [], policies: [], serviceTokens: [] });
  });
});
