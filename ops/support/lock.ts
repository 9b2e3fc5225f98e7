import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { stateDir } from './backend';
import { projectName } from './project';
import type { Pulumi } from './pulumi';
import { Failure, say } from './say';

/**
 * Removes the lock of a deployment that was killed. Only the local backend of this checkout is looked
 * at: there the lock names a process of this machine.
 * @returns whether there was one
 * @throws Failure when the deployment that holds the lock is still running
 */
export async function clearStaleLock(pulumi: Pulumi): Promise<boolean> {
  const dir = path.join(stateDir, 'backend', '.pulumi', 'locks', 'organization', projectName, pulumi.stack);
  const locks = fs.existsSync(dir) ? fs.readdirSync(dir) : [];
  if (locks.length === 0) {
    return false;
  }
  for (const file of locks) {
    const { pid, hostname } = JSON.parse(fs.readFileSync(path.join(dir, file), 'utf8')) as { pid: number; hostname: string };
    if (hostname !== os.hostname() || isRunning(pid)) {
      throw new Failure(`Another deployment of stack ${pulumi.stack} is under way (process ${pid} on ${hostname}).`, ['npm run up   # when that has ended']);
    }
  }
  say('An earlier run was killed; removing its lock');
  await pulumi.must(['cancel', '--stack', pulumi.stack, '--yes'], 'removing the lock');
  return true;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
