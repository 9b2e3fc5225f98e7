import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import * as net from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { command } from '../command';
import { aptInstall } from '../debian';
import { freePort } from '../free-port';
import type { Engine } from './engine';

export interface SshAccess {
  /** `ssh://root@127.0.0.1:<port>` */
  readonly host: string;
  /** Arguments that `ssh` needs to connect: the key, and the file with the host's key. Nothing is read from `~/.ssh`. */
  readonly options: readonly string[];
  /** Private key; a copy for another user must belong to that user, with mode 600. */
  readonly key: string;
  readonly knownHosts: string;
  /** Ends the server; open connections continue. Without this call it ends with its engine. */
  stop(): Promise<void>;
}

/**
 * Starts an SSH server on loopback that leads to the engine's sandbox: there the engine is the one at `/var/run/docker.sock`,
 * and `docker` has its version, as on any host that runs Docker. No service of the machine is touched; host key and user key
 * are created for this server.
 *
 * The engine must have a tree and the machine's network.
 */
export async function startSsh(engine: Engine): Promise<SshAccess> {
  await aptInstall(['openssh-client']);
  const dir = join(engine.dir, 'ssh');
  const [hostKey, key, knownHosts] = ['host-key', 'key', 'known-hosts'].map((file) => join(dir, file)) as [string, string, string];
  await mkdir(dir, { mode: 0o711 });
  for (const file of [hostKey, key]) await command('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file]);
  const port = await freePort();
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${await readFile(`${hostKey}.pub`, 'utf8')}`);
  await chmod(knownHosts, 0o644);
  await writeFile(join(dir, 'config'), serverConfig(port, hostKey, `${key}.pub`));

  const enter = [`--target=${engine.pid}`, '--mount', '--pid', '--'];
  const server = spawn('nsenter', [...enter, 'sh', '-c', prepare, 'sh', join(engine.dir, 'docker.sock'), join(dir, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  server.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  while (!(await accepts(port))) {
    if (server.exitCode !== null || server.signalCode !== null) throw new Error(`sshd ended with ${server.exitCode ?? server.signalCode}: ${said.trim()}`);
    await pause(50);
  }
  return {
    host: `ssh://root@127.0.0.1:${port}`,
    options: ['-F', '/dev/null', '-i', key, '-o', 'IdentitiesOnly=yes', '-o', `UserKnownHostsFile=${knownHosts}`],
    key,
    knownHosts,
    stop: async () => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const ended = once(server, 'exit');
      await command('nsenter', [...enter, 'sh', '-c', 'kill "$(cat /run/sshd.pid)"']);
      await ended;
    },
  };
}

/** Where the docker command line looks, and what sshd needs, which must be started by its absolute path. */
const prepare = 'set -e; ln -sf "$1" /run/docker.sock; mkdir -p -m 755 /run/sshd; exec /usr/sbin/sshd -D -e -f "$2"';

/** See sshd_config(5). */
function serverConfig(port: number, hostKey: string, authorizedKeys: string): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${authorizedKeys}`,
    'AuthenticationMethods publickey',
    'PermitRootLogin prohibit-password',
    'UsePAM no',
    'PidFile /run/sshd.pid',
    '',
  ].join('\n');
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
