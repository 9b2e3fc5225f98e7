/**
 * Parsers for the text of a setting. Each returns the value in the form the program works with,
 * or throws a `BrokenRule` that states the rule.
 */
import * as net from 'node:net';
import { isContainerItself } from '../components/address';
import { oldest, type ServiceName } from '../components/catalog';
import { whyNoWebUrl } from '../components/web-url';
import { compareVersions, imageReference, versionIn } from '../components/image-reference';
import * as meant from './meant';

export { compareVersions, versionOf } from '../components/image-reference';

/**
 * Thrown by a parser: the message is the rule, as the rest of a sentence that names key and value.
 * It never quotes the value, which may be a secret.
 */
export class BrokenRule extends Error {
  /**
   * @param meant what somebody means by the value, where that is clear. Offered where the parser takes it
   * @param choices all values there are, where they are few. Offered where it is not clear
   * @param besides other keys that take a part of what was meant; without a value where it is a secret
   */
  constructor(
    rule: string, readonly meant?: string, readonly choices: readonly string[] = [], readonly besides: readonly (readonly [key: string, value?: string])[] = [],
  ) {
    super(rule);
  }
}

/** A part of a URL without its percent-encoding; as it stands where that is none. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Highest TCP port. */
export const lastPort = 65535;

/** TCP port, 1 to 65535. */
export function port(raw: string): number {
  const value = Number(raw);
  if (!/^\d+$/.test(raw) || value < 1 || value > lastPort) {
    throw new BrokenRule('a port is a whole number from 1 to 65535', meant.port(raw));
  }
  return value;
}

/** TCP port of another server. A function of its own: what `port` parses are host ports, which must not clash. */
export function remotePort(raw: string): number {
  return port(raw);
}

/** Most that is added to ports. What a message offers for a taken one lies a little above 16006, and has room even then. */
export const highestOffset = 40_000;

/** What is added to ports, 0 to 40000. */
export function offset(raw: string): number {
  if (!/^\d{1,5}$/.test(raw) || Number(raw) > highestOffset) {
    throw new BrokenRule(`it is a whole number from 0, which leaves the ports where they are, to ${highestOffset}`, /^\+\d+$/.test(raw) ? raw.slice(1) : undefined);
  }
  return Number(raw);
}

/** `true` or `false`, as both Pulumi and Phoenix spell them. */
export function boolean(raw: string): boolean {
  return truth(raw, meant.truth);
}

/** The same for a setting whose name says what is not there: `off` may be the answer, or say it once more. */
export function negatedBoolean(raw: string): boolean {
  return truth(raw, meant.plainTruth);
}

function truth(raw: string, meaning: (raw: string) => string | undefined): boolean {
  if (raw !== 'true' && raw !== 'false') {
    throw new BrokenRule('it is either true or false, in small letters', meaning(raw), ['true', 'false']);
  }
  return raw === 'true';
}

/** One of these words. */
export function oneOf<T extends string>(...words: readonly T[]): (raw: string) => T {
  return (raw) => {
    const word = words.find((other) => other === raw);
    if (word === undefined) {
      throw new BrokenRule(`it is one of ${words.join(', ')}`, meant.word(raw, words), words);
    }
    return word;
  };
}

/** One line that is not empty; whitespace around it goes, as Phoenix strips it too. */
export function text(raw: string): string {
  const line = raw.trim();
  if (line === '' || /\p{Cc}/u.test(line)) {
    throw new BrokenRule('it is one line of text, and not empty');
  }
  return line;
}

/** Begins as a certificate does. */
export const pemExample = '-----BEGIN CERTIFICATE-----\n…';

/** Text of a PEM file. */
export function pem(raw: string): string {
  if (!/^-----BEGIN [A-Z ]+-----$/m.test(raw)) {
    throw new BrokenRule('it is not PEM text, which begins with -----BEGIN');
  }
  return raw;
}

/** Parts that commas separate, without the whitespace around them. */
export function parts(raw: string): string[] {
  return raw.split(',').map((part) => part.trim());
}

/**
 * The list itself, when nothing stands in it twice.
 * @param what one of its parts, as the beginning of the rule
 */
export function distinct(list: readonly string[], what: string): readonly string[] {
  if (new Set(list).size !== list.length) {
    throw new BrokenRule(`${what} is there twice`);
  }
  return list;
}

/** Days, a whole number; 0 keeps everything. */
export function days(raw: string): number {
  if (!/^\d{1,5}$/.test(raw)) {
    throw new BrokenRule('days are a whole number, and 0 keeps everything for ever', meant.days(raw));
  }
  return Number(raw);
}

/** How many projects, a whole number. */
export function projects(raw: string): number {
  const count = Number(raw);
  if (!/^\d{1,6}$/.test(raw) || count < 1 || count > 100_000) {
    throw new BrokenRule('it is a whole number from 1 to 100000');
  }
  return count;
}

/**
 * Memory as MiB.
 * @param least smallest amount the service starts with, in MiB
 */
