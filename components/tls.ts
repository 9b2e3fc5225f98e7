/**
 * TLS on ports that are published beyond this machine: on loopback a port stays plain, on the other addresses the same port
 * leads to a port in the container that accepts only TLS.
 */
import type * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { isWildcard, reachable } from './address';
import { dockerHost, tlsFiles } from './catalog';
import { fileVolume } from './file-volume';
import { secretLabel } from './config-label';
import * as workload from './workload';
import { wrongInput } from './wrong-input';

/** A certificate, and the host addresses that use it. */
export interface Tls {
  /** PEM text: the certificate and its chain. */
  readonly certificate: pulumi.Input<string>;
  /** PEM text; secret. */
  readonly key: pulumi.Input<string>;
  readonly addresses: readonly string[];
}

/**
 * @param property that holds the TLS settings
 * @throws InputPropertyError for an address that is not in `bind`: it would be published nonetheless
 */
export function checkTls(property: string, tls: Tls | undefined, bind: readonly string[]): void {
  const others = tls?.addresses.filter((address) => !bind.includes(address)) ?? [];
  if (others.length > 0) {
    throw wrongInput(`${property}.addresses`, `${others.join(', ')} is not in bind`);
  }
}

/** A host port, and where it leads: to `plain`, and from the addresses of others, with TLS or a token, to `others`. */
export function published(inside: { readonly plain: number; readonly others: number }, external: number, addresses: readonly string[], others: readonly string[]): workload.PublishedPort[] {
  return [
    { internal: inside.plain, external, addresses: addresses.filter((address) => !others.includes(address)) },
    { internal: inside.others, external, addresses: others },
  ].filter((port) => port.addresses.length > 0);
}

/** Base URL of such a port at an address, for a client on the Docker host. */
export const urlAt = (address: string, port: number, tls: Tls | undefined): string =>
  `http${tls?.addresses.includes(address) ? 's' : ''}://${reachable(address)}:${port}`;

/**
 * The same for a client in a container; null if it is not published on an address that containers reach.
 * @param bridge gateway of Docker's bridge, by which containers reach the host; none if it is unknown, or if they reach loopback
 */
export function urlForContainers(addresses: readonly string[], port: number, tls: Tls | undefined, bridge: readonly string[]): string | null {
  const at = addresses.find((address) => isWildcard(address) || bridge.includes(address)) ?? (bridge.length === 0 ? addresses[0] : undefined);
  return at === undefined ? null : `http${tls?.addresses.includes(at) ? 's' : ''}://${dockerHost}:${port}`;
}

export interface TlsVolumeArgs {
  /** Names on the Docker host. */
  readonly volumeName: string;
  readonly containerName: string;
  /** Has `chown`. */
  readonly image: docker.RemoteImage;
  /** `project/stack`. */
  readonly owner: string;
  readonly directory: string;
  /** `uid:gid` of the only user who can read them. */
  readonly reader: string;
}

/** The volume with the certificate and key for one service. */
export function tlsVolume(name: string, { certificate, key }: Tls, args: TlsVolumeArgs, opts: pulumi.CustomResourceOptions): { readonly mount: workload.Mount; readonly written: pulumi.Output<docker.Container> } {
  const { directory, ...rest } = args;
  const paths = tlsFiles(directory);
  const { mount, written } = fileVolume(
    { volume: name, files: `${name}-files` },
    { ...rest, path: directory, files: { [paths.certificate]: certificate, [paths.key]: pulumi.secret(key) }, giver: 'chown' },
    opts,
  );
  return { mount, written: workload.mustSucceed(written, 'The certificate and its key (tls:certificate, tls:key) were not given to their reader') };
}

/** A label that changes with the certificate or the key. Nobody can guess the key, so the label is not a secret. */
export const tlsLabel = ({ certificate, key }: Tls): Record<string, pulumi.Output<string>> =>
  secretLabel(pulumi.output(certificate), pulumi.secret(key));
