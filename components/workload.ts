/**
 * The only place that creates a docker.Container, so that all of them are hardened the same way:
 * numeric user, read-only root, no capabilities, no new privileges, limits, bounded logs.
 *
 * Three kinds: a `service` runs forever, a `job` runs once to its end, `files` only writes files to a volume and
 * never starts, unless they are for one user only.
 */
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { dockerHost } from './catalog';
import { everything, hardened, replacing, type Common, type Limits } from './hardening';

export type { Limits, Mount, Ulimit } from './hardening';

/** A port of a container and where it is published on the Docker host. */
export interface PublishedPort {
  readonly internal: number;
  readonly external: number;
  /** Host addresses; one mapping each. */
  readonly addresses: readonly string[];
}

/** Port mappings of running containers by container name, in the order in which the engine lists them. */
export type ListedPorts = Readonly<Record<string, readonly { readonly internal: number; readonly external: number; readonly ip: string }[]>>;

export interface HealthCheck {
  /** Exec form, without a shell: not every image has one. */
  readonly command: readonly string[];
  /** Go durations in their canonical form ("1m0s", not "60s"): any other form shows as a change in every preview. */
  readonly interval: string;
  readonly timeout: string;
  readonly startPeriod: string;
  readonly retries: number;
  /** Seconds a deployment waits for the first healthy answer before it fails. Default: it does not wait. */
  readonly waitSeconds?: number;
}

/** A network of a container, and its host names there. */
export interface Attachment {
  readonly network: docker.Network;
  readonly aliases: readonly string[];
}

export interface ServiceArgs extends Common {
  readonly networks: readonly Attachment[];
  /** Whether it knows the Docker host as `host.docker.internal`, as it does on Docker Desktop by default. */
  readonly reachesHost?: boolean;
  /** Whether it listens on a port below 1024, though its user is not root. Docker allows that by default, others do not. */
  readonly lowPorts?: boolean;
  readonly ports: readonly PublishedPort[];
  readonly listed: ListedPorts;
  /** `none` for an image without a program that could ask: Docker then reports nothing about it but that it runs. */
  readonly healthCheck: HealthCheck | 'none';
  readonly memoryMiB: number;
  /** As the provider reads it back: "1.0", "0.5". */
  readonly cpus: string;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly stopSeconds: number;
}

export interface JobArgs extends Common {
  /** Default: no network at all. */
  readonly network?: docker.Network;
  /** Capabilities to add, by name without `CAP_`. Default: none. */
  readonly capabilities?: readonly string[];
}

/**
 * Command of a health check in an image that has bash and no HTTP client.
 * @param status of the answer that means healthy
 */
export function httpProbe(port: number, path: string, status: number): readonly string[] {
  return [
    'bash', '-c',
    `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' >&3; read -r status <&3; [[ $status == *' ${status} '* ]]`,
  ];
}

/** An image: pulled if the engine does not have it, and kept when the stack is removed. */
export function image(name: string, reference: pulumi.Input<string>, opts: pulumi.CustomResourceOptions): docker.RemoteImage {
  return new docker.RemoteImage(name, { name: reference, keepLocally: true }, opts);
}

