/**
 * Wiring only: settings in, components, outputs.
 */
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { Alloy } from './components/alloy';
import type { Backend } from './components/backend';
import { firstAdmin, hostName, stackLabel } from './components/catalog';
import { externalBackends } from './components/external-backends';
import { closedFile, Gate } from './components/gate';
import { DeliveryCheck, Intake } from './components/observability';
import { Phoenix } from './components/phoenix';
import { loginEnvironment } from './components/phoenix-login';
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

  const auth = settings['phoenix:auth'];
  const login = loginEnvironment(settings);
  const phoenix = new Phoenix('phoenix', {
    stack,
    owner,
    network,
    image: settings['phoenix:image'],
    bind: settings['phoenix:bind'],
    uiPort: settings['phoenix:uiPort'],
    otlpGrpcPort: settings['phoenix:otlpGrpcPort'],
    otlpHttpPort: settings['phoenix:otlpHttpPort'],
    listed: host.listed,
    retentionDays: settings['phoenix:retentionDays'],
    auth,
    own: {
      secret: settings['phoenix:secret'],
      adminSecret: settings['phoenix:adminSecret'],
      firstPassword: settings['phoenix:adminPassword'],
    },
    apiKeys: settings['phoenix:apiKeys'],
    proxied: settings['phoenix:rootUrl'] !== undefined,
    env: login.env,
    secretEnv: login.secrets,
    engine: settings['docker:host'],
    memoryMiB: settings['phoenix:memory'],
    cpus: settings['phoenix:cpus'],
  });

  const gate = new Gate('phoenix-gate', { stack, owner, network, image: settings['gate:image'], backend: phoenix.backend });

  const backends: Backend[] = [gate.backend, ...externalBackends(settings['prometheus:url'], settings['loki:url'])];
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
  }, { dependsOn: gate });

  const containers = { phoenix: phoenix.containerName, alloy: alloy.containerName, gate: gate.containerName };
  const internal = { otlpHttp: alloy.internal.otlpHttp, alloyUi: alloy.internal.ui, phoenix: phoenix.internal };
  const engine = settings['docker:host'] ?? '';
  const intake = new Intake('intake', {
    engine,
    gate: gate.containerName,
    closedFile,
    phoenix: phoenix.containerName,
    metrics: phoenix.metrics,
    server: phoenix.server,
    entrance: gate.server,
  });
  new DeliveryCheck('delivery', {
    engine,
    endpoints: internal,
    metrics: phoenix.metrics,
    containers,
    auth,
    adminSecret: phoenix.adminSecret,
    redeploy: `npm run up -- --stack ${stack}`,
    path: [...phoenix.path, gate.server, ...alloy.path],
  }, { dependsOn: intake });

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
    /** Addresses on the private network. */
    internal,
    /** Who gets in, and how; the rest of these is secret. */
    auth,
    login: auth ? { url: settings['phoenix:rootUrl']?.href.replace(/\/$/, '') ?? phoenix.endpoints.ui, email: firstAdmin, password: phoenix.firstPassword } : null,
    adminSecret: phoenix.adminSecret,
    apiKeys: auth ? phoenix.apiKeys : {},
    /** Backend of each signal by name; null where it is accepted and discarded. */
    signals: Object.fromEntries(
      (['traces', 'metrics', 'logs'] as const).map((signal) => [
        signal,
        backends.find(({ signals }) => signals.includes(signal))?.name ?? null,
      ]),
    ),
    /** Names on the Docker host, for what operates the stack: verify, backup, purge. */
    containers,
    volumes: { phoenix: phoenix.volumeName, alloy: alloy.volumeName },
    dockerHost: settings['docker:host'] ?? null,
    /** What actually runs: the reference, and the digest an image registry knows it by (empty for an image built here). */
    images: Object.fromEntries(
      Object.entries({ phoenix: phoenix.image, alloy: alloy.image, gate: gate.image }).map(([service, { name, repoDigest, imageId }]) => [
        service,
        { name, digest: repoDigest, id: imageId },
      ]),
    ),
  };
};
