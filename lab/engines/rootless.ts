import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from '../command';
import { answers, type Engine } from './engine';
import { startSandbox, type Place } from './sandbox';
import type { Tree } from './tree';

export interface RootlessOptions {
  readonly name: string;
  readonly tree: Tree;
  /** User and group that run it and own its socket. Not root's. */
  readonly uid: number;
  readonly gid: number;
}

/**
 * Starts a Docker Engine that an ordinary user runs, as docs.docker.com/engine/security/rootless describes it:
 * `dockerd-rootless.sh`, RootlessKit, slirp4netns. It publishes ports on the machine's addresses. Its socket is `docker.sock`
 * in the folder that is the user's `XDG_RUNTIME_DIR`.
 */
export async function startRootless({ name, tree, uid, gid }: RootlessOptions): Promise<Engine> {
  const sandbox = await startSandbox({
    name,
    tree,
    prepare: async (place) => {
      for (const folder of [homeOf(place), runtimeOf(place)]) {
        await mkdir(folder, { mode: 0o700 });
        await chown(folder, uid, gid);
      }
      // On a machine with udev everyone may open it.
      const tun = join(place.dir, 'tun');
      await command('mknod', ['--mode', '666', tun, 'c', '10', '200']);
      return { ...(await accounts(place, tree, uid, gid)), '/dev/net/tun': tun };
    },
    command: (place) => [
      'setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups', '--',
      'env', `HOME=${homeOf(place)}`, `USER=${user}`, `XDG_RUNTIME_DIR=${runtimeOf(place)}`,
      '/usr/share/docker.io/contrib/dockerd-rootless.sh',
    ],
    isReady: (place) => answers(socketOf(place)),
  });
  return Object.assign(sandbox, { host: `unix://${socketOf(sandbox)}` });
}

const user = 'rootless';
const homeOf = ({ dir }: Place): string => join(dir, 'home');
const runtimeOf = ({ dir }: Place): string => join(dir, 'run');
const socketOf = (place: Place): string => join(runtimeOf(place), 'docker.sock');

/** The tree's lists of users and groups with this one added, who also has 65,536 subordinate IDs. */
async function accounts({ dir }: Place, tree: Tree, uid: number, gid: number): Promise<Record<string, string>> {
  const read = (file: string): Promise<string> => readFile(join(tree.dir, 'etc', file), 'utf8');
  const texts = {
    passwd: `${await read('passwd')}${user}:x:${uid}:${gid}::${join(dir, 'home')}:/bin/sh\n`,
    group: `${await read('group')}${user}:x:${gid}:\n`,
    subuid: `${user}:100000:65536\n`,
    subgid: `${user}:100000:65536\n`,
  };
  for (const [file, text] of Object.entries(texts)) await writeFile(join(dir, file), text);
  return Object.fromEntries(Object.keys(texts).map((file) => [`/etc/${file}`, join(dir, file)]));
}
