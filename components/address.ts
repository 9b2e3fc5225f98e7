/**
 * How an address is seen by its user.
 */
import * as net from 'node:net';

/** Whether a host name or address, in brackets or not, means the machine itself. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '');
  const version = net.isIP(address);
  return version === 0
    ? /^(.+\.)?localhost$/i.test(host)
    : loopbacks.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

/** Whether a host name or address, in brackets or not, leads a container back to itself: 0.0.0.0 does so like loopback. */
export const isContainerItself = (host: string): boolean => isLoopback(host) || /^(0\.0\.0\.0|\[?::\]?)$/.test(host);

/** Whether a listen address means all addresses of the host. */
export const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::';

/**
 * The addresses that other machines may reach.
 * @param bridge gateway of Docker's bridge, which only containers reach
 */
export const beyondThisMachine = (addresses: readonly string[], bridge: readonly string[]): readonly string[] =>
  addresses.filter((address) => !isLoopback(address) && !bridge.includes(address));

const loopbacks = new net.BlockList();
loopbacks.addSubnet('127.0.0.0', 8, 'ipv4');
loopbacks.addAddress('::1', 'ipv6');

/** The address at which a client on the host reaches a port that is published on `address`. */
export function reachable(address: string): string {
  if (address === '0.0.0.0' || address === '::') {
    return '127.0.0.1';
  }
  return address.includes(':') ? `[${address}]` : address;
}
