import * as fs from 'node:fs';
import * as path from 'node:path';
import { pulumiVersion } from '../../components/catalog';
import { providerVersion } from '../../ops/support/plugins';
import { tempDir } from '../support/temp';
import { downloadSite, standIn, type DownloadSite, type Fault } from '../support/way-in/site';
import { connectProxy, type Proxy } from '../support/way-in/proxy';
import { emptyMachine, type Machine } from '../support/way-in/machine';

// Each test starts processes that download, some of them twice.
jest.setTimeout(120_000);

const { pinned } = pulumiVersion;
const installer = /^get\.pulumi\.com\/install\.sh$/;
const archive = /pulumi-v[\d.]+-\w+-\w+\.tar\.gz$/;
const plugin = /pulumi-resource-\w+-v/;

let site: DownloadSite;
let proxy: Proxy;
let machine: Machine;
beforeAll(async () => {
  site = await downloadSite();
});
beforeEach(async () => {
  proxy = await connectProxy(site.port);
  machine = emptyMachine({ proxy: proxy.url, authority: site.authority.file });
  Object.assign(site, { faults: [], onRequest: undefined });
  site.asked.length = 0;
});
const faulty = (...faults: (readonly [RegExp, Fault])[]): void => void Object.assign(site, { faults });

/** Nothing was built, nothing lies about, and there is one message with what helps. */
async function fails(words: RegExp, help: RegExp): Promise<void> {
  const { code, message, commands, out } = await machine.walk();
  expect(message).toMatch(words);
  expect(commands.join('\n')).toMatch(help);
  expect({ code, out }).toEqual({ code: 1, out: { lab: 0 } });
  expect(machine.downloaded()).toEqual([]);
}

