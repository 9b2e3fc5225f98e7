import { existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { ask, CommandError, type Environment } from './command';
import type { Cost, Disk } from './recipe';

/** A disk that is too small for what is ahead. In megabytes. */
export interface Lack {
  /** The folder that takes most of it. */
  readonly folder: string;
  readonly needed: number;
  readonly free: number;
}

interface Need {
  folder: string;
  megabytes: number;
}

/** Free megabytes of the disk that `folder` is or will be on, for a user other than root. */
export async function freeMegabytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(existing(folder));
  return Math.floor((bavail * bsize) / 1e6);
}

/** The disks among those of `needs` that have less than the total needed on them. */
export async function lacking(needs: readonly Need[]): Promise<Lack[]> {
  const disks = new Map<number, Need[]>();
  for (const need of needs) {
    const { dev } = statSync(existing(need.folder));
    disks.set(dev, [...(disks.get(dev) ?? []), need]);
  }
  const found: Lack[] = [];
  for (const onIt of disks.values()) {
    const needed = onIt.reduce((sum, need) => sum + need.megabytes, 0);
    const { folder } = onIt.reduce((most, need) => (need.megabytes > most.megabytes ? need : most));
    const free = await freeMegabytes(folder);
    if (free < needed) found.push({ folder, needed, free });
  }
  return found;
}

/** "/root/.cache: 1,200 MB are missing: 2,000 are needed there and 800 are free." */
export function lackText({ folder, needed, free }: Lack): string {
  const [missing, all, left] = [needed - free, needed, free].map((megabytes) => megabytes.toLocaleString('en'));
  return `${folder}: ${missing} MB are missing: ${all} are needed there and ${left} are free.`;
}

/**
 * Where the megabytes of `costs` go: what all of them keep, and what the largest uses temporarily. An engine whose disk is not
 * this machine's is left out: its disk cannot be checked from here.
 */
export async function places(costs: readonly Cost[], cacheFolder: string, env: Environment = {}): Promise<Need[]> {
  const total = (place: keyof Disk): number =>
    costs.reduce((sum, cost) => sum + (cost[place] ?? 0), 0) + Math.max(0, ...costs.map((cost) => cost.meanwhile?.[place] ?? 0));
  const needs: Need[] = [{ folder: cacheFolder, megabytes: total('cache') }];
  if (total('go') > 0) needs.push({ folder: await goCache(), megabytes: total('go') });
  const engine = total('engine') > 0 ? await engineFolder(env) : undefined;
  if (engine) needs.push({ folder: engine, megabytes: total('engine') });
  return needs.filter((need) => need.megabytes > 0);
}

/** Go has two; modules are the smaller part, and are on a different disk from compiled packages only if somebody configured that. */
async function goCache(): Promise<string> {
  return (await ask('go', ['env', 'GOCACHE'])) || join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'go-build');
}

async function engineFolder(env: Environment): Promise<string | undefined> {
  const info = await ask('docker', ['info', '--format', '{{.Name}} {{.DockerRootDir}}'], { env });
  const [, name, folder] = info?.match(/^(\S+) (\/.*)$/) ?? [];
  return name === hostname() && folder !== undefined && existsSync(folder) ? folder : undefined;
}

/** Whether a build failed for lack of space, by its error or by the output of the program that failed. */
export function isDiskFull(error: unknown): boolean {
  const lines = error instanceof CommandError ? error.lastLines : [];
  return (error as NodeJS.ErrnoException).code === 'ENOSPC' || lines.some((line) => /no space left on device|disk quota exceeded/i.test(line));
}

/** The message for that. The files of the failed build are removed by now: the free space is what the next attempt starts with. */
export async function diskFullText(title: string, cost: Cost, cacheFolder: string): Promise<string> {
  const needs = await places([cost], cacheFolder);
  const found = await lacking(needs);
  const where = found.length > 0 ? found.map(lackText) : [`${await fullest(needs.map(({ folder }) => folder))}: the disk is full.`];
  return [`${title}: no space left.`, ...where, 'Make room there and run this again.'].join('\n');
}

async function fullest(folders: readonly string[]): Promise<string> {
  const free = await Promise.all(folders.map(freeMegabytes));
  return folders[free.indexOf(Math.min(...free))];
}

function existing(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder));
}
