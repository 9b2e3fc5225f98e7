import * as fs from 'node:fs';
import * as path from 'node:path';
import { missingPlugins, standIns } from '../../lab/providers/install';
import { builtPulumiCli, pulumiCli } from '../../lab/pulumi-cli';
import { backendEnvironment, projectDir } from '../../ops/support/backend';
import { siteAnswers } from '../../ops/support/reach';
import { Failure } from '../../ops/support/say';
import { findPulumi, findToolchain, surveyToolchain } from '../../ops/support/toolchain';
import { setEnvironment } from '../support/environment';
import { fakePulumi } from '../support/fake-pulumi';
import { listen } from '../support/said';
import type * as temp from '../support/temp';
import { tempDir } from '../support/temp';

jest.mock('../../ops/support/backend', () => ({
  projectDir: jest.requireActual<typeof temp>('../support/temp').tempDir(),
  backendEnvironment: jest.fn(),
}));
jest.mock('../../ops/support/reach', () => ({ siteAnswers: jest.fn() }));
jest.mock('../../lab/pulumi-cli', () => ({ builtPulumiCli: jest.fn(), pulumiCli: jest.fn() }));
jest.mock('../../lab/providers/install', () => ({ missingPlugins: jest.fn(), standIns: jest.fn() }));

const local = { PULUMI_BACKEND_URL: 'file:///state' };
const plainCommand = { LLM_OBSERVABILITY_PULUMI: 'npm run pulumi --' };
const quiet = { PULUMI_SKIP_UPDATE_CHECK: 'true' };

let home: string;
let said: string[];
beforeEach(() => {
  home = tempDir();
  said = listen();
  setEnvironment({ PULUMI_HOME: home, PATH: '/usr/bin:/bin', XDG_CACHE_HOME: '/cache' });
  jest.mocked(backendEnvironment).mockReset().mockReturnValue(local);
  jest.mocked(siteAnswers).mockReset().mockResolvedValue(false);
  jest.mocked(builtPulumiCli).mockReset().mockReturnValue(undefined);
  jest.mocked(pulumiCli).mockReset().mockResolvedValue('/built/now/pulumi');
  jest.mocked(missingPlugins).mockReset().mockResolvedValue([]);
  jest.mocked(standIns).mockReset().mockResolvedValue('/cache/stand-ins');
});

/** A CLI of this version in a directory of its own, first on PATH. */
function install(version: string): string {
  const { file } = fakePulumi({ version: { stdout: `${version}\n` } });
  setEnvironment({ PATH: [path.dirname(file), process.env['PATH']].join(path.delimiter) });
  return file;
}

const downloaded = (): string => path.join(home, 'versions', '3.259.0', 'bin', 'pulumi');
function download(): void {
  fs.mkdirSync(path.dirname(downloaded()), { recursive: true });
  fs.writeFileSync(downloaded(), '');
}

