import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as net from 'node:net';
import { promisify } from 'node:util';

/** Whether something on this machine listens on `port` at `address`, or at a wildcard that covers it. */
export async function isHeld(address: string, port: number): Promise<boolean> {
  // Only "in use" means another process; an address of another machine is reported elsewhere.
  return (await whyNotListening(address, port)) === 'EADDRINUSE';
}

/**
 * Whether this machine has the address. Tested by using it: a list of interfaces leaves out those that are down, such as an
 * idle bridge.
 */
export async function isOwnAddress(address: string): Promise<boolean> {
  return (await whyNotListening(address, 0)) !== 'EADDRNOTAVAIL';
}

/** Listens for a moment. @returns code of the error that prevented it, or undefined; port 0 means any free one */
function whyNotListening(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    probe.listen({ host: address, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}

/**
 * The process that listens on a TCP port of this machine.
 * @returns "name (pid N)", or undefined if unknown (another user's process, no lsof)
 */
export async function holderOf(port: number): Promise<string | undefined> {
  return process.platform === 'linux' ? linuxHolder(port) : lsofHolder(port);
}

async function linuxHolder(port: number): Promise<string | undefined> {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const lines = await fs.readFile(table, 'utf8').catch(() => '');
    for (const line of lines.split('\n').slice(1)) {
      // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode (Documentation/networking/proc_net_tcp)
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === '0A' && inode && parseInt(local?.split(':')[1] ?? '', 16) === port) {
        inodes.add(`socket:[${inode}]`);
      }
    }
  }
  for (const pid of (await fs.readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of await fs.readdir(`/proc/${pid}/fd`).catch(() => [])) {
      if (inodes.has(await fs.readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => ''))) {
        const name = await fs.readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'process');
        return `${name.trim()} (pid ${pid})`;
      }
    }
  }
  return undefined;
}

async function lsofHolder(port: number): Promise<string | undefined> {
  const run = promisify(execFile);
  const answer = await run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc']).catch(() => undefined);
  const [, pid, name] = /^p(\d+)\nc(.+)$/m.exec(answer?.stdout ?? '') ?? [];
  return pid === undefined ? undefined : `${name} (pid ${pid})`;
}