describe('from an empty home', () => {
  test('through a proxy, with an authority of its own: the CLI and the plugins of every stack are downloaded and used', async () => {
    const tmp = tempDir();
    machine.env['TMPDIR'] = tmp;
    const { code, out, said } = await machine.walk();
    expect({ code, said }).toEqual({
      code: 0,
      said: expect.arrayContaining([
        `Pulumi: no CLI on PATH; downloading ${pinned} from https://get.pulumi.com`,
        `Plugin docker ${providerVersion('docker')}: downloading`,
        `Plugin docker ${providerVersion('docker')}: installed`,
        `Plugin random ${providerVersion('random')}: installed`,
      ]),
    });
    expect(out).toEqual({
      lab: 0,
      toolchain: {
        pulumi: machine.pinned,
        env: { PULUMI_SKIP_UPDATE_CHECK: 'true', PULUMI_HOME: machine.pinned.replace(/\/versions\/.*/, ''), PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true', LLM_OBSERVABILITY_PULUMI: 'npm run pulumi --' },
      },
    });
    expect(machine.downloaded()).toEqual([
      `plugins/resource-docker-v${providerVersion('docker')}`, `plugins/resource-random-v${providerVersion('random')}`, `versions/${pinned}`,
    ]);
    expect(fs.existsSync(path.join(path.dirname(machine.pinned), 'pulumi-language-nodejs'))).toBe(true);
    // All of it went through the proxy, and of nothing but these was anything asked.
    expect(new Set(proxy.asked)).toEqual(new Set(['get.pulumi.com:443', 'github.com:443', 'release-assets.githubusercontent.com:443']));
    expect(site.asked.filter((what) => /cloudflare/.test(what))).toEqual([]);
    expect(fs.readdirSync(tmp).filter((name) => !name.startsWith('tsx-') && !name.startsWith('node-compile-cache'))).toEqual([]);
    // The second run asks nobody.
    site.asked.length = 0;
    expect(await machine.walk()).toMatchObject({ code: 0, said: [], out: { toolchain: { pulumi: machine.pinned } } });
    expect(site.asked).toEqual([]);
  });

  test('without a proxy, with what a configuration of curl says', async () => {
    machine.direct(site.port);
    // Not the CLI's to download: what is in the place of a network here leads Node and curl.
    machine.plugins('docker', 'random');
    expect(await machine.walk()).toMatchObject({ code: 0, out: { lab: 0, toolchain: { pulumi: machine.pinned } } });
    expect(proxy.asked).toEqual([]);
  });

  test('of a command only its result comes on stdout, whatever the installer says there', async () => {
    // A backend is named, so that none is made in this checkout.
    machine.env['PULUMI_BACKEND_URL'] = 'file:///nowhere';
    expect(await machine.node(['ops/run.mjs', 'pulumi', 'version']).ended).toMatchObject({ code: 0, stdout: `v${pinned}\n` });
    expect(machine.downloaded()).toContain(`versions/${pinned}`);
  });

  test('GitHub says nothing: the installer comes to its other site', async () => {
    faulty([/^github\.com.*tar\.gz/, { silent: true }]);
    machine.needs = { silenceMs: 10_000 };
    machine.plugins('docker', 'random');
    expect(await machine.walk()).toMatchObject({ code: 0, out: { toolchain: { pulumi: machine.pinned } } });
    expect(site.asked.filter((what) => archive.test(what)).map((what) => what.split('/')[0])).toEqual(['github.com', 'get.pulumi.com']);
  });

  test('two at once: both have the CLI, and nothing of a third one lies about', async () => {
    const runs = await Promise.all([machine.walk(), machine.walk()]);
    expect(runs).toEqual([0, 1].map(() => expect.objectContaining({ code: 0, out: expect.objectContaining({ toolchain: expect.objectContaining({ pulumi: machine.pinned }) }) })));
    expect(machine.downloaded()).toHaveLength(3);
  });

  test('one that was killed in the middle leaves nothing that the next one takes for a CLI', async () => {
    faulty([archive, { silent: true }]);
    const killed = machine.start();
    site.onRequest = (what) => archive.test(what) && killed.kill('SIGKILL');
    await killed.ended;
    expect(machine.downloaded()).toEqual([expect.stringMatching(/^versions\/\.download-/)]);
    // The installer itself, run by somebody, may have been killed while it copied.
    fs.mkdirSync(path.dirname(machine.pinned), { recursive: true });
    fs.writeFileSync(machine.pinned, '#!/bin/sh\n', { mode: 0o755 });
    faulty();
    expect(await machine.walk()).toMatchObject({ code: 0, out: { toolchain: { pulumi: machine.pinned } } });
    expect(machine.downloaded()).toHaveLength(3);
  });

  test('stopped: it ends by the signal and takes its half with it', async () => {
    faulty([archive, { silent: true }]);
    const run = machine.start();
    site.onRequest = (what) => archive.test(what) && run.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ signal: 'SIGTERM' });
    expect(machine.downloaded()).toEqual([]);
  });
});

