/**
 * What is published of Phoenix on the Docker host: three ports of its gate.
 */
import type * as docker from '@pulumi/docker';
import type * as pulumi from '@pulumi/pulumi';
import { isLoopback } from './address';
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

/** A door, where it is on the Docker host, and what is behind it. */
export interface PublishedDoor {
  /** Network on which Phoenix is. On the other one the gate is `phoenix`, too. */
  readonly store: docker.Network;
  /** Servers to which Phoenix may connect: on its network the gate has their names, and hands on to an Egress what comes. */
  readonly destinations: readonly Destination[];
  readonly rules: pulumi.Input<Door>;
  /** Host addresses of the three ports. */
  readonly bind: readonly string[];
  /**
   * TLS on some of these.
   * @default all of them are plain
   */
  readonly tls?: Tls | undefined;
  /**
   * Whether Phoenix asks who comes. Without it `bind` takes loopback alone.
   * @default false
   */
  readonly auth?: boolean;
  readonly uiPort: number;
  readonly otlpGrpcPort: number;
  readonly otlpHttpPort: number;
  /**
   * What the engine lists for the containers that run already.
   * @default nothing
   */
  readonly listed?: workload.ListedPorts;
  /** API keys with which spans are sent and nothing else is done; an empty text is none. Secret. */
  readonly ingestKeys: readonly pulumi.Input<string>[];
  /** Container whose ports these were in stacks of an older version: it has to have let go of them. */
  readonly after: pulumi.Resource;
}

/** @throws InputPropertyError for a door that would stand open */
export function checkDoor({ bind, auth = false, tls }: PublishedDoor): void {
  const beyond = bind.filter((address) => !isLoopback(address));
  if (beyond.length > 0 && !auth) {
    throw wrongInput('door.bind', `it publishes Phoenix on ${beyond.join(', ')}, and without auth whoever reaches it can read and delete everything`);
  }
  checkTls('door.tls', tls, bind);
}

/** At the first of its addresses. */
export function endpointsOf({ bind: [address = '127.0.0.1'], tls, uiPort, otlpHttpPort, otlpGrpcPort }: PublishedDoor): DoorEndpoints {
  const at = (port: number): string => urlAt(address, port, tls);
  return { ui: at(uiPort), otlpHttp: at(otlpHttpPort), otlpGrpc: at(otlpGrpcPort) };
}
