/**
 * What test runs create on the Docker Engine of this machine: containers, networks and volumes, identified by a label. Docker
 * starts such containers again with the engine, and they keep ports and names; a killed run removes nothing, so the next run
 * does.
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

/** Records that everything with a label belongs to this process. @param label `KEY=VALUE` */
export async function claimLabel(label: string): Promise<void> {
  await mkdir(folder(), { recursive: true });
  await writeFile(fileOf(label), JSON.stringify({ label, owner: thisProcess() } satisfies Claim));
}

/** Removes what ended processes have claimed. @returns the labels of what existed */
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

/** Whether anything existed. */
async function removeLabelled(label: string): Promise<boolean> {
  let any = false;
  // Containers first: anything that one of them uses cannot be removed.
  for (const [list, remove] of [[['ps', '--all'], ['rm', '--force']], [['network', 'ls'], ['network', 'rm']], [['volume', 'ls'], ['volume', 'rm']]] as const) {
    const found = ((await ask('docker', [...list, '--quiet', '--filter', `label=${label}`])) ?? '').split('\n').filter(Boolean);
    if (found.length > 0) {
      any = true;
      await ask('docker', [...remove, ...found]);
    }
  }
  return any;
}
