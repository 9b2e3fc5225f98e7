import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { aliases, dockerHost, images, ports, users } from './catalog';
import { fileVolume } from './file-volume';
import { hostName, stackLabel } from './names';
import { compareVersions, versionOf } from './image-reference';
import { renderFile } from './template';
import { configLabel } from './config-label';
import { transforming, type Transforms } from './transform';
import * as workload from './workload';
import { wrongInput } from './wrong-input';

/** A server that Phoenix may connect to. */
export interface Destination {
  /** Lower-case host name. */
  readonly host: string;
  readonly port: number;
  /**
   * Whether the client does not name the server in its first data, as TLS with SNI does: mail and STARTTLS begin without TLS,
   * and Phoenix's LDAP client sends no SNI. Several of these with the same port are tried in turn.
   */
  readonly nameless: boolean;
}

export interface EgressArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on every resource created here. */
  readonly owner: string;
  /** Network with access to the outside, on which it is `phoenix-egress`. */
  readonly network: docker.Network;
  /** Reference of an nginx image with a version. */
  readonly image: pulumi.Input<string>;
  /** The servers that it connects to; at least one. */
  readonly destinations: readonly Destination[];
  /**
   * Phoenix's network and the names that it has there: it then stands in front of a different Egress, which is its destination.
   * @default none: it connects to the servers itself
   */
  readonly front?: { readonly network: docker.Network; readonly names: readonly string[] };
  /**
   * What the engine's kernel can limit.
   * @default everything
   */
  readonly limits?: workload.Limits | undefined;
  /**
   * Overrides for each child.
   * @default none
   */
  readonly transform?: Transforms;
}

const configDir = '/etc/egress';
const configFile = `${configDir}/nginx.conf`;

/** Servers; the later ones are tried if the first does not answer. */
interface Group {
  readonly group: string;
  readonly servers: readonly string[];
  /** Whether their names are resolved repeatedly, not just once as a condition to start. */
  readonly zone: boolean;
}

/** First version of nginx that resolves the names in a group repeatedly. */
const resolving = '1.27.3';

/** The routes to the servers with this port. */
function wayOf(port: number, here: readonly Destination[], resolves: boolean): { readonly port: number; readonly shared: boolean; readonly by: string; readonly groups: readonly Group[]; readonly servers: readonly object[] } {
  const shared = here.length > 1 && here.some(({ nameless }) => !nameless);
  const inTurn = here.length > 1 && !shared;
  // The resolver does not read /etc/hosts, which has the name of the Docker host.
  const groups = inTurn
    ? [{ group: `in-turn-${port}`, zone: resolves, servers: here.map(({ host }, index) => `${host}:${port}${index === 0 ? '' : ' backup'}${resolves && host !== dockerHost ? ' resolve' : ''}`) }]
    : here.filter(({ host }) => host === dockerHost).map(({ host }) => ({ group: `docker-host-${port}`, zone: false, servers: [`${host}:${port}`] }));
  const address = ({ host }: Destination): string => (host === dockerHost ? `docker-host-${port}` : `${host}:${port}`);
  return {
    port,
    shared,
    by: shared ? '$ssl_preread_server_name' : '""',
    groups,
    servers: inTurn
      ? [{ match: 'default', address: `in-turn-${port}` }]
      : here.map((one) => ({ match: shared ? `"${one.host}"` : 'default', address: address(one) })),
  };
}

/**
 * nginx's configuration: connections to a port go to the server with that port. If there are several, TLS names the intended
 * one (SNI); without SNI they are tried in turn.
 * @param version of nginx. Default: that of the pinned image
 */
export function egressConfig(destinations: readonly Destination[], version = versionOf(images.gate)): string {
  const resolves = version !== undefined && compareVersions(version, resolving) >= 0;
  return renderFile('egress/nginx.conf.mustache', {
    healthPort: ports.gate.health,
    ways: portsOf(destinations).map((port) => wayOf(port, destinations.filter((one) => one.port === port), resolves)),
  });
}

/** Each port once. */
export const portsOf = (destinations: readonly Destination[]): readonly number[] => [...new Set(destinations.map(({ port }) => port))];

/**
 * nginx through which Phoenix connects to the few servers that it may reach. Phoenix's network has no access to the outside:
 * there the gate has the names of these servers, and passes their connections on to this container. It is separate because the
 * gate, which is also on that network, would resolve these names to itself. For its database Phoenix has a second one (`front`)
 * instead of the gate, which starts after Phoenix.
 */
export class Egress extends pulumi.ComponentResource {
  /** Name of the container on the Docker host; each connection is a line of its log. */
  readonly containerName: pulumi.Output<string>;

  constructor(name: string, args: EgressArgs, opts?: pulumi.ComponentResourceOptions) {
    if (args.destinations.length === 0) {
      throw wrongInput('destinations', 'it needs at least one; without destinations leave the Egress out');
    }
    super('llm-observability:index:Egress', name, {}, transforming(args.transform, opts));
    const child = { parent: this };
    const part = args.front === undefined ? 'egress' : 'database';
    const config = pulumi.output(args.image).apply((reference) => egressConfig(args.destinations, versionOf(reference)));

    const image = workload.image(`${name}-image`, args.image, child);
    const configured = fileVolume(
      { volume: `${name}-config`, files: `${name}-config-files` },
      {
        volumeName: hostName('phoenix', args.stack, `${part}-config`),
        containerName: hostName('phoenix', args.stack, `${part}-config-files`),
        image,
        owner: args.owner,
        path: configDir,
        files: { [configFile]: config },
      },
      child,
    );
    const container = workload.service(
      `${name}-server`,
      {
        containerName: hostName('phoenix', args.stack, part),
        image,
        // nginx reads its configuration only once: a new config replaces the container.
        labels: { [stackLabel]: args.owner, ...configLabel(config) },
        user: users.gate,
        networks: args.front === undefined
          ? [{ network: args.network, aliases: [aliases.egress] }]
          : [{ network: args.network, aliases: [] }, { network: args.front.network, aliases: args.front.names }],
        reachesHost: args.destinations.some(({ host }) => host === dockerHost),
        mounts: [configured.mount],
        // The image's entry point writes below /etc/nginx.
        entrypoint: ['nginx'],
        command: ['-c', configFile, '-g', 'daemon off;'],
        lowPorts: true,
        ports: [],
        listed: {},
        healthCheck: {
          command: workload.httpProbe(ports.gate.health, '/healthz', 204),
          interval: '2s',
          timeout: '5s',
          startPeriod: '10s',
          retries: 15,
          waitSeconds: 60,
        },
        memoryMiB: 128,
        cpus: '0.5',
        limits: args.limits,
        // A model's answer may take long; Phoenix tries again.
        stopSeconds: 10,
      },
      { ...child, dependsOn: [configured.written] },
    );
    this.containerName = container.name;
    this.registerOutputs({ containerName: this.containerName });
  }
}
