/**
 * `npm run adopt` on real parts: from docker-compose with 1,000 traces in it to a stack that holds them all, while
 * applications send. The tests build on each other, in this order.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { hostName } from '../../components/names';
import { claimLabel, Seed, telemetrygen } from '../../lab';
import { usedImages } from './images';
import { Checkout, docker, storedSpans, until, type Ended } from './checkout';
import { finished, underLoad } from './load';
import * as usualPorts from './usual-ports';

const stack = 'adopter';
const phoenixUi = 'http://127.0.0.1:6006';
const load = { spansPerSecond: 50 };
const old = { project: 'before', traces: 1_000 };
const [byHand, label] = ['phoenix-by-hand', 'llm-observability.test=adopt'];
let checkout: Checkout;
let seed: Seed;
let names: { phoenix: string; alloy: string };

beforeAll(async () => {
  await usualPorts.take();
  checkout = await Checkout.clone(stack);
  const { phoenix, alloy } = await usedImages();
  seed = await Seed.make({
    images: { phoenix, alloy },
    ports: { phoenixUi: 6006, phoenixOtlpGrpc: 14317, phoenixOtlpHttp: 14318, otlpGrpc: 4317, otlpHttp: 4318, alloyUi: 12345 },
  });
  await seed.compose('up', '-d');
  names = { phoenix: await seed.container('phoenix'), alloy: await seed.container('alloy') };
  await answering();
  const { code, output } = await finished(await telemetrygen(), [
    'traces', '--otlp-insecure', '--otlp-endpoint', '127.0.0.1:4317', '--traces', String(old.traces), '--child-spans', '1', '--rate', '0',
    '--otlp-attributes', `openinference.project.name="${old.project}"`,
  ]);
  expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  await until('1,000 traces in the old Phoenix', async () => (await traces(old.project)) === old.traces);
}, usualPorts.patienceMs);

afterAll(async () => {
  const { code, stderr } = await checkout.command('down', ['--purge', '--yes']);
  await docker('rm', '--force', byHand);
  await seed.remove();
  usualPorts.giveBack();
  fs.rmSync(path.dirname(checkout.dir), { recursive: true, force: true });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
});

/** Docker's proxy takes a connection before anybody is behind it, and fetch may then wait for ever. */
const isOk = async (url: string): Promise<boolean> => (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
const answering = (): Promise<unknown> => until('the old services', async () => (await isOk(phoenixUi)) && (await isOk('http://127.0.0.1:12345/-/ready')));

async function traces(project: string): Promise<number> {
  const query = '{ projects(first: 1000) { edges { node { name traceCount } } } }';
  const answer = await fetch(`${phoenixUi}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) });
  const { data } = (await answer.json()) as { data: { projects: { edges: { node: { name: string; traceCount: number } }[] } } };
  return data.projects.edges.find(({ node }) => node.name === project)?.node.traceCount ?? 0;
}

/** Containers with their state, volumes and networks of the old services and of the stack. */
async function everything(): Promise<string[]> {
  const all = await Promise.all([
    docker('ps', '--all', '--no-trunc', '--format', '{{.ID}} {{.Names}} {{.State}}'),
    docker('volume', 'ls', '--quiet'),
    docker('network', 'ls', '--format', '{{.Name}}'),
  ]);
  return all.flatMap((list) => list.split('\n')).filter((line) => /seed-|adopter|by-hand/.test(line));
}

const record = (phase: string): Promise<boolean> => docker('volume', 'inspect', hostName('adoption', stack, phase)).then(() => true, () => false);

/** All of the old data, all of the load, and a stack that works; the old services stopped, with their data. */
async function expectAdopted(accepted: number, project: string): Promise<void> {
  expect(await traces(old.project)).toBe(old.traces);
  await until(`${accepted} spans of ${project}`, async () => (await storedSpans(phoenixUi, project)) >= accepted, 60_000).catch(() => undefined);
  expect(await storedSpans(phoenixUi, project)).toBe(accepted);
  // After a restart of the engine, too.
  expect(await docker('inspect', '--format', '{{.State.Status}} {{eq .HostConfig.RestartPolicy.Name "always"}} {{len .NetworkSettings.Networks}}', names.phoenix, names.alloy)).toBe('exited false 1\nexited false 1');
  const volume = await docker('inspect', '--format', '{{range .Mounts}}{{.Name}}{{end}}', names.phoenix);
  expect((await docker('volume', 'ls', '--quiet')).split('\n')).toContain(volume);
  expect(await checkout.verify()).toMatchObject({ ok: true });
  expect(await checkout.plannedSteps()).toEqual([]);
  expect(await docker('ps', '--all', '--quiet', '--filter', 'name=-next')).toBe('');
}

it('a stack beside it is refused at the preview, with the command that takes over', async () => {
  const { code, stdout } = await checkout.command('preview');
  expect(code).toBe(1);
  expect(stdout).toMatch(/alloy:otlpGrpcPort is '4317': container \S+ of compose project \S+ holds that port[^]*npm run adopt -- --stack adopter/);
});

describe('a set-up of which half is gone', () => {
  async function expectRefused(message: RegExp): Promise<void> {
    const before = await everything();
    const { code, stderr } = await checkout.command('adopt', ['--yes']);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(await everything()).toEqual(before);
  }

  it('its Phoenix is stopped: refused, with the command', async () => {
    await docker('stop', names.phoenix);
    await expectRefused(new RegExp(`Phoenix is '${names.phoenix}': it is exited[^]*docker start ${names.phoenix}`));
    await docker('start', names.phoenix);
  });

  it('its Alloy is removed: refused, with the command', async () => {
    await docker('rm', '--force', names.alloy);
    await expectRefused(/no container is the Alloy that belongs to [^]*up -d/);
    await seed.compose('up', '-d');
    await answering();
  });

  it('and nobody has said yes: refused, with the command', async () => {
    const before = await everything();
    const { code, stderr } = await checkout.command('adopt');
    expect(code).toBe(1);
    expect(stderr).toMatch(/1,000 traces \(2,000 spans\)[^]*Nothing was changed\.\n +npm run adopt -- --stack adopter --yes/);
    expect(await everything()).toEqual(before);
  });
});

describe('an adoption under load', () => {
  it('takes all of it over, and loses nothing', async () => {
    let ended: Ended | undefined;
    const accepted = await underLoad('during', async () => (ended = await checkout.command('adopt', ['--yes', '--json'])), load);
    expect(ended?.stderr).toMatch(/Stack adopter has taken over/);
    expect(JSON.parse(ended?.stdout ?? '')).toMatchObject({ stack, changed: true, gapMs: expect.any(Number), endpoints: { otlpGrpc: 'http://127.0.0.1:4317', phoenixUi } });
    await expectAdopted(accepted, 'during');
  });

  it('is complete: again it changes nothing', async () => {
    const before = await everything();
    const { code, stdout } = await checkout.command('adopt', ['--yes', '--json']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${JSON.stringify({ stack, changed: false })}\n` });
    expect(await everything()).toEqual(before);
  });

  it('the way back leads to the old services with the data of then', async () => {
    expect(await checkout.command('down', ['--purge', '--yes'])).toMatchObject({ code: 0 });
    await docker('start', names.phoenix, names.alloy);
    await answering();
    expect(await traces(old.project)).toBe(old.traces);
  });
});