describe('a site that does not answer as it should is named, with what it answers; nothing is built', () => {
  // What else a site may answer is in ops/reach.
  test.each<[string, Fault, RegExp, RegExp]>([
    ['429', { status: 429, headers: { 'Retry-After': '120' } }, /it answers 429 Too Many Requests, Retry-After: 120\./, /export PATH=/],
    ['silence', { silent: true }, /did not answer within 1 s/, /export PATH=/],
    ['the page of a captive portal', { page: '<html>Please sign in</html>' }, /it answers 200 OK with a different page than expected/, /export PATH=/],
  ])('%s in the place of the installer', async (_, fault, words, help) => {
    faulty([installer, fault]);
    machine.needs = { silenceMs: fault.silent ? 1_000 : 30_000 };
    await fails(words, help);
  });

  test.each<[string, Fault, RegExp, RegExp]>([
    ['429', { status: 429 }, /curl: \(22\).*429/, /export GITHUB_TOKEN=/],
    ['silence', { silent: true }, /curl: \(28\) Operation too slow/, /export PATH=/],
    ['half of it', { half: true }, /curl: \(18\) transfer closed with \d+ bytes remaining/, /export PATH=/],
    ['a page', { page: '<html>Please sign in</html>' }, /gzip: stdin: not in gzip format/, /export PATH=/],
  ])('%s in the place of the archive', async (_, fault, words, help) => {
    faulty([archive, fault]);
    machine.needs = { silenceMs: fault.silent ? 1_000 : 30_000 };
    await fails(words, help);
  });

  test('an archive with another version', async () => {
    faulty([archive, { file: machine.archiveOf(standIn.replace(`echo v${pinned}`, 'echo v3.258.0')) }]);
    // The SDK itself refuses what is older.
    await fails(/3\.258\.0/, /export PATH=/);
  });

  test('an authority that nobody here knows', async () => {
    machine.env['NODE_EXTRA_CA_CERTS'] = undefined;
    await fails(/unable to verify the first certificate|UNABLE_TO_VERIFY_LEAF_SIGNATURE/, /export NODE_EXTRA_CA_CERTS=/);
  });

  test('it may be known by the variable that curl and Go look at', async () => {
    Object.assign(machine.env, { NODE_EXTRA_CA_CERTS: undefined, SSL_CERT_FILE: site.authority.file });
    expect(await machine.walk()).toMatchObject({ code: 0, out: { lab: 0 } });
  });

  test('a proxy that wants a password: the password that it is given is not shown', async () => {
    proxy.login = 'user:right';
    machine.env['HTTPS_PROXY'] = proxy.url.replace('//', '//user:wrong@');
    const run = await machine.walk();
    expect(run.message).toMatch(/the proxy 127\.0\.0\.1:\d+ \(HTTPS_PROXY\) answers 407 Proxy Authentication Required/);
    expect(run.commands[0]).toMatch(/^export HTTPS_PROXY=http:\/\/USER:PASSWORD@HOST:PORT/);
    expect(run.stderr + run.stdout).not.toMatch(/wrong/);
    machine.env['HTTPS_PROXY'] = proxy.url.replace('//', '//user:right@');
    expect(await machine.walk()).toMatchObject({ code: 0 });
  });

  test('a proxy that is not there', async () => {
    machine.env['HTTPS_PROXY'] = 'http://127.0.0.1:9';
    await fails(/the proxy 127\.0\.0\.1:9 \(HTTPS_PROXY\): the connection is refused \(ECONNREFUSED\)/, /unset HTTPS_PROXY/);
  });

  test.each<[string, Fault, RegExp, RegExp]>([
    ['429', { status: 429 }, /429 HTTP error/, /export GITHUB_TOKEN=/],
    ['404', { status: 404 }, /404 HTTP error/, /--file/],
    ['silence', { silent: true }, /no data for 4 s/, /--file/],
    ['half of it', { half: true }, /unexpected EOF/, /--file/],
  ])('%s in the place of a plugin: the CLI is there, the plugin is not', async (_, fault, words, help) => {
    machine.install(standIn);
    faulty([plugin, fault]);
    machine.needs = { silenceMs: fault.silent ? 1_000 : 30_000 };
    const { code, message, commands, out } = await machine.walk();
    expect(message).toMatch(words);
    expect(message).toContain(`Plugin docker ${providerVersion('docker')} was not installed`);
    expect(commands.join('\n')).toMatch(help);
    expect({ code, out }).toEqual({ code: 1, out: { lab: 0 } });
    if (fault.half) {
      // Whatever is left of one that broke off says of itself that it is no plugin: the next run installs it.
      faulty();
      expect(await machine.walk()).toMatchObject({ code: 0, out: { lab: 0 } });
    }
  });
});

