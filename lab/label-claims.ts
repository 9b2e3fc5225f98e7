/**
 * What test runs make on the Docker Engine of this machine: containers, networks and volumes, known by a label. Docker starts
 * such containers again with the engine, and they hold ports and names; a run that was killed removes nothing, so the next one does.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot } from './cache';
import { ask } from './command';
import { isAlive, thisProcess, type Process } from './engines/remains';

interface Claim {
  /** `KEY=VALUE`. */
  readonly label: string;
  readonly owner: Process;
}

const folder = (): string => join(cacheRoot(), 'claims');
const fileOf = (label: string): string => join(folder(), encodeURIComponent(label));

/** Writes down that everything with a label is this process's. @param label `KEY=VALUE` */
export async function claimLabel(label: string): Promise<void> {
  await mkdir(folder(), { recursive: true });
  await writeFile(fileOf(label), JSON.stringify({ label, owner: thisProcess() } satisfies Claim));
}

/** Removes what processes have claimed that are gone. @returns the labels of what there was */
export async function removeUnclaimed(): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await readdir(folder()).catch(() => [])) {
    const file = join(folder(), name);
    const claim = JSON.parse(await readFile(file, 'utf8')) as Claim;
    if (isAlive(claim.owner)) {
      continue;
    }
    if (await removeLabelled(claim.label)) {
      removed.push(claim.label);
    }
    await rm(file);
  }
  return removed;
}

/** Whether there was anything. */
async function removeLabelled(label: string): Promise<boolean> {
  let any = false;
  // Containers first: nothing that one of them uses can go.
  for (const [list, remove] of [[['ps', '--all'], ['rm', '--force']], [['network', 'ls'], ['network', 'rm']], [['volume', 'ls'], ['volume', 'rm']]] as const) {
    const found = ((await ask('docker', [...list, '--quiet', '--filter', `label=${label}`])) ?? '').split('\n').filter(Boolean);
    if (found.length > 0) {
      any = true;
      await ask('docker', [...remove, ...found]);
    }
  }
  return any;
}
