import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answers, type Engine } from './engine';
import { startSandbox, type Place } from './sandbox';
import type { Tree } from './tree';

/** Starts Podman's service, which answers as a Docker Engine does, at a socket. Run by root. */
export async function startPodman({ name, tree }: { readonly name: string; readonly tree: Tree }): Promise<Engine> {
  const sandbox = await startSandbox({
    name,
    tree,
    // Its containers would get a bridge and firewall rules; in a network of its own they end with it.
    ownNetwork: true,
    prepare: async ({ dir }) => {
      await writeFile(join(dir, 'containers.conf'), '[network]\nnetwork_backend = "netavark"\n');
      await mkdir(join(dir, 'tmp'));
    },
    command: (place) => [
      'env', `CONTAINERS_CONF=${join(place.dir, 'containers.conf')}`, `TMPDIR=${join(place.dir, 'tmp')}`,
      'podman', '--root', join(place.dir, 'data'), '--runroot', join(place.dir, 'exec'), '--network-config-dir', join(place.dir, 'networks'),
      '--cgroup-manager', 'cgroupfs', 'system', 'service', '--time', '0', `unix://${socketOf(place)}`,
    ],
    isReady: (place) => answers(socketOf(place)),
  });
  return { ...sandbox, host: `unix://${socketOf(sandbox)}` };
}

const socketOf = ({ dir }: Place): string => join(dir, 'podman.sock');
