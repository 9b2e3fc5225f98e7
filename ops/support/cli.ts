/**
 * The Pulumi CLIs on this machine.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { pulumiVersion } from '../../components/catalog';
import { compareVersions } from '../../components/image-reference';

const executable = process.platform === 'win32' ? 'pulumi.exe' : 'pulumi';

/** Long enough for a cold start from a slow disk, and short enough to wait for. */
const startMs = 10_000;

export interface OnPath {
  /** The first usable one. */
  readonly cli: string | undefined;
  /** Those before it that cannot be used, each with the reason. */
  readonly passedOver: readonly string[];
}

/**
 * The CLI on PATH: one that runs and is new enough.
 * @param patienceMs how long one may take to print its version
 */
export function cliOnPath(env: NodeJS.ProcessEnv = process.env, patienceMs = startMs): OnPath {
  const passedOver: string[] = [];
  const files = (env['PATH'] ?? '')
    .split(path.delimiter)
    // The CLI of an npm package would download a different one when it runs.
    .filter((dir) => dir && !dir.endsWith(path.join('node_modules', '.bin')))
    .map((dir) => path.join(dir, executable));
  for (const file of new Set(files)) {
    if (isThere(file)) {
      const fault = faultOf(file, patienceMs);
      if (fault === undefined) {
        return { cli: file, passedOver };
      }
      passedOver.push(`${file} ${fault}`);
    }
  }
  return { cli: undefined, passedOver };
}

/** A shell skips a folder of PATH that it may not read, or that does not exist. */
function isThere(file: string): boolean {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Pulumi's own folder. */
export const pulumiHome = (env: NodeJS.ProcessEnv = process.env): string => env['PULUMI_HOME'] || usualHome(env);

/**
 * What makes the CLI use that folder: it looks the home up in the list of users, where `sudo`, containers and CI may have a
 * different one than HOME, and would keep its plugins there.
 */
export function homeVariable(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return env['PULUMI_HOME'] || listedHome() === (env['HOME'] || os.homedir()) ? {} : { PULUMI_HOME: usualHome(env) };
}

/** Undefined for a user who is in no list, as in a container with a numeric user. */
function listedHome(): string | undefined {
  try {
    return os.userInfo().homedir;
  } catch {
    return undefined;
  }
}

const usualHome = (env: NodeJS.ProcessEnv): string => path.join(env['HOME'] || os.homedir(), '.pulumi');

/** Folder of the pinned CLI in Pulumi's own, where the SDK and Pulumi's package on npm put it too. */
export const pinnedRoot = (home: string): string => path.join(home, 'versions', pulumiVersion.pinned);

export const cliIn = (root: string): string => path.join(root, 'bin', executable);

/** The pinned CLI if it was downloaded before. The SDK ignores PULUMI_HOME, so it may also be in the usual place. */
export function pinnedCli(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const roots = [pulumiHome(env), usualHome(env)].map(pinnedRoot);
  return roots.map(cliIn).find(isPinned);
}

/** An interrupted download also leaves a file, which is not a CLI. */
export const isPinned = (file: string): boolean => fs.existsSync(file) && versionOf(file) === pulumiVersion.pinned;

/** Why a CLI cannot be used, as the rest of a sentence that begins with its path. */
function faultOf(file: string, patienceMs: number): string | undefined {
  const version = versionOf(file, patienceMs);
  if (version === undefined) {
    return isProgram(file) ? 'prints no version' : 'is no program';
  }
  return compareVersions(version, pulumiVersion.oldest) < 0 ? `is Pulumi ${version}, and ${pulumiVersion.oldest} is the oldest that is supported` : undefined;
}

/** A directory on PATH may hold a directory of that name, or a file that cannot be run. */
export function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** A wrapper may print more before the version. */
function versionOf(file: string, patienceMs = startMs): string | undefined {
  const { stdout } = spawnSync(file, ['version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: 'true' },
    timeout: patienceMs,
    killSignal: 'SIGKILL',
  });
  return [...(stdout ?? '').matchAll(/^v?(\d+\.\d+\.\d+)\S*$/gm)].at(-1)?.[1];
}
