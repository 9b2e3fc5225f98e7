/**
 * Settings of the Docker networks of a stack: their addresses, and how large a packet may be.
 */
import * as net from 'node:net';
import { optional } from './setting';
import type { Problem } from './problem';
import type { Settings } from './keys';
import { BrokenRule } from './broken-rule';

/** A part of the settings: `keys.ts` has all of them. */
export const networkKeys = {
  'network:subnet': optional(
    '10.212.0.0/24',
    'IPv4 addresses of the networks of the stack, of which each takes half; without it Docker chooses them. Set it where a VPN or the network of the host has the addresses that Docker chooses',
    subnet,
  ),
  'network:mtu': optional('1400', 'Largest packet in bytes on these networks, from 576 to 9000; without it that of the Docker Engine. Set it to that of a VPN through which the Docker host reaches others', mtu),
} as const;

const anyPrivate: readonly (readonly [string, number])[] = [['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], ['100.64.0.0', 10]];

/** Shortest and longest prefix: half of the longest still has addresses for all containers of a stack, with every connector of a tunnel. */
const [widest, narrowest] = [8, 25];

/** An IPv4 range. */
interface Range {
  readonly first: number;
  readonly length: number;
}

const toNumber = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const toAddress = (number: number): string => [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.');
const toText = ({ first, length }: Range): string => `${toAddress(first)}/${length}`;
const size = (length: number): number => 2 ** (32 - length);

/** The range of an address; undefined for anything that is no IPv4 range. */
function rangeOf(raw: string): Range | undefined {
  const [, address = '', prefix = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(raw) ?? [];
  const length = Number(prefix);
  return net.isIPv4(address) && length <= 32 && prefix !== '' ? { first: Math.floor(toNumber(address) / size(length)) * size(length), length } : undefined;
}

const overlap = (a: Range, b: Range): boolean => a.first < b.first + size(b.length) && b.first < a.first + size(a.length);
const isWithin = (a: Range, b: Range): boolean => a.length >= b.length && overlap(a, b);

export function subnet(raw: string): string {
  const range = rangeOf(raw);
  if (range === undefined) {
    throw new BrokenRule('it is a range of IPv4 addresses, with the number of bits that all of them share: 10.212.0.0/24', net.isIPv4(raw) ? subnetOr(`${raw}/24`) : undefined);
  }
  if (range.length < widest || range.length > narrowest) {
    throw new BrokenRule(`it has from ${widest} to ${narrowest} bits: two networks with room for all containers come from it`, range.length > narrowest ? subnetOr(toText(rangeOf(`${toAddress(range.first)}/24`) ?? range)) : undefined);
  }
  if (!anyPrivate.some(([address, length]) => isWithin(range, { first: toNumber(address), length }))) {
    throw new BrokenRule(`it is a private range, within ${anyPrivate.map((part) => part.join('/')).join(', ')}: the containers could not reach the hosts that others have there`);
  }
  if (toText(range) !== raw) {
    throw new BrokenRule(`it begins at the first address of the range, which is ${toAddress(range.first)}`, toText(range));
  }
  return raw;
}

/** What may have been meant, if it is valid. */
function subnetOr(raw: string): string | undefined {
  try {
    return subnet(toText(rangeOf(raw) as Range));
  } catch {
    return undefined;
  }
}

export function mtu(raw: string): number {
  const value = Number(raw);
  if (!/^\d+$/.test(raw) || value < 576 || value > 9000) {
    throw new BrokenRule('it is a number of bytes from 576 to 9000, such as 1400', /^\d+ ?(b|bytes)$/i.test(raw) ? String(parseInt(raw, 10)) : undefined);
  }
  return value;
}

/** The ranges of the two networks. */
export function halvesOf(own: string): readonly [string, string] {
  const { first, length } = rangeOf(own) as Range;
  return [toText({ first, length: length + 1 }), toText({ first: first + size(length + 1), length: length + 1 })];
}

/** Arguments of a network of the stack. @param half which half of the range it uses */
export function networkArgs(settings: Pick<Settings, 'network:subnet' | 'network:mtu'>, half: 'first' | 'second', options: Readonly<Record<string, string>> = {}): { ipamConfigs?: { subnet: string }[]; options?: Record<string, string> } {
  const own = settings['network:subnet'];
  const all = { ...options, ...(settings['network:mtu'] === undefined ? {} : { 'com.docker.network.driver.mtu': String(settings['network:mtu']) }) };
  return {
    ...(own === undefined ? {} : { ipamConfigs: [{ subnet: halvesOf(own)[half === 'first' ? 0 : 1] }] }),
    ...(Object.keys(all).length > 0 ? { options: all } : {}),
  };
}

/** A network of the engine: only its addresses. */
export interface Addressed {
  readonly Name: string;
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string }[] | null };
}

/** What Docker would refuse halfway: another network uses addresses of the range. @param others networks that are not the stack's */
export function subnetProblems(settings: Pick<Settings, 'network:subnet'>, others: readonly Addressed[]): Problem[] {
  const own = settings['network:subnet'];
  const range = own === undefined ? undefined : rangeOf(own);
  const taken = others.flatMap(({ Name, IPAM }) => (IPAM?.Config ?? []).flatMap(({ Subnet = '' }) => {
    const theirs = rangeOf(Subnet);
    return theirs === undefined ? [] : [{ Name, Subnet, theirs }];
  }));
  const found = range === undefined ? undefined : taken.find(({ theirs }) => overlap(range, theirs));
  if (own === undefined || range === undefined || found === undefined) {
    return [];
  }
  // The next range of the same size that is free, in the same private space.
  const space = anyPrivate.map(([address, length]) => ({ first: toNumber(address), length })).find((each) => isWithin(range, each)) ?? range;
  let next: Range | undefined;
  for (let first = space.first; next === undefined && first < space.first + size(space.length); first += size(range.length)) {
    const offer = { first, length: range.length };
    next = taken.some(({ theirs }) => overlap(offer, theirs)) ? undefined : offer;
  }
  return [{
    key: 'network:subnet',
    value: own,
    rule: `the Docker network ${found.Name} has addresses of it (${found.Subnet})`,
    mend: next === undefined ? ['pulumi config rm network:subnet', 'docker network ls'] : [`pulumi config set network:subnet ${toText(next)}`],
  }];
}
