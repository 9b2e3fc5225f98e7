import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import type { Engine } from './engine';

/**
 * Arguments of the `ssh` command that reaches the engine's socket: those of the docker provider and the docker command line
 * (cli/connhelper), in their order, because ssh uses the first of two conflicting options. So what works there works here.
 * BatchMode, because there is no password prompt.
 */
export function sshArguments({ host, sshOpts = [] }: Engine): string[] {
  const { username, hostname, port } = new URL(host);
  return [
    ...(username ? ['-l', decodeURIComponent(username)] : []),
    ...(port ? ['-p', port] : []),
    ...sshOpts,
    ...(sshOpts.some((option) => option.includes('ConnectTimeout')) ? [] : ['-o', 'ConnectTimeout=30']),
    '-o', 'BatchMode=yes',
    '-T',
    // A URL has an IPv6 address in brackets; ssh takes it without them.
    '--', hostname.replace(/^\[(.*)\]$/, '$1'),
    'docker', 'system', 'dial-stdio',
  ];
}

/** The engine's socket on another host, through the same command the docker command line runs there. */
export function overSsh(engine: Engine): Duplex {
  const child = spawn('ssh', sshArguments(engine), { stdio: ['pipe', 'pipe', 'pipe'] });
  const stream: Duplex = new Duplex({
    read: () => void child.stdout.resume(),
    // A write fails once ssh has exited, and its own message explains why better than EPIPE does.
    write: (chunk, encoding, done) => void child.stdin.write(chunk, encoding, () => done()),
    final: (done) => void child.stdin.end(done),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  child.stdin.on('error', () => {});
  child.stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) {
      child.stdout.pause();
    }
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  child.on('error', (error) => stream.destroy(error));
  // Not when its output ends: the exit code and the error message may still be on their way.
  child.on('close', (code) => {
    if (code) {
      stream.destroy(new Error(complaint.trim() || `ssh ended with ${code}`));
    } else {
      stream.push(null);
    }
  });
  return stream;
}
