/**
 * Files in a volume: how a service gets its configuration, its certificate and its secrets.
 */
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { boundedLogs, labels, replacing, volumes, type Mount } from './hardening';
import { stackLabel } from './names';

export interface FilesArgs {
  readonly containerName: string;
  readonly image: docker.RemoteImage;
  readonly labels: Readonly<Record<string, pulumi.Input<string>>>;
  readonly mounts: readonly Mount[];
  /** Text by absolute path; the path lies in one of the mounts. */
  readonly files: Readonly<Record<string, pulumi.Input<string>>>;
  /** `uid:gid` of the only user who can read them. Default: anyone in a container with that volume. */
  readonly reader?: string | undefined;
  /** What the image has to give them to the reader. Default: Python. */
  readonly giver?: keyof typeof givers | undefined;
}

/**
 * A container that is created and never started: creating it puts files into a volume, through the
 * engine, wherever that runs. (An upload into the service's own container fails: Docker refuses it
 * when the root is read-only.) A changed file replaces it, and the preview shows the changed lines.
 * With a reader it runs as a job that gives the files away: see `mustSucceed`.
 */
export function files(name: string, args: FilesArgs, opts: pulumi.CustomResourceOptions): docker.Container {
  return new docker.Container(
    name,
    {
      name: args.containerName,
      image: args.image.name,
      labels: labels(args.labels),
      volumes: volumes(args.mounts),
      uploads: Object.entries(args.files).map(([file, content]) => ({ file, content, ...(args.reader ? { permissions: '0400' } : {}) })),
      networkMode: 'none',
      restart: 'no',
      ...(args.reader ? givenTo(args.reader, Object.keys(args.files), args.giver) : { start: false }),
      mustRun: false,
      ...boundedLogs,
    },
    replacing(opts),
  );
}

/**
 * What gives files of root's to the user who reads them. (`owner` of an upload fails where the image names a user: Docker
 * looks for that one on its host, and takes it in the place of the owner.)
 */
function givenTo(reader: string, paths: readonly string[], giver: keyof typeof givers = 'python3'): Partial<docker.ContainerArgs> {
  return {
    user: '0:0',
    ...givers[giver](reader, paths),
    capabilities: { adds: ['CAP_CHOWN'], drops: ['ALL'] },
    securityOpts: ['no-new-privileges'],
    attach: true,
    logs: true,
  };
}

/** An image has the one or the other. */
const givers = {
  python3: (reader: string, paths: readonly string[]) => ({
    entrypoints: ['python3', '-ISc'],
    command: [`import os\nfor file in ${JSON.stringify(paths)}: os.chown(file, ${reader.replace(':', ', ')})`],
  }),
  chown: (reader: string, paths: readonly string[]) => ({ entrypoints: ['chown'], command: [reader, ...paths] }),
} as const;

export interface FileVolumeArgs {
  /** Names on the Docker host. */
  readonly volumeName: string;
  readonly containerName: string;
  readonly image: docker.RemoteImage;
  /** `project/stack`, the value of the label on both. */
  readonly owner: string;
  /** Where it is mounted, in the container that carries the files there and in the one that reads them. */
  readonly path: string;
  /** Text by absolute path. */
  readonly files: FilesArgs['files'];
  /** As for `files`. */
  readonly reader?: FilesArgs['reader'];
  readonly giver?: FilesArgs['giver'];
}

/** A volume that holds just these files: how a service gets its configuration, and its secrets. */
export interface FileVolume {
  /** For the service; read-only. */
  readonly mount: Mount;
  /** What has to be there before the service starts. */
  readonly written: docker.Container;
}

/** @param names resource names of the volume and of the container that carries the files there */
export function fileVolume(names: { readonly volume: string; readonly files: string }, args: FileVolumeArgs, opts: pulumi.CustomResourceOptions): FileVolume {
  const { volumeName, containerName, image: carrier, owner, path, files: content, reader, giver } = args;
  const volume = new docker.Volume(names.volume, { name: volumeName, labels: [{ label: stackLabel, value: owner }] }, opts);
  const mount = { volume: volume.name, path };
  const written = files(names.files, { containerName, image: carrier, labels: { [stackLabel]: owner }, mounts: [mount], files: content, reader, giver }, opts);
  return { mount: { ...mount, readOnly: true }, written };
}
