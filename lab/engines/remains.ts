import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ask } from '../command';
import { withLock } from '../lock';

/** Where sandboxes have their folders. A short path that every user may enter: there are Unix sockets in it. */
export const enginesDir = '/var/lib/llm-observability-engines';

/** A process, identified beyond its ID: process IDs are reused. */
export interface Process {
  readonly pid: number;
  /** Start of the process in clock ticks since the machine booted. */
  readonly started: string;
}

/** The record of a sandbox, so that a later run can remove what a killed one left. */
export interface Claim {
  readonly name: string;
  /** The process that started it, a test run: once that has ended, all of this may be removed. */
  readonly owner: Process;
  /** Addresses of its networks are `10.<200 + slot>.0.0/16`: its bridges are identified by them. */
  readonly slot: number;
}

/** Folder of a sandbox. */
export const folderOf = (name: string): string => join(enginesDir, name);
/** All addresses that an engine in the machine's own network gives out. */
export const poolOf = (slot: number): string => `10.${200 + slot}.0.0/16`;
/** Parent of its containers' cgroups. */
export const cgroupOf = (name: string): string => `llm-engine-${name}`;

/**
 * Claims a name and a range of addresses for this process, after removing what dead processes left.
 * @throws Error when a living process has the name
 */
export async function claim(name: string, root = enginesDir): Promise<Claim> {
  if (!/^[a-z0-9][a-z0-9-]{0,20}$/.test(name)) throw new Error(`'${name}' is no name for an engine: lower case letters, digits, dashes, at most 21`);
  await mkdir(root, { recursive: true });
  return withLock(join(root, '.lock'), async () => {
    const living: Claim[] = [];
    for (const found of await claims(root)) {
      if (isAlive(found.owner)) living.push(found);
      else await clear(found, root);
    }
    const taken = living.find((other) => other.name === name);
    if (taken) throw new Error(`The engine ${name} belongs to process ${taken.owner.pid}, which is running: stop it, or use a different name.`);
    const slots = new Set(living.map(({ slot }) => slot));
    const slot = Array.from({ length: 56 }, (_, index) => index).find((index) => !slots.has(index));
    if (slot === undefined) throw new Error('56 engines run on this machine: stop one first.');
    const claimed: Claim = { name, owner: thisProcess(), slot };
    await mkdir(join(root, name));
    await writeFile(join(root, name, 'claim.json'), JSON.stringify(claimed));
    return claimed;
  });
}

/** Removes everything of a sandbox: its processes if any are left, bridges, firewall rule, cgroups, folder. */
export async function clear({ name, slot }: Claim, root = enginesDir): Promise<void> {
  const dir = join(root, name);
  const first = await readProcess(join(dir, 'process'));
  // It is process 1 of its namespace: all others there end with it, and so do the mounts.
  if (first && isAlive(first)) process.kill(first.pid, 'SIGKILL');
  while (first && isAlive(first)) await pause(20);
  await removeBridges(poolOf(slot));
  await removeCgroups(cgroupOf(name));
  await rm(dir, { recursive: true, force: true });
}

/** The claims below a folder. A folder without one is of a run that was killed before it had written it. */
async function claims(root: string): Promise<Claim[]> {
  const found: Claim[] = [];
  for (const { name } of (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory())) {
    const text = await readFile(join(root, name, 'claim.json'), 'utf8').catch(() => '');
    try {
      found.push(JSON.parse(text) as Claim);
    } catch {
      await rm(join(root, name), { recursive: true, force: true });
    }
  }
  return found;
}

/** An engine that ends leaves its bridges, for its next start; they are identified by their addresses. */
async function removeBridges(pool: string): Promise<void> {
  const prefix = pool.split('.').slice(0, 2).join('.');
  const links = JSON.parse((await ask('ip', ['-json', '-4', 'address', 'show', 'type', 'bridge'])) || '[]') as Link[];
  for (const { ifname, addr_info = [] } of links) {
    if (addr_info.some(({ local }) => local?.startsWith(`${prefix}.`))) await ask('ip', ['link', 'delete', ifname ?? '']);
  }
  while ((await ask('iptables', forwarding('--delete', pool))) !== undefined);
}

interface Link {
  readonly ifname?: string;
  readonly addr_info?: readonly { readonly local?: string }[];
}

/**
 * Arguments for the rule that lets containers of one engine reach each other: another engine on the machine makes the kernel
 * drop unknown packets, on every bridge.
 */
export const forwarding = (action: '--insert' | '--delete', pool: string): string[] =>
  ['--wait', action, 'FORWARD', '--source', pool, '--destination', pool, '--jump', 'ACCEPT'];

/** Removes the groups of that name, which have no process any more, in each hierarchy or in the only one. */
async function removeCgroups(name: string, root = '/sys/fs/cgroup'): Promise<void> {
  const hierarchies = existsSync(join(root, 'cgroup.controllers')) ? [root] : (await readdir(root).catch(() => [])).map((entry) => join(root, entry));
  for (const hierarchy of hierarchies) await removeGroups(join(hierarchy, name));
}

async function removeGroups(dir: string): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeGroups(join(dir, entry.name));
  if (existsSync(dir)) await rmdir(dir);
}

/** True while exactly this process runs. A zombie has ended. */
export function isAlive({ pid, started }: Process): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.started === started && stat.state !== 'Z';
}

/** The process whose ID a file holds; undefined if there is no file or no such process. */
export async function readProcess(path: string): Promise<Process | undefined> {
  const [pid, started] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ');
  return pid && started ? { pid: Number(pid), started } : undefined;
}

/** This process. */
export function thisProcess(): Process {
  return { pid: process.pid, started: statOf(process.pid)?.started ?? '' };
}

/** From proc(5): the name is in parentheses and may contain anything, so counting starts after it. */
function statOf(pid: number): { state: string; started: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
