/** Outputs that every kind of stack has. */
import type * as docker from '@pulumi/docker';
import type * as pulumi from '@pulumi/pulumi';
import type { Backend } from '../components/backend';
import type { Gate } from '../components/gate';
import { removedBy, type RedactSettings } from '../settings/redact';

/** Backend of each signal by name; null if the signal is accepted and discarded. */
export function signalsOf(backends: readonly Backend[]): Record<string, string | null> {
  return Object.fromEntries(
    (['traces', 'metrics', 'logs'] as const).map((signal) => [signal, backends.find(({ signals }) => signals.includes(signal))?.name ?? null]),
  );
}

/** What Alloy does to telemetry on its way: the settings that remove something, and the share of traces that it keeps, in percent. Absent if it passes on everything as it is. */
export function changedTelemetry(settings: RedactSettings & { readonly 'sampling:percent': number }): { readonly redactedBy?: readonly string[]; readonly sampledPercent?: number } {
  const [redactedBy, sampledPercent] = [removedBy(settings), settings['sampling:percent']];
  return { ...(redactedBy.length > 0 ? { redactedBy } : {}), ...(sampledPercent < 100 ? { sampledPercent } : {}) };
}

/** Names of the gates in front of stores of metrics and logs on the Docker host: `prometheusGate`, `lokiGate`, `victorialogsGate`. */
export function gateNames(gates: readonly Gate[]): { readonly [K in 'prometheusGate' | 'lokiGate' | 'victorialogsGate']?: pulumi.Output<string> } {
  return Object.fromEntries(gates.map(({ backend, containerName }) => [`${backend.name}Gate`, containerName]));
}

/** A service that a stack has only with a setting. */
interface OptionalService {
  readonly containerName: pulumi.Output<string>;
  readonly volumeName: pulumi.Output<string>;
  readonly image: docker.RemoteImage;
}

/**
 * Outputs of such a service, by kind; none without it.
 * @param name of the service in each of them
 * @param endpoint URL of its page on the Docker host
 */
export function optionalOutputs(name: string, service: OptionalService | undefined, endpoint: string): { readonly [K in 'endpoints' | 'containers' | 'volumes']: object } & { readonly images: Readonly<Record<string, docker.RemoteImage>> } {
  return service === undefined ? { endpoints: {}, containers: {}, volumes: {}, images: {} } : {
    endpoints: { [name]: endpoint },
    containers: { [name]: service.containerName },
    volumes: { [name]: service.volumeName },
    images: { [name]: service.image },
  };
}

/** What actually runs: the reference, and the digest in an image registry (empty for an image that was built here). */
export function imagesOf(images: Readonly<Record<string, docker.RemoteImage>>): object {
  return Object.fromEntries(Object.entries(images).map(([service, { name, repoDigest, imageId }]) => [service, { name, digest: repoDigest, id: imageId }]));
}