export function memory(least: number): (raw: string) => number {
  return size('memory', least, `the service does not start with less than ${least}MiB`);
}

/**
 * Room on a disk as MiB.
 * @param what needs at least so much
 */
export function disk(least: number, what: string): (raw: string) => number {
  return size('room on disk', least, `${what} needs at least ${least}MiB`);
}

/**
 * @param what it is the size of, as the beginning of a rule
 * @param tooLittle the rule that less than `least` breaks
 */
function size(what: string, least: number, tooLittle: string): (raw: string) => number {
  return (raw) => {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)(MiB|GiB)$/.exec(raw) ?? [];
    if (amount === undefined) {
      throw new BrokenRule(`${what} is a number with the unit MiB or GiB, such as 512MiB or 2GiB`, meant.memory(raw));
    }
    const mebibytes = Number(amount) * (unit === 'GiB' ? 1024 : 1);
    if (!Number.isInteger(mebibytes)) {
      throw new BrokenRule(`${what} comes in whole MiB`, meant.memory(raw));
    }
    if (mebibytes < least) {
      throw new BrokenRule(tooLittle, `${least}MiB`);
    }
    return mebibytes;
  };
}

/**
 * CPUs in the text form in which the docker provider reads them back ("1.0", "0.5", but "10."): any
 * other spelling of the same number shows as a change in every preview after a refresh.
 * The provider prints nine decimals; with exactly nine zeros in the text it prints one decimal
 * instead, else it cuts off the zeros at the end (nanoInt64ToDecimalString in its helpers.go).
 */
export function cpus(raw: string): string {
  const value = Number(raw);
  if (!/^\d+(\.\d{1,2})?$/.test(raw) || value < 0.1 || value > 99) {
    throw new BrokenRule('CPUs are a number from 0.1 to 99 with at most two decimals, such as 0.5 or 2', meant.cpus(raw));
  }
  if (/^[1-9]0\.0[1-9]$/.test(value.toFixed(2))) {
    throw new BrokenRule('the docker provider rounds that number to one decimal and would show a change for ever; write it with one decimal');
  }
  if (!Number.isInteger(value)) {
    return String(value);
  }
  return value % 10 === 0 ? `${value}.` : value.toFixed(1);
}

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
    throw new BrokenRule('an address is named twice', meant.addresses(raw));
  }
  for (const [wildcard, version] of [['0.0.0.0', 4], ['::', 6]] as const) {
    if (list.includes(wildcard) && list.filter((address) => net.isIP(address) === version).length > 1) {
      throw new BrokenRule(`${wildcard} already stands for every IPv${version} address, and Docker refuses to publish a port on one of them twice`, list.filter((address) => address === wildcard || net.isIP(address) !== version).join(','));
    }
  }
  return list;
}

/** What a JSON text says; undefined where it is none. */
export function json(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
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
    throw new BrokenRule('a pattern lets a website in that gives itself a name that fits; write every name');
  }
  if (!list.every((name) => net.isIP(name) !== 0 || isHostName(name))) {
    throw new BrokenRule('not every part is a host name such as phoenix.lan: small letters, digits, dashes and dots, without http:// and without a port; commas separate names', better);
  }
  return distinct(list, 'a name');
}

/** What an image lacks in some of its variants, by a word of their tags: the container would start and never be healthy. */
const unfit: Partial<Record<ServiceName, { readonly variant: RegExp; readonly rule: string }>> = {
  gate: { variant: /^(alpine.*|slim|distroless)$/, rule: 'that variant has no bash, which the health check needs; take the one on Debian, whose tag is the version alone' },
  alloy: { variant: /^(windowsservercore|nanoserver|alpine.*)$/, rule: 'that variant is not the one on Linux with bash, which the health check needs; take the one whose tag is the version alone' },
};

/** Image reference that names a full version or a digest, not older than what is supported, of a variant that fits. */
export function image(service: ServiceName): (raw: string) => string {
  return (raw) => {
    const reference = imageReference(raw);
    if (!reference) {
      throw new BrokenRule('it is no image reference; write repository:tag or repository:tag@sha256:digest', meant.image(raw));
    }
    const { tag, digest } = reference;
    if (tag === undefined && digest === undefined) {
      throw new BrokenRule('an image without a tag is latest, which changes without notice; name a version');
    }
    const named = versionIn(tag ?? '');
    if (!named && digest === undefined) {
      throw new BrokenRule('its tag names no full version, such as 1.2.3, so the image changes without notice; name one, or add the digest');
    }
    const { variant, rule = '' } = unfit[service] ?? {};
    if (variant && (tag ?? '').split(/[.+_-]/).some((word) => variant.test(word))) {
      throw new BrokenRule(rule);
    }
    if (named && compareVersions(named.version, oldest[service]) < 0) {
      throw new BrokenRule(`that version is older than ${oldest[service]}, the oldest that is supported`);
    }
    return raw;
  };
}
