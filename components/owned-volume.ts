import type * as docker from '@pulumi/docker';
import type * as pulumi from '@pulumi/pulumi';
import { renderFile } from './template';
import * as workload from './workload';

type OwnedArgs = Pick<workload.JobArgs, 'containerName' | 'image' | 'labels' | 'mounts'> & { readonly path: string };

/** What happens to a Phoenix database on the volume. Default: it is the one in use. */
export type Unused = 'left behind' | 'refused if it has spans' | undefined;

/**
 * A job that gives a volume to the user who writes to it: a new one belongs to root.
 * @param user `uid:gid`
 * @param args an image with Python; it needs no shell
 */
export function ownedBy(
  user: string,
  name: string,
  { path, unused, ...args }: OwnedArgs & { readonly unused?: Unused },
  opts: pulumi.CustomResourceOptions,
): docker.Container {
  const [uid = '', gid = ''] = user.split(':');
  return workload.job(
    name,
    {
      ...args,
      user: '0:0',
      // The last two: it reads a Phoenix database as its owner, because root without capabilities could not.
      capabilities: ['CHOWN', 'DAC_READ_SEARCH', 'SETGID', 'SETUID'],
      entrypoint: ['python3', '-c'],
      command: [renderFile('phoenix/own-volume.py.mustache', { path, uid, gid, inUse: unused === undefined, refused: unused === 'refused if it has spans' })],
    },
    opts,
  );
}

/** The same in an image with `chown`, for a volume that holds nothing to look at. */
export function chowned(user: string, name: string, { path, ...args }: OwnedArgs, opts: pulumi.CustomResourceOptions): docker.Container {
  return workload.job(name, { ...args, user: '0:0', capabilities: ['CHOWN'], entrypoint: ['chown'], command: [user, path] }, opts);
}
