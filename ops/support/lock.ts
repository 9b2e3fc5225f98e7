import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isRunning } from './alive';
import { npmRun, projectName } from './project';
import type { Pulumi } from './pulumi';
import { Failure, say } from './say';
import { holderOf } from './state-folder';

/**
 * Removes the lock of a deployment that was killed. Only in a file backend: there the lock names a process, which may be one of
 * this machine. If it is still running, such as a deployment that was just interrupted and finishes its step, it is waited for.
 * @param waitMs how long
 * @param stop ends the wait
 * @returns whether there was one; the state may then have changed
 * @throws Failure when the deployment that holds the lock is still running after that
 */
export async function clearStaleLock(pulumi: Pulumi, { waitMs = 180_000, stop }: { readonly waitMs?: number; readonly stop?: AbortSignal } = {}): Promise<boolean> {
  if (pulumi.backendDir === undefined) {
    return false;
  }
  const dir = path.join(pulumi.backendDir, '.pulumi', 'locks', 'organization', projectName, pulumi.stack);
  // Beside each lock is a file of its attributes.
  const locks = (): string[] => (fs.existsSync(dir) ? fs.readdirSync(dir).filter((file) => file.endsWith('.json')) : []);
  const found = locks();
  for (const file of found) {
    const holder = holderOf(path.join(dir, file));
    if (!holder) {
      continue;
    }
    const { pid, hostname } = holder;
    const atWork = (): boolean => fs.existsSync(path.join(dir, file)) && (hostname !== os.hostname() || isRunning(pid));
    if (atWork() && waitMs > 0) {
      say(`Another deployment of stack ${pulumi.stack} is in progress (process ${pid} on ${hostname}); waiting for it to finish`);
    }
    for (const deadline = Date.now() + waitMs; atWork() && Date.now() < deadline && !stop?.aborted; ) {
      await pause(200);
    }
    if (atWork()) {
      throw new Failure(`Another deployment of stack ${pulumi.stack} is in progress (process ${pid} on ${hostname}).`, [`${npmRun('up', pulumi.stack)}   # when that has ended`]);
    }
  }
  if (locks().length > 0) {
    say('An earlier run was killed; removing its lock');
    await pulumi.must(['cancel', '--yes'], 'removing the lock');
  }
  return found.length > 0;
}
