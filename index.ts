/**
 * Wiring only: settings in, components, outputs.
 */
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { Alloy } from './components/alloy';
import type { Backend } from './components/backend';
import { hostName, stackLabel } from './components/catalog';
import { externalBackends } from './components/external-backends';
import { Phoenix } from './components/phoenix';
import { inspectHost } from './components/preflight';
import { report, withoutSecrets } from './components/problem';
import { readSettings } from './components/settings';

// The SDK records a stack trace for every property of every resource, and ts-node maps each of its frames back
// to TypeScript: with ten frames, V8's default, that was 0.6 s of CPU of every preview. The top ones say where.
Error.stackTraceLimit = 2;

export = async (): Promise<object> => {
  const stack = pulumi.getStack();
  const project = pulumi.getProject();
  const owner = `${project}/${stack}`;

  // Which values are secrets is something only the language host knows; the SDK has no public way to ask.
  const secretKeys: string[] = JSON.parse(process.env['PULUMI_CONFIG_SECRET_KEYS'] ?? '[]');
  const config = pulumi.runtime.allConfig();
  const secrets = secretKeys.map((key) => config[key] ?? '');
  const { settings, problems: wrong } = readSettings(config, project, (key) => secretKeys.includes(key));
  const host = await inspectHost(settings, owner, pulumi.runtime.isDryRun());
  // A broken setting stands at its default: what the host says of that is not about the one that was set.
  const told = new Set(wrong.map(({ key }) => key));
  const problems = [...wrong, ...host.problems.filter(({ key }) => !told.has(key))];
  if (problems.length > 0) {
    throw new pulumi.RunError(report(stack, problems, secrets));
  }
  await Promise.all(host.warnings.map((warning) => pulumi.log.warn(withoutSecrets(warning, secrets))));

  const network = new docker.Network('network', {
    name: hostName('observability', stack),
    labels: [{ label: stackLabel, value: owner }],
  });

  const phoenix = new Phoenix('phoenix', {
    stack,
    owner,
    network,
    image: settings['phoenix:image'],
    uiPort: settings['phoenix:uiPort'],
    otlpGrpcPort: settings['phoenix:otlpGrpcPort'],
    otlpHttpPort: settings['phoenix:otlpHttpPort'],
    listed: host.listed,
    retentionDays: settings['phoenix:retentionDays'],
    memoryMiB: settings['phoenix:memory'],
    cpus: settings['phoenix:cpus'],
  });

  const backends: Backend[] = [phoenix.backend, ...externalBackends(settings['prometheus:url'], settings['loki:url'])];
  const alloy = new Alloy('alloy', {
    stack,
    owner,
    network,
    image: settings['alloy:image'],
    backends,
    bind: host.bind,
    listed: host.listed,
    otlpGrpcPort: settings['alloy:otlpGrpcPort'],
    otlpHttpPort: settings['alloy:otlpHttpPort'],
    uiPort: settings['alloy:uiPort'],
    memoryMiB: settings['alloy:memory'],
    cpus: settings['alloy:cpus'],
  });

  return {
    /** Addresses on the Docker host; the names are an interface. */
    endpoints: {
      otlpHttp: alloy.endpoints.otlpHttp,
      otlpGrpc: alloy.endpoints.otlpGrpc,
      phoenixUi: phoenix.endpoints.ui,
      phoenixOtlpHttp: phoenix.endpoints.otlpHttp,
      phoenixOtlpGrpc: phoenix.endpoints.otlpGrpc,
      alloyUi: alloy.endpoints.ui,
    },
    /** Backend of each signal by name; null where it is accepted and discarded. */
    signals: Object.fromEntries(
      (['traces', 'metrics', 'logs'] as const).map((signal) => [
        signal,
        backends.find(({ signals }) => signals.includes(signal))?.name ?? null,
      ]),
    ),
    /** Names on the Docker host, for what operates the stack: verify, backup, purge. */
    containers: { phoenix: phoenix.containerName, alloy: alloy.containerName },
    volumes: { phoenix: phoenix.volumeName, alloy: alloy.volumeName },
    dockerHost: settings['docker:host'] ?? null,
    /** What actually runs: the reference, and the digest an image registry knows it by (empty for an image built here). */
    images: Object.fromEntries(
      Object.entries({ phoenix: phoenix.image, alloy: alloy.image }).map(([service, { name, repoDigest, imageId }]) => [
        service,
        { name, digest: repoDigest, id: imageId },
      ]),
    ),
  };
};
