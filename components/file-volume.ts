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
  /** `uid:gid` of the only user who can read them. Default: any user in a container with that volume. */
  readonly reader?: string | undefined;
  /** The program in the image that changes their owner. Default: Python. */
  readonly giver?: keyof typeof givers | undefined;
}

/**
 * A container that is created and never started: creating it puts files into a volume, through the
 * engine, wherever that runs. (An upload into the service's own container fails: Docker refuses it
 * if the root is read-only.) A changed file replaces it, and the preview shows the changed lines.
 * With a reader it runs as a job that changes the owner of the files: see `mustSucceed`.
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
 * Gives root's files to the user who reads them. (`owner` of an upload fails if the image names a user: Docker
 * looks for that user on its host, and uses it instead of the owner.)
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

/** An image has one or the other. */
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
  /** Where it is mounted, in the container that writes the files and in the one that reads them. */
  readonly path: string;
  /** Text by absolute path. */
  readonly files: FilesArgs['files'];
  /** As for `files`. */
  readonly reader?: FilesArgs['reader'];
  readonly giver?: FilesArgs['giver'];
}

/** A volume that holds only these files: how a service gets its configuration and secrets. */
export interface FileVolume {
  /** For the service; read-only. */
  readonly mount: Mount;
  /** What must exist before the service starts. */
  readonly written: docker.Container;
}

/** @param names resource names of the volume and of the container that writes the files */
export function fileVolume(names: { readonly volume: string; readonly files: string }, args: FileVolumeArgs, opts: pulumi.CustomResourceOptions): FileVolume {
  const { volumeName, containerName, image: carrier, owner, path, files: content, reader, giver } = args;
  const volume = new docker.Volume(names.volume, { name: volumeName, labels: [{ label: stackLabel, value: owner }] }, opts);
  const mount = { volume: volume.name, path };
  const written = files(names.files, { containerName, image: carrier, labels: { [stackLabel]: owner }, mounts: [mount], files: content, reader, giver }, opts);
  return { mount: { ...mount, readOnly: true }, written };
}