describe('a Phoenix to which applications send themselves, as its own page has it', () => {
  it('is started by hand, on a database of another name that its URL names', async () => {
    const { phoenix } = await usedImages();
    const volume = await docker('inspect', '--format', '{{range .Mounts}}{{.Name}}{{end}}', names.phoenix);
    await docker('stop', names.alloy, names.phoenix);
    await docker('rm', names.alloy, names.phoenix);
    const rename = 'import os; [os.rename(n, n.replace("phoenix.db", "traces.sqlite")) for n in os.listdir(".") if n.startswith("phoenix.db")]';
    await docker('run', '--rm', '--user', '0:0', '--volume', `${volume}:/data`, '--workdir', '/data', '--entrypoint', 'python3', phoenix, '-c', rename);
    await claimLabel(label);
    await docker('run', '--detach', '--name', byHand, '--label', label, '--restart', 'always', '--user', '0:0', '--publish', '6006:6006', '--publish', '4317:4317',
      '--volume', `${volume}:/data`, '--env', 'PHOENIX_SQL_DATABASE_URL=sqlite:////data/traces.sqlite', '--env', 'PHOENIX_ENABLE_AUTH=False', phoenix);
    names = { phoenix: byHand, alloy: byHand };
    await until('Phoenix', () => isOk(phoenixUi));
    expect(await traces(old.project)).toBe(old.traces);
  });

  it('is not taken over from without a word, and the preview names that word', async () => {
    const { stderr } = await checkout.command('adopt', ['--yes']);
    expect(stderr).toContain(`npm run adopt -- --stack ${stack} --alloy ${byHand}   # if applications send to Phoenix itself`);
    expect((await checkout.command('preview')).stdout).toContain(`npm run adopt -- --stack ${stack} --alloy ${byHand}   # takes over from it, with its data`);
  });

  it('hands over under load, killed while the ports change hands, and loses nothing', async () => {
    let ended: Ended | undefined;
    const accepted = await underLoad('killed', async () => {
      const { child, ended: killed } = checkout.start('adopt', ['--alloy', byHand, '--yes']);
      const isStopped = async (): Promise<boolean> => (await docker('inspect', '--format', '{{.State.Running}}', byHand)) === 'false';
      await until('the old Phoenix to stop', async () => (await record('switching')) && isStopped(), 600_000);
      process.kill(-(child.pid ?? NaN), 'SIGKILL');
      await killed;
      ended = await checkout.command('adopt', ['--alloy', byHand, '--yes']);
    }, load);
    expect(ended?.stderr).toMatch(/Stack adopter has taken over/);
    await expectAdopted(accepted, 'killed');
  });
});

