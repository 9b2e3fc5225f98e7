import type { Digest, State, Step } from '../../ops/support/preview/digest';

export const container = 'docker:index/container:Container';
export const volume = 'docker:index/volume:Volume';
export const network = 'docker:index/network:Network';
export const image = 'docker:index/remoteImage:RemoteImage';
export const tunnel = 'cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared';
export const dnsRecord = 'cloudflare:index/dnsRecord:DnsRecord';
export const serviceToken = 'cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken';
export const password = 'random:index/randomPassword:RandomPassword';

/** A resource of the stack `dev` before or after. */
export interface Given extends Readonly<Record<string, unknown>> {
  readonly name?: string;
}

export type Options = Pick<State, 'protect' | 'retainOnDelete' | 'parent'>;

export const urnOf = (type: string, resource: string): string => `urn:pulumi:dev::llm-observability::${type}::${resource}`;

const state = (type: string, inputs: Given, options: Options): State => ({ type, inputs, ...options });

/** Steps as `pulumi preview --json` prints them, as short as they can be written. */
export const creates = (type: string, resource: string, inputs: Given = {}, options: Options = {}): Step =>
  ({ op: 'create', urn: urnOf(type, resource), newState: state(type, inputs, options) });
export const removes = (type: string, resource: string, inputs: Given = {}, options: Options = {}): Step =>
  ({ op: 'delete', urn: urnOf(type, resource), oldState: state(type, inputs, options) });
export const replaces = (type: string, resource: string, before: Given, after: Given = before, options: Options = {}): Step =>
  ({ op: 'replace', urn: urnOf(type, resource), oldState: state(type, before, options), newState: state(type, after, options) });
export const changes = (type: string, resource: string, before: Given, after: Given = before, options: Options = {}): Step =>
  ({ op: 'update', urn: urnOf(type, resource), oldState: state(type, before, options), newState: state(type, after, options) });
export const keeps = (type: string, resource: string, before: Options = {}, after: Options = before): Step =>
  ({ op: 'same', urn: urnOf(type, resource), oldState: state(type, { name: resource }, before), newState: state(type, { name: resource }, after) });

export const digest = (...steps: Step[]): Digest => ({ steps });
