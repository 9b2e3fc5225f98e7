import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { pulumiVersion } from '../../components/catalog';
import { backendEnvironment } from '../../ops/support/backend';
import { downloadCli } from '../../ops/support/cli-download';
import { buildPlan, builtCli, standInsFor, type Lab } from '../../ops/support/lab';
import { downloadPlugin } from '../../ops/support/plugin-download';
import { missingPlugins, type Plugin } from '../../ops/support/plugins';
import { reach, type Reach } from '../../ops/support/reach';
import { Failure } from '../../ops/support/say';
import { findPulumi, findToolchain, surveyToolchain } from '../../ops/support/toolchain';
import { setEnvironment } from '../support/environment';
import { fakePulumi } from '../support/fake-pulumi';
import { listen } from '../support/said';
import { tempDir } from '../support/temp';

jest.mock('../../ops/support/backend', () => ({ projectDir: process.cwd(), backendEnvironment: jest.fn() }));
jest.mock('../../ops/support/reach', () => ({ patience: { silenceMs: 30_000, againMs: 2_000 }, reach: jest.fn() }));
jest.mock('../../ops/support/cli-download', () => ({ byHand: ['by hand'], downloadCli: jest.fn() }));
jest.mock('../../ops/support/plugin-download', () => ({ downloadPlugin: jest.fn() }));
jest.mock('../../ops/support/plugins', () => ({ ...jest.requireActual<object>('../../ops/support/plugins'), missingPlugins: jest.fn() }));
jest.mock('../../ops/support/lab', () => ({ buildPlan: jest.fn(), builtCli: jest.fn(), standInsFor: jest.fn(), told: (work: unknown) => work }));

