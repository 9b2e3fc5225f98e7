import { at, type Engine, type Tls } from './engine';

/** The rule that an address breaks, or undefined. */
export function whyNoAddress(address: string): string | undefined {
  if (!/^(unix:\/\/\/.+|npipe:\/\/.+|tcp:\/\/[^/\s]+\/?|ssh:\/\/[^/\s]+\/?)$/.test(address) || !URL.canParse(address)) {
    return 'write unix:///path/of/docker.sock, tcp://host:port or ssh://user@host';
  }
  return new URL(address).password === '' ? undefined : 'a password does not belong in the address; ssh uses a key';
}

/** A text that holds addresses, fit to be shown. */
export const withoutPassword = (text: string): string => text.replace(/(:\/\/[^/:@\s]*):\S*@/g, '$1:[secret]@');

/** The provider's client knows no default for a port of `tcp://`. */
export function engineAt(address: string, tls: Tls | undefined): Engine {
  if (!address.startsWith('tcp:')) {
    return at(address.replace(/^(ssh:.*)\/$/, '$1'));
  }
  const { hostname, port } = new URL(address);
  return { host: `tcp://${hostname}:${port || (tls ? 2376 : 2375)}`, ...(tls ? { tls } : {}) };
}
