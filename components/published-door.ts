/**
 * The part of Phoenix that is published on the Docker host: three ports of its gate.
 */
import type * as docker from '@pulumi/docker';
import type * as pulumi from '@pulumi/pulumi';
import { beyondThisMachine } from './address';
import type { Door } from './door';
import type { Destination } from './egress';
import { checkTls, urlAt, type Tls } from './tls';
import type * as workload from './workload';
import { wrongInput } from './wrong-input';

/** Addresses on the Docker host. */
export interface DoorEndpoints {
  readonly ui: string;
  readonly otlpHttp: string;
  readonly otlpGrpc: string;
}

/** A door, its addresses on the Docker host, and what is behind it. */
export interface PublishedDoor {
  /** Network that Phoenix is on. On the other one the gate is `phoenix`, too. */
  readonly store: docker.Network;
  /** Servers that Phoenix may connect to: on its network the gate has their names, and passes connections on to an Egress. */
  readonly destinations: readonly Destination[];
  readonly rules: pulumi.Input<Door>;
  /** Host addresses of the three ports. */
  readonly bind: readonly string[];
  /**
   * TLS on some of these addresses.
   * @default all are plain
   */
  readonly tls?: Tls | undefined;
  /**
   * Whether Phoenix requires login. Without it `bind` accepts only loopback.
   * @default false
   */
  readonly auth?: boolean;
  readonly uiPort: number;
  readonly otlpGrpcPort: number;
  readonly otlpHttpPort: number;
  /**
   * Port mappings that the engine lists for running containers.
   * @default nothing
   */
  readonly listed?: workload.ListedPorts;
  /** API keys that can only send spans; an empty text is no key. Secret. */
  readonly ingestKeys: readonly pulumi.Input<string>[];
  /** Container that had these ports in stacks of an older version: it must have released them. */
  readonly after: pulumi.Resource;
}

/** @throws InputPropertyError for a door without access control */
export function checkDoor({ bind, auth = false, tls }: PublishedDoor): void {
  const beyond = beyondThisMachine(bind, []);
  if (beyond.length > 0 && !auth) {
    throw wrongInput('door.bind', `it publishes Phoenix on ${beyond.join(', ')}, and without auth anyone who reaches it can read and delete everything`);
  }
  checkTls('door.tls', tls, bind);
}

/** Uses the first of its addresses. */
export function endpointsOf({ bind: [address = '127.0.0.1'], tls, uiPort, otlpHttpPort, otlpGrpcPort }: PublishedDoor): DoorEndpoints {
  const at = (port: number): string => urlAt(address, port, tls);
  return { ui: at(uiPort), otlpHttp: at(otlpHttpPort), otlpGrpc: at(otlpGrpcPort) };
}
