/** Parsers for where something is: URLs, IP addresses and host names. */
import * as net from 'node:net';
import { isContainerItself } from '../components/address';
import { whyNoWebUrl } from '../components/web-url';
import { BrokenRule } from './broken-rule';
import * as meant from './meant';
import { distinct, parts } from './parse';

/** http or https URL without a password in it. */
export function webUrl(raw: string): URL {
  const rule = whyNoWebUrl(raw);
  if (rule !== undefined) {
    throw new BrokenRule(rule, meant.webAddress(raw));
  }
  return new URL(raw);
}

/** URL of a backend, as Alloy's container reaches it. */
export function httpUrl(raw: string): URL {
  const url = webUrl(raw);
  if (isContainerItself(url.hostname)) {
    throw new BrokenRule("inside Alloy's container that is the container itself; the Docker host is host.docker.internal", meant.fromContainer(raw));
  }
  return url;
}

/** A part of a URL without its percent-encoding; as it stands where that is none. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Addresses of the Docker host to publish ports on: IP addresses separated by commas. */
export function addresses(raw: string): readonly string[] {
  return addressList(raw, { instead: '', served: '' });
}

/**
 * The same, or `auto`, which stands for loopback and the gateway of Docker's bridge: what
 * `host.docker.internal` means inside a container.
 */
export function addressesOrAuto(raw: string): 'auto' | readonly string[] {
  return raw === 'auto' ? raw : addressList(raw, { instead: 'auto, or ', served: '; auto already serves those containers' });
}

function addressList(raw: string, { instead, served }: { readonly instead: string; readonly served: string }): readonly string[] {
  const list = parts(raw);
  if (list.includes('host.docker.internal')) {
    throw new BrokenRule(`host.docker.internal is a name that containers send to, not an address of this host to listen on${served}`);
  }
  if (list.some((address) => net.isIP(address) === 0)) {
    throw new BrokenRule(`not every part is an IP address; write ${instead}addresses of the Docker host separated by commas`, meant.addresses(raw));
  }
  if (new Set(list).size !== list.length) {
    throw new BrokenRule('an address is listed twice', meant.addresses(raw));
  }
  for (const [wildcard, version] of [['0.0.0.0', 4], ['::', 6]] as const) {
    if (list.includes(wildcard) && list.filter((address) => net.isIP(address) === version).length > 1) {
      throw new BrokenRule(`${wildcard} already includes every IPv${version} address, and Docker refuses to publish a port on one of them twice`, list.filter((address) => address === wildcard || net.isIP(address) !== version).join(','));
    }
  }
  return list;
}

/** Part of a host name between dots, as a regular expression. */
export const hostLabel = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';

/** Whether it is a host name in small letters, and no address. */
export const isHostName = (name: string): boolean =>
  name.length <= 253 && new RegExp(`^${hostLabel}(\\.${hostLabel})*$`).test(name) && !/^[0-9.]+$/.test(name);

/**
 * Names by which a service is reached, as a browser writes them: host names in small letters and IP addresses, separated by commas.
 * @throws BrokenRule for a name with a scheme, port or path, and for a pattern: a site could give itself any name that fits
 */
export function hostNames(raw: string): readonly string[] {
  const list = parts(raw);
  const better = list.map(meant.hostName).join(',');
  if (list.some((name) => name.includes('*'))) {
    throw new BrokenRule('a pattern also accepts a website that has chosen a matching name; write every name');
  }
  if (!list.every((name) => net.isIP(name) !== 0 || isHostName(name))) {
    throw new BrokenRule('not every part is a host name such as phoenix.lan: small letters, digits, dashes and dots, without http:// and without a port; commas separate names', better);
  }
  return distinct(list, 'a name');
}
