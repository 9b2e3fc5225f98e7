import { at, type Engine, type Tls } from './engine';

/** The rule that an address breaks, or undefined. */
export function whyNoAddress(address: string): string | undefined {
  if (!/^(unix:\/\/\/.+|npipe:\/\/.+|tcp:\/\/[^/\s]+\/?|ssh:\/\/[^/\s]+\/?)$/.test(address) || !URL.canParse(address)) {
    return 'write unix:///path/of/docker.sock, tcp://host:port or ssh://user@host';
  }
  return new URL(address).password === '' ? undefined : 'a password does not belong in the address; ssh uses a key';
}

/** A text that holds addresses or credentials, safe to show. */
export function withoutPassword(text: string): string {
  return text
    // `user:password@host`, with a scheme or without; the digest of an image comes after an @ as well.
    .replace(/:(?!\/\/)\S*@(?!sha256:)/g, ':[secret]@')
    // Over HTTP a user without a password is a token.
    .replace(/(https?:\/\/)[^/:@\s]+@/gi, '$1[secret]@')
    .replace(/\b(Bearer|Basic)([\s:=]+)\S+/gi, '$1$2[secret]')
    // An API key of Phoenix is a JWT.
    .replace(/\beyJ[\w-]+\.[\w.-]+/g, '[secret]')
    .replace(/([?&#][\w.~%[\]-]+=)[^&#\s]+/g, '$1[secret]')
    .replace(/((?:password|passwd|pwd|secret|token|api[_-]?key)(?:["']?\s*=\s*|["']\s*:\s*|:\s+)["']?)[^\s"'&,;#]+/gi, '$1[secret]');
}

/** The provider's client has no default port for `tcp://`. */
export function engineAt(address: string, tls: Tls | undefined): Engine {
  if (!address.startsWith('tcp:')) {
    return at(address.replace(/^(ssh:.*)\/$/, '$1'));
  }
  const { hostname, port } = new URL(address);
  return { host: `tcp://${hostname}:${port || (tls ? 2376 : 2375)}`, ...(tls ? { tls } : {}) };
}