describe('a site that cannot be reached at all', () => {
  const plan = /Nothing is built by this command/;

  test('a name that nobody knows', async () => {
    machine.direct('unknown');
    const { code, said, message, out } = await machine.walk();
    expect(said).toContain('Pulumi: no CLI on PATH; and https://get.pulumi.com cannot be reached: its name is not known here (ENOTFOUND)');
    expect(message).toMatch(plan);
    expect({ code, out: out.toolchain }).toEqual({ code: 1, out: undefined });
  });

  test('a connection that is refused', async () => {
    machine.direct(9);
    const { said, message } = await machine.walk();
    expect(said).toContain('Pulumi: no CLI on PATH; and https://get.pulumi.com cannot be reached: the connection is refused (ECONNREFUSED)');
    expect(message).toMatch(plan);
  });

  test('a proxy that forbids it', async () => {
    proxy.refusal = 403;
    const { said, message } = await machine.walk();
    expect(said.join('\n')).toMatch(/https:\/\/get\.pulumi\.com cannot be reached: the proxy 127\.0\.0\.1:\d+ \(HTTPS_PROXY\) answers 403 Forbidden/);
    expect(message).toMatch(plan);
  });

  test('a filter that forbids it', async () => {
    faulty([installer, { status: 403 }]);
    expect((await machine.walk()).message).toMatch(plan);
  });

  test('a blip is none', async () => {
    faulty([installer, { status: 403 }]);
    machine.needs = { againMs: 1 };
    site.onRequest = (what) => installer.test(what) && site.asked.filter((each) => installer.test(each)).length === 2 && faulty();
    expect(await machine.walk()).toMatchObject({ code: 0, out: { toolchain: { pulumi: machine.pinned } } });
  });
});

describe('the machine', () => {
  test.each(['curl', 'tar'])('has no %s: the installer says so', async (program) => {
    machine.without(program);
    await fails(new RegExp(`\\n {2}${program}: not found$`), /apt-get install curl tar/);
  });

  test('has a home that may not be written to', async () => {
    machine.lockHome();
    await fails(/was not installed in .*\/\.pulumi/, /export PULUMI_HOME=/);
    machine.env['PULUMI_HOME'] = machine.writable();
    expect(await machine.walk()).toMatchObject({ code: 0 });
  });

  test('has a file where the plugins go', async () => {
    machine.install(standIn);
    fs.mkdirSync(path.dirname(machine.plugins()), { recursive: true });
    fs.writeFileSync(machine.plugins(), '');
    expect(await machine.walk()).toMatchObject({ code: 1, message: expect.stringContaining('creating plugin root'), commands: [expect.stringContaining('export PULUMI_HOME='), expect.anything()] });
  });

  test('has no room left', async () => {
    machine.replace('tar', 'echo "tar: pulumi/pulumi: Wrote only 512 of 10240 bytes" >&2\necho "tar: pulumi/pulumi: Cannot write: No space left on device" >&2\nexit 2');
    await fails(/No space left on device/, /df -h .*\n.*export PULUMI_HOME=/);
  });
});

describe('a CLI on PATH', () => {
  test.each<[string, string, RegExp]>([
    ['too old', '#!/bin/sh\necho v3.199.9\n', /is Pulumi 3\.199\.9, and 3\.200\.0 is the oldest/],
    ['no CLI', '#!/bin/sh\nexec /nowhere/pulumi "$@"\n', /prints no version/],
  ])('that is %s is passed over, in one line that names it and what is used in its place', async (_, script, words) => {
    const file = machine.install(script);
    const { code, said, out } = await machine.walk();
    expect({ code, out }).toMatchObject({ code: 0, out: { toolchain: { pulumi: machine.pinned } } });
    expect(said.filter((line) => line.includes(file))).toEqual([expect.stringMatching(new RegExp(`${words.source}.*; downloading ${pinned.replace(/\./g, '\\.')}`))]);
  });

  test('that is good is used, and nobody is asked for one', async () => {
    const file = machine.install(standIn);
    machine.plugins('docker', 'random');
    expect(await machine.walk()).toMatchObject({ code: 0, said: [], out: { lab: 0, toolchain: { pulumi: file } } });
    expect(site.asked).toEqual([]);
  });
});

test('only where the stack has a tunnel is the plugin for it downloaded', async () => {
  machine.install(standIn);
  machine.needs = { plugins: ['docker', 'random', 'cloudflare'] };
  expect(await machine.walk()).toMatchObject({ code: 0 });
  expect(machine.downloaded()).toContain(`plugins/resource-cloudflare-v${providerVersion('cloudflare')}`);
});

test('a folder of plugins that the CLI is told of is its own to reach', async () => {
  machine.install(standIn);
  faulty([/^github\.com\/pulumi$/, { status: 503 }], [installer, { status: 503 }]);
  machine.env['PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES'] = '^.*=https://mirror.example/plugins';
  expect(await machine.walk()).toMatchObject({ code: 0 });
});
