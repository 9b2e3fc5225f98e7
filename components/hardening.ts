/**
 * What all containers of a stack have in common: numeric user, read-only root, no capabilities, no new privileges,
 * limited processes, files and logs.
 */
import type * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';

/** A limit that the kernel enforces for each process of a container. */
export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** The limits that a Docker host supports. If asked for another, the engine refuses the container or ignores the value. */
export interface Limits {
  readonly memory: boolean;
  readonly swap: boolean;
  readonly cpus: boolean;
  /** Those that the engine adds to every container, and lists among the container's own; false if it keeps none. */
  readonly ulimits: readonly Ulimit[] | false;
}

/** The limits of an engine that was not asked. */
export const everything: Limits = { memory: true, swap: true, cpus: true, ulimits: [] };

/** A named volume in a container. */
export interface Mount {
  readonly volume: pulumi.Input<string>;
  readonly path: string;
  /**
   * @default writable
   */
  readonly readOnly?: boolean;
}

export interface Common {
  /** Name on the Docker host. */
  readonly containerName: string;
  readonly image: docker.RemoteImage;
  /** `uid:gid`. */
  readonly user: string;
  readonly labels: Readonly<Record<string, pulumi.Input<string>>>;
  readonly mounts?: readonly Mount[];
  readonly env?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Replaces the image's entry point. */
  readonly entrypoint?: readonly string[];
  readonly command?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * @default all of them for a service, none for a job
   */
  readonly limits?: Limits | undefined;
}

/**
 * The package has no process limit for containers. This one counts the processes of a user on the whole host, threads
 * included, and every stack has the same users: Phoenix, journal and tunnel of one stack use about 60. Each
 * connection is a file, and this many fill Alloy's memory first. An engine that may not raise limits, as in a container
 * without privileges, has higher limits than these.
 */
const ulimits: readonly Ulimit[] = [{ name: 'nproc', soft: 4096, hard: 4096 }, { name: 'nofile', soft: 16_384, hard: 16_384 }];

/** @returns nothing for root, whose processes the kernel does not count; else all that the engine lists, or it shows as a change */
function ulimitsOf({ user, limits }: Common): Pick<docker.ContainerArgs, 'ulimits'> {
  return limits?.ulimits && parseInt(user, 10) !== 0
    ? { ulimits: [...ulimits, ...limits.ulimits.filter(({ name }) => !ulimits.some((own) => own.name === name))] }
    : {};
}

/** At most 30 MiB of log per container: Docker's default has no limit and fills disks. */
export const boundedLogs = { logDriver: 'json-file', logOpts: { 'max-size': '10m', 'max-file': '3' } };

/** @returns the arguments that all containers share */
export function hardened(args: Common): docker.ContainerArgs {
  return {
    name: args.containerName,
    image: args.image.name,
    user: args.user,
    ...(args.entrypoint ? { entrypoints: [...args.entrypoint] } : {}),
    ...(args.command ? { command: args.command } : {}),
    envs: Object.entries(args.env ?? {}).map(([variable, value]) => pulumi.interpolate`${variable}=${value}`),
    labels: labels(args.labels),
    volumes: volumes(args.mounts ?? []),
    readOnly: true,
    tmpfs: { '/tmp': 'rw,nosuid,nodev,size=256m' },
    capabilities: { drops: ['ALL'] },
    securityOpts: ['no-new-privileges'],
    ...ulimitsOf(args),
    ...boundedLogs,
  };
}

/**
 * The provider reports a change of health check, init or tmpfs as done and does nothing: only a
 * replacement applies it. And a container's name is in use until the old one is removed.
 */
export function replacing(opts: pulumi.CustomResourceOptions): pulumi.CustomResourceOptions {
  return { ...opts, replaceOnChanges: ['healthcheck', 'init', 'tmpfs'], deleteBeforeReplace: true };
}

export function labels(map: Readonly<Record<string, pulumi.Input<string>>>): { label: string; value: pulumi.Input<string> }[] {
  return Object.entries(map).map(([label, value]) => ({ label, value }));
}

export function volumes(mounts: readonly Mount[]): { volumeName: pulumi.Input<string>; containerPath: string; readOnly?: boolean }[] {
  return mounts.map(({ volume, path, readOnly }) => ({
    volumeName: volume,
    containerPath: path,
    ...(readOnly ? { readOnly } : {}),
  }));
}
