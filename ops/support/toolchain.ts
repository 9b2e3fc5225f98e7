import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pulumiVersion } from '../../components/catalog';
import { compareVersions } from '../../components/values';
import { cacheRoot } from '../../lab/cache';

import { missingPlugins, standIns } from '../../lab/providers/install';
import { pulumiCli } from '../../lab/pulumi-cli';
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
const downloadSite = 'https://get.pulumi.com';

/**
 * Finds the Pulumi CLI (on PATH, else the version pinned in package.json, downloaded at first use) and
 * sees to the provider plugins. Where the download site does not answer, what is missing comes from lab/.
 */
export async function findToolchain(): Promise<Toolchain> {
  const pulumi = (await installedPulumi()) ?? (await pinnedPulumi()) ?? (await pulumiCli());
  const base = { PULUMI_SKIP_UPDATE_CHECK: 'true', ...backendEnvironment() };
  const missing = await missingPlugins(pulumi, { ...process.env, ...base });
  if (missing.length === 0 || (await siteAnswers(downloadSite))) {
    return { pulumi, env: base };
  }
  say(`Plugins ${missing.join(', ')}: not installed, and ${downloadSite} does not answer; using the stand-ins of lab/providers`);
  const dir = await standIns(missing, { projectDir, cacheDir: cacheRoot() });
  return { pulumi, env: { ...base, PATH: [dir, process.env['PATH']].join(path.delimiter) } };
}

/** A CLI that the person has installed. */
async function installedPulumi(): Promise<string | undefined> {
  const found = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    // npm puts the wrapper's directory first on PATH; that is the pinned one and not theirs.
    .filter((dir) => dir && !dir.endsWith(path.join('node_modules', '.bin')))
    .map((dir) => path.join(dir, process.platform === 'win32' ? 'pulumi.exe' : 'pulumi'))
    .find((file) => fs.existsSync(file));
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

/** The wrapper from npm, which downloads the pinned CLI at its first use. Undefined where it cannot. */
async function pinnedPulumi(): Promise<string | undefined> {
  const wrapper = path.join(localBin, 'pulumi');
  const home = process.env['PULUMI_HOME'] ?? path.join(process.env['HOME'] ?? '', '.pulumi');
  const downloaded = path.join(home, 'versions', pulumiVersion.pinned, 'bin', 'pulumi');
  if (fs.existsSync(downloaded)) {
    return downloaded;
  }
  if (!(await siteAnswers(downloadSite))) {
    return undefined;
  }
  say(`Pulumi: no CLI on PATH; downloading the pinned ${pulumiVersion.pinned}`);
  return versionOf(wrapper) ? downloaded : undefined;
}

function versionOf(pulumi: string): string | undefined {
  const { stdout } = spawnSync(pulumi, ['version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: 'true' },
  });
  return /^v?(\d+\.\d+\.\d+)/.exec(stdout?.trim() ?? '')?.[1];
}
