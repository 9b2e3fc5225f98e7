/**
 * Environments on real parts: three stacks on one host, and what the pages of `npm run preview` say of five changes.
 * The tests build on each other, in this order.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { chooseEngine } from '../../engine';
import { asMarkdown, asText, type Page } from '../../ops/support/preview/page';
import { picture } from '../../ops/support/preview/picture';
import { expectGolden } from '../support/golden';
import { Checkout, docker } from './checkout';
import { above } from './offsets';
import * as usualPorts from './usual-ports';
import { expectNowhere, secretsOf } from './secrecy';

let first: Checkout;
let second: Checkout;
let third: Checkout;

/** On loopback alone: the gateway of Docker's bridge, which is there by default, is another one on another machine. */
const here = { 'alloy:bind': '127.0.0.1' };

/** Another way to the engine of the machine, for one stack; it can be taken away. */
const socket = (): string => path.join(path.dirname(first.dir), 'docker.sock');

beforeAll(async () => {
  await usualPorts.take();
  first = await Checkout.clone('first');
  second = await first.beside('second');
  third = await first.beside('third');
  await first.up(here);
}, usualPorts.patienceMs);

afterAll(async () => {
  for (const one of [first, second, third]) {
    await one.up({ 'data:protect': 'false' }).catch(() => undefined);
    await one.command('down', ['--purge', '--yes']);
  }
  usualPorts.giveBack();
  fs.rmSync(path.dirname(first.dir), { recursive: true, force: true });
});

/** The page of a preview. @throws Error when the command fails in another way than by a refused page */
async function page(stack: Checkout, format: string, ...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await stack.command('preview', [...args, ...(format ? [format] : [])]);
  if (stdout === '') {
    throw new Error(stderr);
  }
  return { code, text: stdout };
}

/** What the containers of a stack are and since when they run. */
async function running(stack: Checkout): Promise<string> {
  const ids = (await docker('ps', '--all', '--quiet', '--no-trunc', '--filter', `label=llm-observability.stack=llm-observability/${stack.stack}`)).split('\n').sort();
  return docker('inspect', '--format', '{{.Id}} {{.State.Status}} {{.State.StartedAt}} {{.RestartCount}}', ...ids);
}

const settings = (config: Readonly<Record<string, string>>): string[] => Object.entries(config).flatMap(([key, value]) => ['-c', `${key}=${value}`]);

describe('three stacks on one host', () => {
  it('a second one is refused at the preview, by the names of what is in its way, with one command', async () => {
    const { code, text } = await page(second, '--json', ...settings(here));
    const [{ outcome, reason }] = JSON.parse(text) as [Page];
    expect({ code, outcome }).toEqual({ code: 1, outcome: 'refused' });
    expect(reason).toMatch(/alloy:otlpGrpcPort is '4317': container alloy-first of stack llm-observability\/first holds that port/);
    expect([...new Set(reason.match(/config set .*/g))]).toEqual(['config set ports:offset 100 --stack second']);
  });

  it('with other ports, one of them with auth, each is verified', async () => {
    const { engine } = chooseEngine({});
    fs.symlinkSync(engine.host.replace('unix://', ''), socket());
    await second.up({ ...here, ...above('second'), 'phoenix:auth': 'true', 'docker:host': `unix://${socket()}` });
    await third.up({ ...here, ...above('third') });
    for (const [stack, port] of [[first, 4318], [second, 4418], [third, 4518]] as const) {
      expect(await stack.verify()).toMatchObject({ ok: true });
      expect((await stack.outputs()).endpoints.otlpHttp).toBe(`http://127.0.0.1:${port}`);
    }
  });

  it('the preview of all of them says that nothing changes', async () => {
    const { code, stdout } = await first.command('preview', ['--stack', 'second', '--stack', 'third']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'first: nothing changes\n\nsecond: nothing changes\n\nthird: nothing changes\n' });
  });

  it('one is destroyed, the others are untouched', async () => {
    const before = [await running(first), await running(second)];
    expect(await third.command('down', ['--purge', '--yes'])).toMatchObject({ code: 0 });
    expect([await running(first), await running(second)]).toEqual(before);
    expect(await docker('ps', '--all', '--quiet', '--filter', 'label=llm-observability.stack=llm-observability/third')).toBe('');
    expect(await docker('volume', 'ls', '--quiet', '--filter', 'label=llm-observability.stack=llm-observability/third')).toBe('');
    expect([await first.verify(), await second.verify()]).toMatchObject([{ ok: true }, { ok: true }]);
    expect(await first.plannedSteps()).toEqual([]);
  });
});

describe('a name that is taken', () => {
  afterAll(() => docker('rm', 'alloy-fourth'));

  it('is told at the preview, with whose it is', async () => {
    await docker('create', '--name', 'alloy-fourth', '--label', 'com.docker.compose.project=somebody', (await first.outputs()).images.gate.name);
    const { code, text } = await page(await first.beside('fourth'), '', ...settings({ ...here, ...above('fourth') }));
    expect(code).toBe(1);
    expect(text).toMatch(/container alloy-fourth of compose project somebody has a name that this stack needs/);
  });
});

