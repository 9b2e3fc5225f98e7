import * as fs from 'node:fs';
import * as path from 'node:path';
import { defaultSocket } from './engine';

/**
 * Where engines listen for the user who started them, by their common names. Most also set a docker context; those that do not
 * are found here.
 */
function userSockets(env: NodeJS.ProcessEnv, home: string): readonly (readonly [name: string, socket: string])[] {
  const runtime = env['XDG_RUNTIME_DIR'];
  return [
    ['Docker Desktop', path.join(home, '.docker', 'run', 'docker.sock')],
    ['Docker Desktop', path.join(home, '.docker', 'desktop', 'docker.sock')],
    ...(runtime ? [['rootless Docker', path.join(runtime, 'docker.sock')] as const] : []),
    ['Colima', path.join(env['COLIMA_HOME'] || path.join(home, '.colima'), 'default', 'docker.sock')],
    ['Colima', path.join(env['XDG_CONFIG_HOME'] || path.join(home, '.config'), 'colima', 'default', 'docker.sock')],
    ['OrbStack', path.join(home, '.orbstack', 'run', 'docker.sock')],
    ['Rancher Desktop', path.join(home, '.rd', 'docker.sock')],
    ...(runtime ? [['Podman', path.join(runtime, 'podman', 'podman.sock')] as const] : []),
    ['Podman', path.join(home, '.local', 'share', 'containers', 'podman', 'machine', 'podman.sock')],
  ];
}

export interface Socket {
  /** What listens there, by its common name. */
  readonly name: string;
  readonly path: string;
}

/**
 * The socket of an engine if nothing selects one: the usual one, unless it does not exist or this user may not use it, and a
 * different one may be used. Looks at files only: whether an engine responds is checked later, with its own message.
 * @param usual Default: /var/run/docker.sock; tests replace it
 */
export function findSocket(env: NodeJS.ProcessEnv, home: string, usual = defaultSocket): Socket {
  const fallback = { name: 'the default socket', path: usual };
  const all: Socket[] = [fallback, ...userSockets(env, home).map(([name, file]) => ({ name, path: file }))];
  return all.find(({ path: file }) => isUsable(file)) ?? fallback;
}

function isUsable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.R_OK | fs.constants.W_OK);
    return fs.statSync(file).isSocket();
  } catch {
    return false;
  }
}
