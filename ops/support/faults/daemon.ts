import * as fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Choice } from '../../../engine';
import { isRunning } from '../alive';
import { ensureEngine } from '../docker';
import { Failure } from '../say';

/** File in which dockerd writes its process ID. */
const pidFile = '/var/run/docker.pid';

/** The Docker Engine of this machine as a process. A fault in it affects every container on it. */
export class Daemon {
  /** @param choice how it is reached @param file tests use a different one */
  constructor(private readonly choice: Choice, private readonly file = pidFile) {}

  /** @throws Failure if this user cannot stop and start it */
  check(): void {
    if (process.getuid?.() !== 0 || !fs.existsSync(this.file)) {
      throw new Failure(`--engine restarts the Docker Engine of this machine, which takes root and a dockerd here (${this.file}).`, ['sudo npm run faults -- --engine']);
    }
  }

  restart = (): Promise<void> => this.again('SIGTERM');
  crash = (): Promise<void> => this.again('SIGKILL');

  /** Kills it, and starts it if nothing else does. */
  private async again(signal: NodeJS.Signals): Promise<void> {
    const pid = Number(fs.readFileSync(this.file, 'utf8'));
    process.kill(pid, signal);
    while (isRunning(pid)) {
      await pause(50);
    }
    await ensureEngine(this.choice, 'yes', 'npm run faults');
  }
}
