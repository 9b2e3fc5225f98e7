import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { defaultHost, engineGet } from '../../components/engine';
import { aptInstall } from '../../lab/debian';
import { Failure, say } from './say';

/** Long enough for an engine that is just starting on a busy machine. */
const startupMs = 90_000;

/**
 * Makes sure that a Docker Engine answers. On Debian and Ubuntu, as root or with sudo, it installs and
 * starts one when there is none; elsewhere it says what to do.
 * @param host engine address as the docker provider takes it
 */
export async function ensureEngine(host: string): Promise<void> {
  const reason = await whyNoEngine(host);
  if (reason === undefined) {
    return;
  }
  if (host !== defaultHost) {
    throw new Failure(`The Docker Engine at ${host} does not answer: ${reason}.`, [`DOCKER_HOST=${host} docker info`]);
  }
  if (/EACCES/.test(reason)) {
    throw new Failure(`This user may not speak to the Docker Engine (${host}: ${reason}).`, [`sudo usermod -aG docker ${os.userInfo().username} && newgrp docker`]);
  }
  if (!isDebian()) {
    throw new Failure(`No Docker Engine answers at ${host} (${reason}).`, [
      process.platform === 'linux' ? 'curl -fsSL https://get.docker.com | sudo sh' : 'open -a Docker   # Docker Desktop, from https://docker.com',
    ]);
  }
  if (process.getuid?.() !== 0 && spawnSync('sudo', ['-v'], { stdio: 'inherit' }).status !== 0) {
    throw new Failure(`No Docker Engine answers at ${host} (${reason}), and installing or starting one needs root.`, [
      'sudo apt-get install docker.io && sudo systemctl start docker',
    ]);
  }
  if (!hasEngine()) {
    say('Docker: no engine on this machine; installing docker.io from Debian');
    await aptInstall(['docker.io', 'ca-certificates', 'iptables']);
  }
  await startEngine(host);
}

/** Why no engine answers, or undefined when one does. */
export async function whyNoEngine(host: string): Promise<string | undefined> {
  try {
    await engineGet(host, '/version', 10_000);
    return undefined;
  } catch (error) {
    return (error as Error).message || (error as NodeJS.ErrnoException).code || 'no reason given';
  }
}

function hasEngine(): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).concat('/usr/sbin', '/sbin').some((dir) => fs.existsSync(path.join(dir, 'dockerd')));
}

function isDebian(): boolean {
  const release = process.platform === 'linux' && fs.existsSync('/etc/os-release') ? fs.readFileSync('/etc/os-release', 'utf8') : '';
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}

/** Starts the installed engine and waits until it answers. */
async function startEngine(host: string): Promise<void> {
  const asRoot = (command: string[]): [string, string[]] =>
    process.getuid?.() === 0 ? [command[0] ?? '', command.slice(1)] : ['sudo', command];
  const log = path.join(os.tmpdir(), 'dockerd.log');
  let ended: number | null | undefined;
  const bySystemd = fs.existsSync('/run/systemd/system');
  if (bySystemd) {
    say('Docker: the engine is stopped; starting it (systemctl start docker)');
    const [program, args] = asRoot(['systemctl', 'start', 'docker']);
    // It waits for the engine itself; when it has failed there is nothing more to wait for.
    const { status } = spawnSync(program, args, { stdio: ['inherit', 2, 2] });
    ended = status === 0 ? undefined : status;
  } else {
    say(`Docker: the engine is stopped and there is no systemd; starting dockerd (log: ${log})`);
    const out = fs.openSync(log, 'a');
    const [program, args] = asRoot(['dockerd']);
    // An engine is not this command's to end: it outlives it, in a session of its own so that Ctrl-C does not reach it.
    const engine = spawn(program, args, { detached: true, stdio: ['ignore', out, out] });
    engine.on('exit', (code) => (ended = code));
    engine.on('error', () => (ended = null));
    engine.unref();
  }
  const deadline = Date.now() + startupMs;
  let reason = await whyNoEngine(host);
  while (reason !== undefined && Date.now() < deadline && ended === undefined) {
    await pause(200);
    reason = await whyNoEngine(host);
  }
  if (reason !== undefined) {
    const last = !bySystemd && fs.existsSync(log) ? fs.readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n    ') : '';
    throw new Failure(`The Docker Engine was started and does not answer at ${host} (${reason}).${last && ` Its last lines:\n    ${last}`}`, [
      bySystemd ? 'sudo journalctl --unit docker --lines 30' : 'sudo dockerd',
    ]);
  }
}