describe('the page of a change', () => {
  /** Pages may hold none of these. */
  let secrets: string[];
  let unchanged: string[];
  beforeAll(async () => {
    secrets = await secretsOf(first);
    expect(secrets).toHaveLength(4);
    unchanged = await contents(first);
  });

  /** Holds the page in all its forms against the goldens, and the picture in docs/ against the page. */
  async function expectPage(name: string, expected: number, ...args: string[]): Promise<void> {
    const { code, text: json } = await page(first, '--json', ...args);
    expect(code).toBe(expected);
    const pages = JSON.parse(json) as Page[];
    const [text, markdown] = [`${asText(pages)}\n`, asMarkdown(pages)];
    expectNowhere(secrets, { text, markdown, json });
    expectGolden(`previews/${name}.txt`, text);
    expectGolden(`previews/${name}.md`, markdown);
    expectGolden(`previews/${name}.json`, json);
    expectGolden(`../../docs/previews/${name}.svg`, picture(text));
  }

  /** State and settings: no preview changes them. */
  async function contents(stack: Checkout): Promise<string[]> {
    const { stdout } = await stack.pulumi('stack', 'export');
    return [stdout, fs.readFileSync(path.join(stack.dir, `Pulumi.${stack.stack}.yaml`), 'utf8')];
  }

  it('one port', () => expectPage('port', 0, '-c', 'alloy:otlpHttpPort=5318'));

  it.each([['', 'txt'], ['--markdown', 'md']])('as a person asks for it: npm run preview %s', async (format, golden) => {
    const { code, text } = await page(first, format, '-c', 'alloy:otlpHttpPort=5318');
    expect(code).toBe(0);
    expectGolden(`previews/port.${golden}`, text);
  });

  it('a memory limit', () => expectPage('memory', 0, '-c', 'phoenix:memory=3GiB'));

  it('auth on', () => expectPage('auth', 0, '-c', 'phoenix:auth=true'));

  it('a resource renamed by mistake: its volume would go', async () => {
    const file = path.join(first.dir, 'components', 'phoenix.ts');
    const source = fs.readFileSync(file, 'utf8');
    const renamed = source.replace('`${name}-data`', '`${name}-store`').replace("hostName('phoenix', args.stack, 'data')", "hostName('phoenix', args.stack, 'store')");
    expect(renamed.match(/store['`]/g)).toHaveLength(2);
    fs.writeFileSync(file, renamed);
    try {
      await expectPage('renamed', 0);
      const [{ alerts }] = JSON.parse((await page(first, '--json')).text) as [Page];
      expect(alerts.join('\n')).toMatch(/Volume phoenix-first-data is removed from the stack/);
    } finally {
      fs.writeFileSync(file, source);
    }
  });

  it('Phoenix opened to the world without auth: refused', () => expectPage('open', 1, '-c', 'phoenix:bind=0.0.0.0'));

  it('and none of them has changed state or settings', async () => expect(await contents(first)).toEqual(unchanged));
});

describe('data that is precious', () => {
  it('is neither destroyed nor replaced', async () => {
    await second.up({ 'data:protect': 'true' });
    const purge = await second.command('down', ['--purge', '--yes']);
    expect(purge.code).toBe(1);
    expect(purge.stderr).toMatch(/The data of stack second is protected \(data:protect\): alloy-second-data, phoenix-second-data\. Nothing was removed\./);
    const destroy = await second.pulumi('destroy', '--yes');
    expect(destroy.code).not.toBe(0);
    expect(await second.verify()).toMatchObject({ ok: true });

    const file = path.join(second.dir, 'components', 'phoenix.ts');
    const source = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, source.replace("hostName('phoenix', args.stack, 'data')", "hostName('phoenix', args.stack, 'store')"));
    const { code, text } = await page(second, '').finally(() => fs.writeFileSync(file, source));
    expect(code).toBe(1);
    expect(text).toMatch(/second: refused; nothing would be changed\n {2}phoenix-data is protected/);
  });
});

describe('another checkout', () => {
  it('does not delete data that is protected, though its state says nothing of it', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'llm-observability-'));
    const dir = path.join(folder, 'clone');
    // Its packages need no second copy on the disk.
    execFileSync('cp', ['-al', second.dir, dir]);
    fs.rmSync(path.join(dir, 'Pulumi.second.yaml'));
    const other = second.at(dir);
    expect(await other.pulumi('stack', 'init')).toMatchObject({ code: 0 });
    const purge = await other.command('down', ['--purge', '--yes']);
    expect([purge.code, purge.stderr]).toEqual([1, expect.stringMatching(/The data of stack second is protected \(data:protect\): alloy-second-data, phoenix-second-data\. Nothing was removed\./)]);
    expect(await second.verify()).toMatchObject({ ok: true });
    fs.rmSync(folder, { recursive: true, force: true });
  });
});

