import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { pulumiVersion } from '../../components/catalog';
import { commandVariable } from '../../components/problem';
import { compareVersions } from '../../components/values';
import { cacheRoot } from '../../lab/cache';

import { missingPlugins, standIns } from '../../lab/providers/install';
import { builtPulumiCli, pulumiCli } from '../../lab/pulumi-cli';
import { backendEnvironment, projectDir } from './backend';
import { siteAnswers } from './reach';
import { Failure, say } from './say';

/** The Pulumi CLI and what must be in its environment. */
export interface Toolchain {
  /** Path of the CLI. */
  readonly pulumi: string;
  readonly env: Readonly<Record<string, string>>;
}

const localBin = path.join(projectDir, 'node_modules', '.bin');

/** Site from which the CLI and the provider plugins are downloaded. */
export const downloadSite = 'https://get.pulumi.com';

/**
 * Finds the Pulumi CLI (on PATH, else the version pinned in package.json, downloaded at first use) and
 * sees to the provider plugins. Where the download site does not answer, what is missing comes from lab/.
 * @param backend where the state is, as variables of the environment. Default: see `backendEnvironment`
 */
export async function findToolchain(backend: Readonly<Record<string, string>> = backendEnvironment()): Promise<Toolchain> {
  const pulumi = await findPulumi();
  const base = environment(backend);
  const missing = await missingPlugins(pulumi, { ...process.env, ...base });
  if (missing.length === 0 || (await siteAnswers(downloadSite))) {
    return { pulumi, env: base };
  }
  say(`Plugins ${missing.join(', ')}: not installed, and ${downloadSite} does not answer; using the stand-ins of lab/providers`);
  const dir = await standIns(missing, { projectDir, cacheDir: cacheRoot() });
  return { pulumi, env: { ...base, PATH: [dir, process.env['PATH']].join(path.delimiter) } };
}

/** Path of the Pulumi CLI, got if there is none. */
export async function findPulumi(): Promise<string> {
  return installedPulumi() ?? downloadedPulumi() ?? builtPulumiCli() ?? (await downloadPulumi()) ?? (await pulumiCli());
}

/** What of the toolchain is there, without getting anything. */
export async function surveyToolchain(): Promise<{ pulumi: string | undefined; missing: readonly string[]; env: Record<string, string> }> {
  const pulumi = installedPulumi() ?? downloadedPulumi() ?? builtPulumiCli();
  const env = { PULUMI_SKIP_UPDATE_CHECK: 'true' };
  return { pulumi, missing: await missingPlugins(pulumi ?? '', process.env), env };
}

function environment(backend: Readonly<Record<string, string>>): Record<string, string> {
  // With a backend of its own, or without a CLI on PATH, the plain command would not find the stack.
  const plain = installedPulumi() !== undefined && Object.keys(backend).length === 0;
  return { PULUMI_SKIP_UPDATE_CHECK: 'true', ...backend, ...(plain ? {} : { [commandVariable]: 'npm run pulumi --' }) };
}

/** A CLI that the person has installed. */
function installedPulumi(): string | undefined {
  const found = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    // npm puts the wrapper's directory first on PATH; that is the pinned one and not theirs.
    .filter((dir) => dir && !dir.endsWith(path.join('node_modules', '.bin')))
    .map((dir) => path.join(dir, process.platform === 'win32' ? 'pulumi.exe' : 'pulumi'))
    .find(isProgram);
  if (!found) {
    return undefined;
  }
  const version = versionOf(found);
  if (version && compareVersions(version, pulumiVersion.oldest) < 0) {
    throw new Failure(`${found} is Pulumi ${version}; ${pulumiVersion.oldest} is the oldest that is supported.`, [
      'curl -fsSL https://get.pulumi.com | sh',
    ]);
  }
  return found;
}

/** A directory on PATH may hold one of that name, or a file that cannot be run; a shell passes over both. */
function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Has the wrapper from npm download the pinned CLI. Undefined where it cannot. */
async function downloadPulumi(): Promise<string | undefined> {
  if (!(await siteAnswers(downloadSite))) {
    return undefined;
  }
  say(`Pulumi: no CLI on PATH; downloading the pinned ${pulumiVersion.pinned}`);
  return versionOf(path.join(localBin, 'pulumi')) ? downloadedPulumi() : undefined;
}

/** Where the wrapper puts what it has downloaded. */
function downloadedPulumi(): string | undefined {
  const home = process.env['PULUMI_HOME'] || path.join(os.homedir(), '.pulumi');
  const file = path.join(home, 'versions', pulumiVersion.pinned, 'bin', 'pulumi');
  return fs.existsSync(file) ? file : undefined;
}

function versionOf(pulumi: string): string | undefined {
  const { stdout } = spawnSync(pulumi, ['version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: 'true' },
  });
  return /^v?(\d+\.\d+\.\d+)/.exec(stdout?.trim() ?? '')?.[1];
}