describe('a set-up with login', () => {
  const login = { secret: 'secret-of-before-0123456789-abcdef', adminSecret: 'admin-secret-of-before-0123456789' };
  const person = { email: 'ada@example.com', username: 'ada', password: 'password-of-ada' };
  let key: string;

  const post = (url: string, body: object, token?: string): Promise<Response> => fetch(`${phoenixUi}${url}`, {
    method: 'POST', headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) }, body: JSON.stringify(body), signal: AbortSignal.timeout(20_000),
  });
  const loggedIn = async (password: string): Promise<number> => (await post('/auth/login', { email: person.email, password })).status;

  it('has somebody who logs in, and an API key with which its Alloy sends', async () => {
    expect(await checkout.command('down', ['--purge', '--yes'])).toMatchObject({ code: 0 });
    await docker('rm', '--force', byHand);
    seed.write(login);
    await seed.compose('up', '-d');
    names = { phoenix: await seed.container('phoenix'), alloy: await seed.container('alloy') };
    await answering();
    const minted = await post('/v1/system/api_keys', { data: { name: 'sender', description: 'of before', expires_at: null } }, login.adminSecret);
    ({ data: { key } } = (await minted.json()) as { data: { key: string } });
    const query = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { __typename } }';
    const input = { ...person, role: 'MEMBER', sendWelcomeEmail: false, authMethod: 'LOCAL' };
    expect(await (await post('/graphql', { query, variables: { input } }, login.adminSecret)).json()).toMatchObject({ data: { createUser: {} } });
    seed.write({ ...login, key });
    await docker('restart', names.alloy);
    await answering();
  });

  it('is taken over under load, killed in its last deployment: nothing is lost, and everybody gets in as before', async () => {
    let said = '';
    const accepted = await underLoad('with login', async () => {
      const { child, ended: killed } = checkout.start('adopt', ['--yes']);
      await until('the copy of the data', () => record('copied'), 600_000);
      process.kill(-(child.pid ?? NaN), 'SIGKILL');
      const { code, stderr } = await checkout.command('adopt', ['--yes']);
      said = (await killed).stderr + stderr;
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    }, load);
    // With the key of before.
    await until(`${accepted} spans`, async () => (await storedSpans(phoenixUi, 'with login', key)) >= accepted, 60_000).catch(() => undefined);
    expect(await storedSpans(phoenixUi, 'with login', key)).toBe(accepted);
    expect([await loggedIn(person.password), await loggedIn('another')]).toEqual([204, 401]);
    expect((await fetch(`${phoenixUi}/v1/projects`)).status).toBe(401);
    expect(said).toMatch(/Login +its users with their passwords, and its API keys, as phoenix:auth, phoenix:secret, phoenix:adminSecret of the stack/);
    expect(await checkout.verify()).toMatchObject({ ok: true });
    expect(await checkout.plannedSteps()).toEqual([]);
    // No secret is anywhere where somebody may look.
    const shown = said + fs.readFileSync(path.join(checkout.dir, `Pulumi.${stack}.yaml`), 'utf8') + (await docker('inspect', ...['phoenix', 'alloy'].map((service) => hostName(service, stack)))) + (await docker('volume', 'inspect', hostName('adoption', stack, 'adopted')));
    expect([login.secret, login.adminSecret, key].filter((secret) => shown.includes(secret))).toEqual([]);
  });
});