describe('what cannot be known', () => {
  it('without the state, its secrets, the account and the host: the page is there and says so', async () => {
    await second.pulumi('config', 'set', '--secret', 'phoenix:adminPassword', 'chosen-password-1');
    const bare = await Checkout.clone('second');
    fs.copyFileSync(path.join(second.dir, 'Pulumi.second.yaml'), path.join(bare.dir, 'Pulumi.second.yaml'));
    const published = { 'tunnel:hostname': 'phoenix.example.com', 'cloudflare:accountId': 'a'.repeat(32) };
    const { DOCKER_HOST, CLOUDFLARE_API_TOKEN } = process.env;
    Object.assign(process.env, { DOCKER_HOST: 'unix:///nowhere/docker.sock', CLOUDFLARE_API_TOKEN: '' });
    try {
      const { code, text } = await page(bare, '--json', '--offline', ...settings(published));
      const [{ outcome, counts, unknown, reason }] = JSON.parse(text) as [Page];
      expect({ code, outcome, reason }).toEqual({ code: 0, outcome: 'previewed', reason: '' });
      expect(counts).toMatchObject({ remove: 0, replace: 0, change: 0, same: 0 });
      expect(unknown).toEqual([
        'what stack second has already deployed (its state was not read): everything shows as new',
        'the values of phoenix:adminPassword (secrets)',
        'whether the Cloudflare account has what the tunnel needs (no API token)',
        'whether the ports are free there (the Docker host was not asked)',
      ]);
      expect(fs.existsSync(bare.state)).toBe(false);
    } finally {
      delete process.env['DOCKER_HOST'];
      delete process.env['CLOUDFLARE_API_TOKEN'];
      Object.assign(process.env, { ...(DOCKER_HOST === undefined ? {} : { DOCKER_HOST }), ...(CLOUDFLARE_API_TOKEN === undefined ? {} : { CLOUDFLARE_API_TOKEN }) });
      fs.rmSync(path.dirname(bare.dir), { recursive: true, force: true });
      await second.pulumi('config', 'rm', 'phoenix:adminPassword');
    }
  });

  it('a host over SSH that cannot be reached', async () => {
    const { code, text } = await page(await first.beside('fifth'), '', ...settings({ 'docker:host': 'ssh://nobody@127.0.0.1:1' }));
    expect(code).toBe(0);
    expect(text).toMatch(/fifth: \d+ to create; nothing is deployed yet/);
    expect(text).toMatch(/Not known: whether the ports are free there \(the Docker Engine at ssh:\/\/nobody@127\.0\.0\.1:1 \(docker:host\) does not answer/);
  });
});

describe('a stack file with keys that are wrong', () => {
  it('all of them at once: one that is none, one that stands empty, one of another environment', async () => {
    const edge = await first.beside('sixth');
    fs.writeFileSync(path.join(edge.dir, 'Pulumi.sixth.yaml'), 'config:\n  edge:central: first\n  edge:sentTo: phoenix\n  phoenix:auth: "true"\n  prometheus:url: ""\n  ports:offset: "60000"\n');
    const { code, text } = await page(edge, '');
    expect(code).toBe(1);
    expect(text).toMatch(/edge:sentTo: unknown setting; the nearest is edge:sendTo/);
    expect(text).toMatch(/phoenix:auth: this stack sends to a central stack \(edge:central\)/);
    expect(text).toMatch(/prometheus:url: it is empty in the stack file/);
    expect(text).toMatch(/ports:offset is '60000'/);
    expect(text).toMatch(/edge:sendTo is 'alloy': the stack first does not publish that/);
  });
});

describe('an engine that is gone for good', () => {
  const labelled = ['--filter', 'label=llm-observability.stack=llm-observability/second'];
  const kinds = [['container', ['--all', '--quiet'], ['--force']], ['network', ['--quiet'], []], ['volume', ['--quiet'], []]] as const;
  const there = async (kind: string, flags: readonly string[]): Promise<string[]> => (await docker(kind, 'ls', ...flags, ...labelled)).split('\n').filter(Boolean);

  afterAll(async () => {
    for (const [kind, flags, force] of kinds) {
      const found = await there(kind, flags);
      await (found.length > 0 ? docker(kind, 'rm', ...force, ...found) : undefined);
    }
    await docker('volume', 'rm', '--force', 'protected-second');
  });

  it('leaves a way out: the stack is forgotten, with protected data, and nothing on the engine is touched', async () => {
    const before = await running(second);
    fs.unlinkSync(socket());
    const down = await second.command('down', ['--yes']);
    expect([down.code, down.stderr]).toEqual([1, expect.stringMatching(/does not answer: .*Nothing was removed\.\n(?: {4}.*\n)* {4}npm run down -- --stack second --forget {3}# if that engine no longer exists/)]);
    expect(await second.command('down', ['--forget', '--yes'])).toMatchObject({ code: 0, stderr: expect.stringMatching(/Stack second is removed from the state; its settings stay\./) });
    expect((await second.pulumi('stack', 'export')).stderr).toMatch(/no stack named 'second' found/);
    expect(await running(second)).toBe(before);
  });
});