const { pinned, oldest } = pulumiVersion;
const local = { PULUMI_BACKEND_URL: 'file:///state' };
const ours = { LLM_OBSERVABILITY_PULUMI: 'npm run pulumi --' };
const quiet = { PULUMI_SKIP_UPDATE_CHECK: 'true' };
const noneByItself = { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true' };

const answers: Reach = { kind: 'answers' };
const unreachable: Reach = { kind: 'unreachable', why: 'the connection is refused' };
const faulty: Reach = { kind: 'faulty', why: 'it answers 503', mend: [] };

const lab = { build: jest.fn(), pulumiCli: jest.fn() };
let home: string;
let said: string[];
beforeEach(() => {
  home = tempDir();
  said = listen();
  setEnvironment({ PULUMI_HOME: home, HOME: home, PATH: '/usr/bin:/bin', PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES: undefined });
  jest.mocked(backendEnvironment).mockReset().mockReturnValue(local);
  sites(unreachable);
  absent();
  jest.mocked(downloadCli).mockReset().mockResolvedValue('/downloaded/pulumi');
  jest.mocked(downloadPlugin).mockReset().mockResolvedValue();
  jest.mocked(builtCli).mockReset().mockResolvedValue(undefined);
  jest.mocked(standInsFor).mockReset().mockResolvedValue('/cache/stand-ins');
  jest.mocked(buildPlan).mockReset().mockResolvedValue(lab as unknown as Lab);
  lab.build.mockReset();
  lab.pulumiCli.mockReset().mockResolvedValue('/built/now/pulumi');
});

/** What each site answers, by how its URL begins; the first that fits. */
function sites(otherwise: Reach, ...known: [string, Reach][]): void {
  jest.mocked(reach).mockReset().mockImplementation(async (url) => known.find(([begin]) => url.startsWith(begin))?.[1] ?? otherwise);
}

function absent(...plugins: Plugin[]): void {
  jest.mocked(missingPlugins).mockReset().mockImplementation((_pulumi, names) => names.filter((name) => plugins.includes(name)));
}

/** A CLI of this version in a directory of its own, first on PATH. */
function install(version: string): string {
  const { file } = fakePulumi({ version: { stdout: `${version}\n` } });
  setEnvironment({ PATH: [path.dirname(file), process.env['PATH']].join(path.delimiter) });
  return file;
}

const downloaded = (): string => path.join(home, 'versions', pinned, 'bin', 'pulumi');
function download(version: string = pinned): void {
  fs.mkdirSync(path.dirname(downloaded()), { recursive: true });
  fs.writeFileSync(downloaded(), `#!/bin/sh\necho v${version}\n`, { mode: 0o755 });
}

describe('the CLI', () => {
  test('on PATH wins over everything, and is found in the order of PATH', async () => {
    install('v3.260.0');
    const first = install(`v${oldest}`);
    download();
    expect(await findPulumi()).toBe(first);
    expect([said, jest.mocked(reach).mock.calls]).toEqual([[], []]);
  });

  test.each(['v4.0.0-alpha.1', '3.1000.0', 'a word of the wrapper\nv3.260.0-dev.0'])('on PATH with version %j is taken', async (version) => {
    const file = install(version);
    expect(await findPulumi()).toBe(file);
  });

  test('on PATH that is too old is passed over: for another one there, or for the pinned one', async () => {
    const good = install('v3.260.0');
    const old = install('v3.199.9');
    expect(await findPulumi()).toBe(good);
    expect(said).toEqual([`Pulumi: ${old} is Pulumi 3.199.9, and ${oldest} is the oldest that is supported; using ${good}`]);
    setEnvironment({ PATH: path.dirname(old) + ':/bin' });
    download();
    expect(await findPulumi()).toBe(downloaded());
    expect(said.slice(1)).toEqual([expect.stringContaining(`; using ${downloaded()}`)]);
  });

  test("that a package of npm has is none", async () => {
    const wrapper = path.join(tempDir(), 'node_modules', '.bin');
    fs.mkdirSync(wrapper, { recursive: true });
    fs.copyFileSync(install('v3.259.0'), path.join(wrapper, 'pulumi'));
    setEnvironment({ PATH: `${wrapper}:/usr/bin:/bin` });
    download();
    expect(await findPulumi()).toBe(downloaded());
    expect(said).toEqual([]);
  });

  test('downloaded before, in the folder of PULUMI_HOME or in the one that the SDK knows', async () => {
    download();
    expect(await findPulumi()).toBe(downloaded());
    setEnvironment({ PULUMI_HOME: tempDir() });
    sites(answers);
    expect(await findPulumi()).toBe('/downloaded/pulumi');
    fs.renameSync(path.join(home, 'versions'), path.join(home, 'moved'));
    fs.mkdirSync(path.join(home, '.pulumi'));
    fs.renameSync(path.join(home, 'moved'), path.join(home, '.pulumi', 'versions'));
    expect(await findPulumi()).toBe(path.join(home, '.pulumi', 'versions', pinned, 'bin', 'pulumi'));
  });

  test.each(['', '3.258.0'])('downloaded before and broken (it prints %j) is none', async (version) => {
    download(version);
    sites(answers);
    expect(await findPulumi()).toBe('/downloaded/pulumi');
  });

  test('downloaded now wins over one that was built before: that has no language host', async () => {
    sites(answers);
    jest.mocked(builtCli).mockResolvedValue('/built/before/pulumi');
    expect(await findPulumi({ patience: { silenceMs: 5, againMs: 0 } })).toBe('/downloaded/pulumi');
    expect(jest.mocked(downloadCli).mock.calls).toEqual([['https://get.pulumi.com', 5]]);
    expect(said).toEqual([`Pulumi: no CLI on PATH; downloading ${pinned} from https://get.pulumi.com`]);
    expect(builtCli).not.toHaveBeenCalled();
  });

  test('a faulty site is named; nothing is built or taken for it', async () => {
    sites(faulty);
    jest.mocked(builtCli).mockResolvedValue('/built/before/pulumi');
    await expect(findPulumi()).rejects.toThrow(
      new Failure(`Pulumi ${pinned} cannot be downloaded from https://get.pulumi.com: it answers 503. Try again later.`, ['by hand']),
    );
    expect([builtCli, buildPlan, downloadCli].map((mock) => jest.mocked(mock).mock.calls.length)).toEqual([0, 0, 0]);
  });

  test('built before, where the site cannot be reached: without a word, and without a second look at the site', async () => {
    jest.mocked(builtCli).mockResolvedValue('/built/before/pulumi');
    expect(await findPulumi()).toBe('/built/before/pulumi');
    expect([said, jest.mocked(reach).mock.calls.length, jest.mocked(buildPlan).mock.calls]).toEqual([[], 1, []]);
  });

  test('built now, with all else that the run builds in one plan', async () => {
    const options = { env: { DOCKER_HOST: 'tcp://engine' } };
    const alsoBuilt = jest.fn(async () => ({ parts: ['phoenix', 'alloy'] as const, options }));
    expect(await findPulumi({ consent: 'yes', alsoBuilt })).toBe('/built/now/pulumi');
    expect(jest.mocked(buildPlan).mock.calls).toEqual([[['pulumi', 'phoenix', 'alloy'], 'yes', options]]);
    expect(lab.build.mock.calls).toEqual([[['pulumi', 'phoenix', 'alloy'], options]]);
    expect(said).toEqual(['Pulumi: no CLI on PATH; and https://get.pulumi.com cannot be reached: the connection is refused']);
  });

  test('nothing is built without a yes', async () => {
    jest.mocked(buildPlan).mockRejectedValue(new Failure('Nothing was built.'));
    await expect(findPulumi()).rejects.toThrow('Nothing was built.');
    expect([lab.build, lab.pulumiCli].map((mock) => mock.mock.calls)).toEqual([[], []]);
  });

  test('a site that is there again at a second look is downloaded from', async () => {
    jest.mocked(reach).mockReset().mockResolvedValueOnce(unreachable).mockResolvedValueOnce(answers);
    expect(await findPulumi()).toBe('/downloaded/pulumi');
    expect(jest.mocked(reach).mock.calls.map(([, , waits]) => waits?.againMs)).toEqual([0, 2_000]);
  });
});

describe('the toolchain', () => {
  test('of a person who has it all and is logged in: plugins are not looked for by the CLI', async () => {
    jest.mocked(backendEnvironment).mockReturnValue({});
    const pulumi = install('v3.259.0');
    expect(await findToolchain()).toEqual({ pulumi, env: { ...quiet, ...noneByItself } });
    expect(reach).not.toHaveBeenCalled();
  });

  test('with a backend of the checkout, or a CLI that is not on PATH, commands are given as `npm run pulumi`', async () => {
    const pulumi = install('v3.259.0');
    expect(await findToolchain()).toEqual({ pulumi, env: { ...quiet, ...noneByItself, ...local, ...ours } });
    setEnvironment({ PATH: '/usr/bin:/bin' });
    download();
    jest.mocked(backendEnvironment).mockReturnValue({});
    expect(await findToolchain()).toEqual({ pulumi: downloaded(), env: { ...quiet, ...noneByItself, ...ours } });
  });

  test('downloads the plugins that are used and missing, and no other', async () => {
    absent('random', 'cloudflare');
    sites(answers);
    download();
    expect((await findToolchain()).env).not.toHaveProperty('PATH');
    expect(jest.mocked(downloadPlugin).mock.calls).toEqual([[downloaded(), 'random', 'https://github.com/pulumi', 120_000]]);
    await findToolchain({}, { plugins: ['cloudflare'] });
    expect(jest.mocked(downloadPlugin).mock.calls[1]?.[1]).toBe('cloudflare');
    expect(standInsFor).not.toHaveBeenCalled();
  });

  test.each<[string, Reach, Reach, string]>([
    ['GitHub', unreachable, answers, 'https://get.pulumi.com'],
    ['GitHub, which answers badly', faulty, answers, 'https://get.pulumi.com'],
    ["Pulumi's own site", answers, unreachable, 'https://github.com/pulumi'],
  ])('needs one of its two sites: without %s', async (_, github, pulumi, site) => {
    absent('docker');
    sites(pulumi, ['https://github.com', github]);
    download();
    await findToolchain();
    expect(jest.mocked(downloadPlugin).mock.calls).toEqual([[downloaded(), 'docker', site, 120_000]]);
  });

  test.each<[Reach, Reach, string]>([
    [unreachable, faulty, 'https://get.pulumi.com'],
    [faulty, unreachable, 'https://github.com/pulumi'],
  ])('a faulty one is no reason for a stand-in', async (github, pulumi, site) => {
    absent('docker');
    sites(pulumi, ['https://github.com', github]);
    download();
    await expect(findToolchain()).rejects.toThrow(`Plugins docker cannot be downloaded from ${site}: it answers 503. Try again later.`);
    expect([standInsFor, downloadPlugin].map((mock) => jest.mocked(mock).mock.calls)).toEqual([[], []]);
  });

  test('where no site can be reached the stand-ins of all that is missing are put first on PATH, and said', async () => {
    absent('docker', 'random', 'cloudflare');
    download();
    expect(await findToolchain()).toEqual({ pulumi: downloaded(), env: { ...quiet, ...noneByItself, ...local, ...ours, PATH: '/cache/stand-ins:/usr/bin:/bin' } });
    expect(jest.mocked(standInsFor).mock.calls).toEqual([[['docker', 'random', 'cloudflare']]]);
    expect(said).toEqual(['Plugins docker, random, cloudflare: not installed, and https://get.pulumi.com cannot be reached: the connection is refused; using the stand-ins of lab/providers']);
  });

  test('a CLI without a language host gets one, also where the site answers: no site has it', async () => {
    absent('nodejs', 'pulumi-nodejs', 'docker');
    jest.mocked(builtCli).mockResolvedValue('/built/before/pulumi');
    jest.mocked(reach).mockReset().mockResolvedValueOnce(unreachable).mockResolvedValue(answers);
    expect((await findToolchain()).env).toMatchObject({ PATH: '/cache/stand-ins:/usr/bin:/bin' });
    expect(jest.mocked(standInsFor).mock.calls).toEqual([[['nodejs', 'pulumi-nodejs']]]);
    expect(jest.mocked(downloadPlugin).mock.calls.map(([, name]) => name)).toEqual(['docker']);
    // Who has built a CLI here need not wait for a network to come back.
    expect(jest.mocked(reach).mock.calls.map(([, , waits]) => waits?.againMs)).toEqual([0, 0]);
  });

  test('a mirror of plugins is the business of the CLI', async () => {
    setEnvironment({ PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES: '^.*=https://mirror.example' });
    absent('docker');
    download();
    await findToolchain();
    expect(jest.mocked(downloadPlugin).mock.calls.map(([, , site]) => site)).toEqual(['^.*=https://mirror.example']);
    expect(reach).not.toHaveBeenCalled();
  });

  test('for a command of somebody else the CLI sees to its plugins itself, and has stand-ins where it cannot', async () => {
    absent('docker', 'cloudflare');
    download();
    sites(answers);
    expect(await findToolchain({}, { plugins: 'automatic' })).toEqual({ pulumi: downloaded(), env: { ...quiet, ...ours } });
    sites(unreachable);
    expect((await findToolchain({}, { plugins: 'automatic' })).env).toEqual({ ...quiet, ...ours, PATH: '/cache/stand-ins:/usr/bin:/bin' });
    expect(downloadPlugin).not.toHaveBeenCalled();
  });
});

test('a home that is not the one of the list of users is told to the CLI, which would look there', async () => {
  setEnvironment({ PULUMI_HOME: undefined });
  jest.mocked(backendEnvironment).mockReturnValue({});
  const pulumi = install('v3.259.0');
  expect(await findToolchain()).toEqual({ pulumi, env: { ...quiet, ...noneByItself, ...ours, PULUMI_HOME: path.join(home, '.pulumi') } });
  setEnvironment({ HOME: os.userInfo().homedir });
  expect(await findToolchain()).toEqual({ pulumi, env: { ...quiet, ...noneByItself } });
});

test('a survey gets nothing and asks no site', async () => {
  absent('docker');
  expect(await surveyToolchain()).toEqual({ pulumi: undefined, passedOver: [], missing: ['docker'], env: quiet });
  const old = install('v3.199.9');
  download();
  expect(await surveyToolchain()).toEqual({ pulumi: downloaded(), passedOver: [expect.stringContaining(old)], missing: ['docker'], env: quiet });
  expect([reach, standInsFor, buildPlan, downloadCli, downloadPlugin, backendEnvironment].flatMap((mock) => jest.mocked(mock as () => unknown).mock.calls)).toEqual([]);
});
