/**
 * The ways in to Phoenix from outside its private network, which belong to the gate: who may connect, by which name, and how.
 */
import { checkProject } from './catalog';

export interface Door {
  /** Names by which it is reached: lower-case host names, and addresses. A request for any other gets 421. */
  readonly names: readonly string[];
  /** Whether any IP address is accepted: its ports are published on all host addresses. No site can use one as its name. */
  readonly anyAddress: boolean;
  /** Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted: addresses and networks. */
  readonly proxies: readonly string[];
  /** Whether people connect over HTTPS, through a proxy or tunnel that terminates it. */
  readonly https: boolean;
  /** Largest request in MiB. */
  readonly mostMiB: number;
  /**
   * Whether spans may be sent here, past Alloy.
   * @default true
   */
  readonly takesSpans?: boolean;
}

/** What a delivery check reads back and deletes. */
export const checksPath = `^/v1/projects/${checkProject}(/spans)?$`;

/** A door in the form that the gate's template needs. */
interface DoorView {
  /** Arguments of `server_name`. */
  readonly serverNames: string;
  /** Hosts of an origin, as alternatives of a regular expression. */
  readonly originPattern: string;
  readonly trusting: boolean;
  readonly proxies: readonly string[];
  readonly https: boolean;
  readonly mostMiB: number;
  readonly takesSpans: boolean;
  readonly largeAtOnce: number;
  readonly largeOfOne: number;
  readonly grpcAtOnce: number;
}

/** Loopback as a host name in a URL, and any address, as regular expressions. */
const loopback = ['127(\\.[0-9]{1,3}){3}', '\\[::1\\]'];
const anyAddress = ['[0-9]{1,3}(\\.[0-9]{1,3}){3}', '\\[[0-9a-f:.]+\\]'];

/** A name or an address as it stands in a URL. */
export const bracketed = (name: string): string => (name.includes(':') ? `[${name}]` : name);
/** The same as a regular expression. */
export const literally = (name: string): string => bracketed(name).replace(/[.[\]]/g, '\\$&');

/** Converts a door for the template. */
export function doorView({ names, anyAddress: any, proxies, https, mostMiB, takesSpans = true }: Door): DoorView {
  const addresses = [...loopback, ...(any ? anyAddress : [])];
  return {
    serverNames: [...names.map((name) => `"${bracketed(name)}"`), ...addresses.map((pattern) => `"~^${pattern}$"`)].join(' '),
    originPattern: [...names.map(literally), ...addresses].join('|'),
    trusting: proxies.length > 0,
    proxies,
    https,
    mostMiB,
    takesSpans,
    largeAtOnce,
    largeOfOne,
    grpcAtOnce,
  };
}

/** Requests of a megabyte or more that are passed to Phoenix at a time. */
const largeAtOnce = 4;

/** The same for one address. Requests to the ports on loopback have the address of the gateway of Docker's network. */
const largeOfOne = 3;

/** gRPC requests that are passed at a time; Phoenix accepts none larger than 4 MiB. */
const grpcAtOnce = 64;
