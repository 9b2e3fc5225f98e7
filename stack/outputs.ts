/** Outputs that every kind of stack has. */
import type * as docker from '@pulumi/docker';
import type * as pulumi from '@pulumi/pulumi';
import type { Backend } from '../components/backend';
import type { Gate } from '../components/gate';
import type { Prometheus } from '../components/prometheus';

/** Backend of each signal by name; null if the signal is accepted and discarded. */
export function signalsOf(backends: readonly Backend[]): Record<string, string | null> {
  return Object.fromEntries(
    (['traces', 'metrics', 'logs'] as const).map((signal) => [signal, backends.find(({ signals }) => signals.includes(signal))?.name ?? null]),
  );
}

/** Names of the gates in front of stores of metrics and logs on the Docker host: `lokiGate`, `prometheusGate`. */
export function gateNames(gates: readonly Gate[]): { readonly lokiGate?: pulumi.Output<string>; readonly prometheusGate?: pulumi.Output<string> } {
  return Object.fromEntries(gates.map(({ backend, containerName }) => [`${backend.name}Gate`, containerName]));
}

/** What a stack says about the Prometheus that it deploys; nothing about anybody else's. */
export function prometheusOutputs(prometheus: Prometheus | undefined, port: number): { readonly [K in 'endpoints' | 'containers' | 'volumes']: object } & { readonly images: Readonly<Record<string, docker.RemoteImage>> } {
  return prometheus === undefined ? { endpoints: {}, containers: {}, volumes: {}, images: {} } : {
    endpoints: { prometheus: `http://127.0.0.1:${port}` },
    containers: { prometheus: prometheus.containerName },
    volumes: { prometheus: prometheus.volumeName },
    images: { prometheus: prometheus.image },
  };
}

/** What actually runs: the reference, and the digest in an image registry (empty for an image that was built here). */
export function imagesOf(images: Readonly<Record<string, docker.RemoteImage>>): object {
  return Object.fromEntries(Object.entries(images).map(([service, { name, repoDigest, imageId }]) => [service, { name, digest: repoDigest, id: imageId }]));
}