describe('the CLI', () => {
  test('on PATH wins over everything, and is found in the order of PATH', async () => {
    install('v3.210.0');
    const first = install('v3.200.0');
    download();
    jest.mocked(builtPulumiCli).mockReturnValue('/built/before/pulumi');
    expect(await findPulumi()).toBe(first);
  });

  test('on PATH that is too old: which, and the command that gets a new one', async () => {
    const file = install('v3.199.9');
    await expect(findPulumi()).rejects.toThrow(
      new Failure(`${file} is Pulumi 3.199.9; 3.200.0 is the oldest that is supported.`, ['curl -fsSL https://get.pulumi.com | sh']),
    );
    await expect(surveyToolchain()).rejects.toThrow(/3\.199\.9/);
  });

  test.each(['v4.0.0-alpha.1', '3.1000.0', 'a build of our own'])('on PATH with version %s is taken', async (version) => {
    const file = install(version);
    expect(await findPulumi()).toBe(file);
  });

  test("npm's wrapper, a directory and a file that cannot be run are none", async () => {
    const file = install('v3.259.0');
    const [wrapper, directory, text] = [path.join(tempDir(), 'node_modules', '.bin'), tempDir(), tempDir()];
    fs.mkdirSync(wrapper, { recursive: true });
    fs.copyFileSync(file, path.join(wrapper, 'pulumi'));
    fs.mkdirSync(path.join(directory, 'pulumi'));
    fs.writeFileSync(path.join(text, 'pulumi'), '', { mode: 0o644 });
    setEnvironment({ PATH: [wrapper, directory, text, '', process.env['PATH']].join(path.delimiter) });
    expect(await findPulumi()).toBe(file);
  });

  test('downloaded before, then one built before, without a word', async () => {
    jest.mocked(builtPulumiCli).mockReturnValue('/built/before/pulumi');
    expect(await findPulumi()).toBe('/built/before/pulumi');
    download();
    expect(await findPulumi()).toBe(downloaded());
    expect(said).toEqual([]);
    expect(siteAnswers).not.toHaveBeenCalled();
  });

  /** The wrapper that npm installs, which downloads at its first run. */
  function wrapper(script: string): void {
    const file = path.join(projectDir, 'node_modules', '.bin', 'pulumi');
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  test('downloaded now, where the site answers', async () => {
    jest.mocked(siteAnswers).mockResolvedValue(true);
    wrapper(`mkdir -p '${path.dirname(downloaded())}' && touch '${downloaded()}' && echo v3.259.0`);
    expect(await findPulumi()).toBe(downloaded());
    expect(jest.mocked(siteAnswers).mock.calls).toEqual([['https://get.pulumi.com']]);
    expect(said).toEqual(['Pulumi: no CLI on PATH; downloading the pinned 3.259.0']);
    expect(pulumiCli).not.toHaveBeenCalled();
  });

  test('built where the download fails, or the site does not answer', async () => {
    wrapper('exit 1');
    expect(await findPulumi()).toBe('/built/now/pulumi');
    expect(said).toEqual([]);
    jest.mocked(siteAnswers).mockResolvedValue(true);
    expect(await findPulumi()).toBe('/built/now/pulumi');
  });
});

describe('the toolchain', () => {
  test('of a person who has it all and is logged in: nothing is added', async () => {
    jest.mocked(backendEnvironment).mockReturnValue({});
    const pulumi = install('v3.259.0');
    expect(await findToolchain()).toEqual({ pulumi, env: quiet });
    expect(siteAnswers).not.toHaveBeenCalled();
  });

  test('with a backend of the checkout, or a CLI that is not on PATH, commands are given as `npm run pulumi`', async () => {
    const pulumi = install('v3.259.0');
    expect(await findToolchain()).toEqual({ pulumi, env: { ...quiet, ...local, ...plainCommand } });
    setEnvironment({ PATH: '/usr/bin:/bin' });
    download();
    jest.mocked(backendEnvironment).mockReturnValue({});
    expect(await findToolchain()).toEqual({ pulumi: downloaded(), env: { ...quiet, ...plainCommand } });
  });

  test('plugins that are missing are left to the CLI where their site answers', async () => {
    jest.mocked(missingPlugins).mockResolvedValue(['docker']);
    jest.mocked(siteAnswers).mockResolvedValue(true);
    download();
    expect((await findToolchain()).env).not.toHaveProperty('PATH');
    expect([said, jest.mocked(standIns).mock.calls]).toEqual([[], []]);
  });

  test('else the stand-ins of just those are put first on PATH, and said', async () => {
    jest.mocked(missingPlugins).mockResolvedValue(['docker', 'random']);
    download();
    expect(await findToolchain()).toEqual({ pulumi: downloaded(), env: { ...quiet, ...local, ...plainCommand, PATH: '/cache/stand-ins:/usr/bin:/bin' } });
    expect(jest.mocked(standIns).mock.calls).toEqual([[['docker', 'random'], { projectDir, cacheDir: '/cache/llm-observability' }]]);
    expect(said).toEqual(['Plugins docker, random: not installed, and https://get.pulumi.com does not answer; using the stand-ins of lab/providers']);
    // Plugins are looked for where the CLI that runs them would.
    expect(jest.mocked(missingPlugins).mock.calls).toEqual([[downloaded(), expect.objectContaining({ PULUMI_HOME: home, ...local })]]);
  });
});

test('a survey gets nothing and writes nothing', async () => {
  jest.mocked(missingPlugins).mockResolvedValue(['docker']);
  expect(await surveyToolchain()).toEqual({ pulumi: undefined, missing: ['docker'], env: quiet });
  download();
  expect(await surveyToolchain()).toEqual({ pulumi: downloaded(), missing: ['docker'], env: quiet });
  expect([siteAnswers, standIns, pulumiCli, backendEnvironment].flatMap((mock) => jest.mocked(mock as () => unknown).mock.calls)).toEqual([]);
});
