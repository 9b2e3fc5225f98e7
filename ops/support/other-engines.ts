import * as fs from 'node:fs';
import * as path from 'node:path';

/** An engine that a person already uses, and how to start it. */
export interface OtherEngine {
  readonly name: string;
  readonly command: string;
}

/**
 * Engines other than Docker's own daemon that are set up for this user. If there is one, Docker's is not installed beside it:
 * with two engines, containers can be in two places.
 */
export function otherEngines(env: NodeJS.ProcessEnv, home: string): OtherEngine[] {
  const has = (...parts: string[]): boolean => fs.existsSync(path.join(...parts));
  const onPath = (program: string): boolean => (env['PATH'] ?? '').split(path.delimiter).some((dir) => dir !== '' && has(dir, program));
  const config = env['XDG_CONFIG_HOME'] || path.join(home, '.config');
  return [
    ...(has('/Applications/Docker.app') ? [{ name: 'Docker Desktop', command: 'open -a Docker' }] : []),
    ...(has(home, '.docker', 'desktop') ? [{ name: 'Docker Desktop', command: 'systemctl --user start docker-desktop' }] : []),
    ...(has(config, 'systemd', 'user', 'docker.service') ? [{ name: 'rootless Docker', command: 'systemctl --user start docker' }] : []),
    ...(onPath('colima') ? [{ name: 'Colima', command: 'colima start' }] : []),
    ...(onPath('orb') ? [{ name: 'OrbStack', command: 'orb start' }] : []),
    ...(onPath('rdctl') ? [{ name: 'Rancher Desktop', command: 'rdctl start' }] : []),
    ...(onPath('podman') ? [{ name: 'Podman', command: process.platform === 'darwin' ? 'podman machine start' : 'systemctl --user start podman.socket' }] : []),
    ...contexts(env['DOCKER_CONFIG'] || path.join(home, '.docker')).map((name) => ({ name: `docker context ${name}`, command: `docker context use ${name}` })),
  ];
}

/** Names of the existing docker contexts. */
function contexts(dir: string): string[] {
  const meta = path.join(dir, 'contexts', 'meta');
  return entries(meta).flatMap((id) => {
    try {
      return [(JSON.parse(fs.readFileSync(path.join(meta, id, 'meta.json'), 'utf8')) as { Name: string }).Name];
    } catch {
      // Errors in here are reported by the docker command; a broken context is no usable engine.
      return [];
    }
  });
}

/** None if the folder does not exist, or this user may not read it. */
function entries(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}
