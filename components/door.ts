/**
 * The ways in to Phoenix from outside its private network, which are the gate's: who may come in, by which name, with what.
 */
import { checkProject } from './catalog';

export interface Door {
  /** Names by which it is reached: host names in small letters, and addresses. Any other is answered with 421. */
  readonly names: readonly string[];
  /** Whether it is reached by any IP address: its ports are published on all of the host's. No site can give itself one for a name. */
  readonly anyAddress: boolean;
  /** Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed: addresses and networks. */
  readonly proxies: readonly string[];
  /** Whether people come over HTTPS, by a proxy or tunnel that speaks it. */
  readonly https: boolean;
  /** Largest request in MiB. */
  readonly mostMiB: number;
}

/** What a delivery check reads back and removes. */
export const checksPath = `^/v1/projects/${checkProject}(/spans)?$`;

/** A door as the template of the gate has it. */
interface DoorView {
  /** Arguments of `server_name`. */
  readonly serverNames: string;
  /** Hosts of an origin, as alternatives of a regular expression. */
  readonly originPattern: string;
  readonly trusting: boolean;
  readonly proxies: readonly string[];
  readonly https: boolean;
  readonly mostMiB: number;
  readonly largeAtOnce: number;
  readonly largeOfOne: number;
  readonly grpcAtOnce: number;
}

/** Loopback as a host name in a URL, and any address, as regular expressions. */
const loopback = ['127(\\.[0-9]{1,3}){3}', '\\[::1\\]'];
const anyAddress = ['[0-9]{1,3}(\\.[0-9]{1,3}){3}', '\\[[0-9a-f:.]+\\]'];

const bracketed = (name: string): string => (name.includes(':') ? `[${name}]` : name);
const literally = (name: string): string => bracketed(name).replace(/[.[\]]/g, '\\$&');

/** How the template has it. */
export function doorView({ names, anyAddress: any, proxies, https, mostMiB }: Door): DoorView {
  const addresses = [...loopback, ...(any ? anyAddress : [])];
  return {
    serverNames: [...names.map((name) => `"${bracketed(name)}"`), ...addresses.map((pattern) => `"~^${pattern}$"`)].join(' '),
    originPattern: [...names.map(literally), ...addresses].join('|'),
    trusting: proxies.length > 0,
    proxies,
    https,
    mostMiB,
    largeAtOnce,
    largeOfOne,
    grpcAtOnce,
  };
}

/** Requests of a megabyte and more that are let through to Phoenix at a time. */
const largeAtOnce = 4;

/** The same of one address. What comes by the ports on loopback has that of the gateway of Docker's network. */
const largeOfOne = 3;

/** Requests over gRPC that are let through at a time; Phoenix takes none of them that is larger than 4 MiB. */
const grpcAtOnce = 64;
