/**
 * Who has access to Phoenix, and by which name, according to the settings of a stack.
 */
import { dockerHost } from '../components/catalog';
import type { Door } from '../components/door';
import { isLoopback, isWildcard } from '../components/address';
import { largestToPhoenixMiB } from '../components/phoenix-room';
import type { Settings } from '../settings/keys';
import { redactionOf } from '../settings/redact';
import { hostnamesOf } from '../settings/tunnel';

/** Names that lead only to the Docker host, and to the gate on the private network. */
const ownNames = ['localhost', dockerHost, 'phoenix', 'phoenix-gate'];

/** @param stackNetworks ranges of the stack's own network, which tunnels and proxies are on */
export function doorOf(settings: Settings, stackNetworks: readonly string[]): Door {
  const url = settings['phoenix:rootUrl'];
  const bind = settings['phoenix:bind'];
  const names = [
    ...ownNames,
    ...bind.filter((address) => !isWildcard(address)),
    ...(url ? [url.hostname.replace(/^\[|\]$/g, '')] : []),
    ...(settings['phoenix:hosts'] ?? []),
    ...hostnamesOf(settings).map(({ hostname }) => hostname),
  ];
  return {
    names: [...new Set(names)],
    anyAddress: bind.some(isWildcard),
    proxies: settings['phoenix:trustedProxies'] ?? (url ? stackNetworks : []),
    https: url?.protocol === 'https:',
    mostMiB: largestToPhoenixMiB(settings['phoenix:memory']),
    // Past Alloy nothing is removed from them.
    takesSpans: redactionOf(settings) === undefined,
  };
}

/** Warnings about ports that are published beyond this machine. */
export function doorWarnings(settings: Settings): string[] {
  const nameless = settings['phoenix:hosts'] === undefined && settings['phoenix:rootUrl'] === undefined;
  return settings['phoenix:bind'].every(isLoopback) || settings['edge:central'] !== undefined || !nameless
    ? []
    : ['beyond this machine Phoenix answers to its addresses alone; to reach it by a host name: pulumi config set phoenix:hosts NAME'];
}