/** A container that runs forever: restarted by Docker, replaced by stopping the old one first. */
export function service(name: string, args: ServiceArgs, opts: pulumi.CustomResourceOptions): docker.Container {
  const { healthCheck, limits = everything } = args;
  return new docker.Container(
    name,
    {
      ...hardened({ ...args, limits }),
      // After a crash an engine stops surviving containers, which counts as a manual stop: `unless-stopped` stays down.
      restart: 'always',
      networksAdvanced: args.networks.map(({ network, aliases }) => ({ name: network.name, aliases: [...aliases] })),
      ...(args.reachesHost ? { hosts: [{ host: dockerHost, ip: 'host-gateway' }] } : {}),
      ...(args.lowPorts ? { sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' } } : {}),
      ports: portMappings(args.ports, args.listed[args.containerName]),
      ...limitsOf(args, limits),
      ...(healthCheck === 'none' ? {} : healthOf(healthCheck)),
      // stopTimeout is for `docker stop` and the engine's own shutdown, destroyGraceSeconds for Pulumi;
      // without the latter the provider sends SIGKILL right after SIGTERM.
      stopTimeout: args.stopSeconds,
      destroyGraceSeconds: args.stopSeconds,
    },
    replacing(opts),
  );
}

function healthOf({ command, waitSeconds, ...times }: HealthCheck): Pick<docker.ContainerArgs, 'healthcheck' | 'wait' | 'waitTimeout'> {
  return { healthcheck: { tests: ['CMD', ...command], ...times }, ...(waitSeconds === undefined ? {} : { wait: true, waitTimeout: waitSeconds }) };
}

/**
 * A container that runs once, to its end, while it is being created. The provider does not fail if
 * the program in it does: read `exitCode` and `containerLogs`.
 */
export function job(name: string, args: JobArgs, opts: pulumi.CustomResourceOptions): docker.Container {
  const { network, capabilities } = args;
  return new docker.Container(
    name,
    {
      ...hardened(args),
      ...(capabilities ? { capabilities: { adds: [...capabilities].map((one) => `CAP_${one}`), drops: ['ALL'] } } : {}),
      ...(network ? { networksAdvanced: [{ name: network.name }] } : { networkMode: 'none' }),
      restart: 'no',
      attach: true,
      logs: true,
      mustRun: false,
    },
    replacing(opts),
  );
}

/**
 * Fails the deployment with the job's output if its program failed.
 * @param complaint what is wrong, as the beginning of the message
 * @returns the job, for the `dependsOn` of what must not be touched if it has failed
 */
export function mustSucceed(container: docker.Container, complaint: string): pulumi.Output<docker.Container> {
  return pulumi.all([container.name, container.exitCode, container.containerLogs]).apply(([name, exitCode, logs]) => {
    if (exitCode) {
      throw new pulumi.ResourceError(`${complaint} ${failedJob(name, exitCode, logs, pulumi.getStack())}`, container, true);
    }
    return container;
  });
}

/** How a job ended, its last lines of output, and how to run it again. */
export function failedJob(name: string, exitCode: number, logs: string, stack: string): string {
  const last = logs.trim().split('\n').slice(-5).join('\n  ');
  return `(container ${name} ended with ${exitCode}):\n  ${last}\nTo try again: docker rm ${name} && pulumi up --refresh --stack ${stack}`;
}

/** @returns the limits that the engine supports: others would be refused, or shown as a change in every preview */
function limitsOf({ memoryMiB, cpus }: ServiceArgs, limits: Limits): Pick<docker.ContainerArgs, 'memory' | 'memorySwap' | 'cpus'> {
  return {
    // Equal to memory means no swap; if omitted, the provider reads back twice the memory. Without swap accounting it is -1.
    ...(limits.memory ? { memory: memoryMiB, memorySwap: limits.swap ? memoryMiB : -1 } : {}),
    ...(limits.cpus ? { cpus } : {}),
  };
}

/**
 * Host ports, in the engine's own order if the container already has exactly these. The provider compares
 * them by position with what the engine lists, and engines list several host ports of one container port in
 * their own order (before Docker 27 the reverse of what they were given): any fixed order would cause a
 * replacement in every preview.
 */
export function portMappings(
  published: readonly PublishedPort[],
  listed: ListedPorts[string] = [],
): docker.types.input.ContainerPort[] {
  const wanted = published.flatMap(({ internal, external, addresses }) => addresses.map((ip) => ({ internal, external, ip })));
  const text = (ports: ListedPorts[string]): string => ports.map(({ internal, external, ip }) => `${internal} ${external} ${ip}`).sort().join();
  return [...(text(wanted) === text(listed) ? listed : wanted)]
    .sort((a, b) => a.internal - b.internal)
    .map((port) => ({ ...port, protocol: 'tcp' }));
}
