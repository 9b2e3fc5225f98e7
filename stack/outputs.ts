/** Outputs that every kind of stack has. */
import type * as docker from '@pulumi/docker';
import type * as pulumi from '@pulumi/pulumi';
import type { Backend } from '../components/backend';
import type { Gate } from '../components/gate';

/** Backend of each signal by name; null if the signal is accepted and discarded. */
export function signalsOf(backends: readonly Backend[]): Record<string, string | null> {
  return Object.fromEntries(
    (['traces', 'metrics', 'logs'] as const).map((signal) => [signal, backends.find(({ signals }) => signals.includes(signal))?.name ?? null]),
  );
}

/** Names of the gates in front of other people's stores on the Docker host: `lokiGate`, `prometheusGate`. */
export function gateNames(gates: readonly Gate[]): { readonly lokiGate?: pulumi.Output<string>; readonly prometheusGate?: pulumi.Output<string> } {
  return Object.fromEntries(gates.map(({ backend, containerName }) => [`${backend.name}Gate`, containerName]));
}

/** What actually runs: the reference, and the digest in an image registry (empty for an image that was built here). */
export function imagesOf(images: Readonly<Record<string, docker.RemoteImage>>): object {
  return Object.fromEntries(Object.entries(images).map(([service, { name, repoDigest, imageId }]) => [service, { name, digest: repoDigest, id: imageId }]));
}
