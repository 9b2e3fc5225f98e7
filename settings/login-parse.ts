/**
 * Parsers for the settings of auth, passwords and mail, and what those of OIDC and LDAP share. What they refuse is what Phoenix
 * would refuse at its start, with the container in a loop, or would ignore without a word; `config.py` and `auth.py` are its own.
 */
import * as net from 'node:net';
import { domainToUnicode } from 'node:url';
import { isContainerItself } from '../components/address';
import { webUrl } from './address-parse';
import { BrokenRule } from './broken-rule';
import { distinct, parts, text } from './parse';

/** URL at which people reach Phoenix; a path is the part that a proxy takes off. */
export function publicUrl(raw: string): URL {
  const url = webUrl(raw);
  if (/[?#]/.test(raw)) {
    throw new BrokenRule('it is the address of the first page, without ? and #');
  }
  if (!/^(\/[\w.~-]+)*\/?$/.test(url.pathname)) {
    throw new BrokenRule('the names in its path are made of letters, digits and . _ ~ -');
  }
  return url;
}

/** Addresses and networks of proxies, as uvicorn takes them: what it cannot read it ignores without a word. */
export function proxies(raw: string): readonly string[] {
  const list = parts(raw);
  for (const part of list) {
    const [, address = '', length] = /^([\d.]+|[\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(part) ?? [];
    const version = net.isIP(address);
    const bits = version === 0 ? '' : bitsOf(address);
    if (part === '*' || Number(length) === 0) {
      throw new BrokenRule('trusting every proxy lets anyone bypass the login limit with a forged header; name your proxies');
    }
    if (version === 0 || Number(length ?? 1) > bits.length) {
      throw new BrokenRule('not every part is an IP address or a network such as 172.16.0.0/12');
    }
    if (length !== undefined && bits.slice(Number(length)).includes('1')) {
      throw new BrokenRule('a network begins at its first address, as 172.16.0.0/12 does; any other is ignored');
    }
  }
  return list;
}

function bitsOf(address: string): string {
  const binary = (numbers: readonly number[], width: number): string => numbers.map((number) => number.toString(2).padStart(width, '0')).join('');
  if (net.isIPv4(address)) {
    return binary(address.split('.').map(Number), 8);
  }
  // The URL parser writes every IPv6 address in one way, without an IPv4 part.
  const [before = [], after = []] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
    .map((half) => half.split(':').filter(Boolean).map((group) => parseInt(group, 16)));
  return binary([...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after], 16);
}

/** PHOENIX_SECRET and PHOENIX_ADMIN_SECRET: REQUIREMENTS_FOR_PHOENIX_SECRET in auth.py. */
export function phoenixSecret(raw: string): string {
  return sound(raw, [
    ...unfit(raw, 32),
    ...(/[0-9]/.test(raw) ? [] : ['it has no digit']),
    ...(/[a-z]/.test(raw) ? [] : ['it has no lower-case letter']),
  ]);
}

/** Password of a person: PASSWORD_REQUIREMENTS in auth.py. */
export function password(raw: string): string {
  return sound(raw, [...unfit(raw, 4), ...(raw === 'admin' ? ['everyone knows it from the documentation of Phoenix'] : [])]);
}

function unfit(raw: string, least: number): string[] {
  return [
    ...(raw.length < least ? [`it has ${raw.length} ${raw.length === 1 ? 'character' : 'characters'} and needs at least ${least}`] : []),
    ...(/\s/.test(raw) ? ['it has whitespace in it'] : []),
    ...(/[^\x21-\x7e\s]/.test(raw) ? ['it has characters that are not printable ASCII'] : []),
  ];
}

function sound(raw: string, broken: readonly string[]): string {
  if (broken.length > 0) {
    throw new BrokenRule(broken.join('; '));
  }
  return raw;
}

/** Names of API keys; Alloy's own is made in any case. */
export function keyNames(raw: string): readonly string[] {
  if (raw.trim() === '') {
    return [];
  }
  const list = parts(raw);
  if (list.some((name) => !/^[a-z][a-z0-9-]{0,38}$/.test(name))) {
    throw new BrokenRule('a name is a small letter and up to 38 small letters, digits and dashes; commas separate names');
  }
  if (list.includes('alloy')) {
    throw new BrokenRule("alloy is the name of Alloy's own key");
  }
  if (list.some((name) => ['secret', 'admin-secret'].includes(name))) {
    throw new BrokenRule('secret and admin-secret are what `npm run up -- --rotate` calls the secrets of Phoenix itself');
  }
  return distinct(list, 'a name');
}

/** `Name=email;Name=email` (get_env_admins in config.py); the last = of a pair is the one that separates. */
export function admins(raw: string): string {
  const pairs = text(raw).split(';').map((pair) => pair.trim()).filter(Boolean).map((pair) => {
    const [, name = '', address = ''] = /^(.*)=(.*)$/.exec(pair) ?? [];
    return { name: name.trim(), address: address.trim().toLowerCase() };
  });
  // To Phoenix `A=a@x.org,B=b@x.org` is one person with a strange name.
  if (pairs.length === 0 || pairs.some(({ name }) => name === '' || /=.*@.*,/.test(name))) {
    throw new BrokenRule('write Name=email, and ; between one and the next');
  }
  if (pairs.some(({ address }) => !isEmail(address))) {
    throw new BrokenRule('not every address is one that mail can be sent to; Phoenix takes name@host.domain');
  }
  if (pairs.some(({ name }) => name === 'admin' || name === 'system')) {
    throw new BrokenRule('Phoenix already has the users admin and system, and would not create a second one of that name');
  }
  distinct(pairs.map(({ name }) => name), 'a name');
  distinct(pairs.map(({ address }) => address), 'an address');
  return pairs.map(({ name, address }) => `${name}=${address}`).join(';');
}

/** What Python's email_validator takes without asking the DNS, of ASCII. */
function isEmail(address: string): boolean {
  const [, local = '', domain = ''] = /^([\w!#$%&'*+/?^`{|}~.-]{1,64})@([a-z0-9.-]{1,189})$/.exec(address) ?? [];
  const labels = domain.split('.');
  return local.split('.').every(Boolean)
    && labels.length > 1
    && labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label) && !/^(?!xn)..--/.test(label))
    && /[a-z]$/.test(domain)
    // Empty for punycode that stands for nothing.
    && domainToUnicode(domain) !== ''
    && !/\.(arpa|invalid|local|localhost|onion|test)$/.test(domain);
}

/** Sender of a mail, with or without a name before it. */
export function mailFrom(raw: string): string {
  const line = text(raw);
  if (!/^([^<>@]*<)?[^\s<>@]+@[^\s<>@]+>?$/.test(line) || line.includes('<') !== line.endsWith('>')) {
    throw new BrokenRule('write name@host, or Name <name@host>');
  }
  return line;
}

/** Host names with commas between them, or one alone. */
export function hosts(raw: string): string {
  const list = parts(raw);
  if (list.some((host) => !/^[a-z0-9]([\w.-]*[a-z0-9])?$/i.test(host))) {
    throw new BrokenRule('it is a host name without http:// or a port; the port has its own setting');
  }
  if (list.some(isContainerItself)) {
    throw new BrokenRule("inside Phoenix's container that is the container itself");
  }
  return list.join(',');
}

export function host(raw: string): string {
  if (raw.includes(',')) {
    throw new BrokenRule('it is one host name');
  }
  return hosts(raw);
}

/** Whether Phoenix has such a role. */
export const isRole = (role: unknown): boolean => typeof role === 'string' && ['ADMIN', 'MEMBER', 'VIEWER'].includes(role.trim().toUpperCase());
