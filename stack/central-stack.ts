/**
 * A stack with Phoenix: applications and, through a tunnel, other hosts send to its Alloy.
 */
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { largestRequestOf } from './largest-request';
import type { Backend } from '../components/backend';
import { aliases, firstAdmin, phoenixMetrics } from '../components/catalog';
import { hostName, stackLabel } from '../components/names';
import { databaseOf } from './database';
import { destinationsOf } from '../settings/destinations';
import { doorOf } from './door';
import { Egress, portsOf } from '../components/egress';
import { exampleOn } from './example';
import { Gate } from '../components/gate';
import { closedFile } from '../components/gate-config';
import { grafanaOn } from './grafana';
import { alloyOn, forContainers, tokenOutputs, type Host } from './host';
import { networkArgs } from '../settings/network';
import { endsOn, nearness } from '../settings/ending';
import { ApiKeyList, DeliveryCheck, Intake, type CloudflareAccount } from '../components/observability-resources';
import { Journal } from '../components/journal';
import { changedTelemetry, gateNames, imagesOf, optionalOutputs, signalsOf } from './outputs';
import { Phoenix } from '../components/phoenix';
import { loginEnvironment } from './phoenix-env';
import { nothingRemote, publish, serviceTokensOf } from './publication';
import { deployedStores, storeGates, storeOutputs } from './stores';
import { tlsOn } from './tls';
import { hoursOf } from '../settings/tunnel-parse';

/** @returns the outputs of the stack; their names are an interface (ops/support/outputs.ts) */
export async function centralStack(host: Host, account: CloudflareAccount | undefined): Promise<object> {
  const { stack, owner, network, checked, settings, facts, engine, dockerHost, provider, warn } = host;
  const on = { providers: { docker: provider } };
  const auth = settings['phoenix:auth'];
  const login = loginEnvironment(settings);
  const destinations = destinationsOf(settings);
  const edges = serviceTokensOf(settings);

  // Phoenix's network: nothing gets out, and the only way in is the gate.
  const store = new docker.Network('store', {
    name: hostName('observability', stack, 'store'),
    labels: [{ label: stackLabel, value: owner }],
    internal: true,
    // Otherwise containers could reach everything that listens on all addresses of the host, through the host's address here.
    ...networkArgs(settings, 'second', facts.hostless ? { 'com.docker.network.bridge.inhibit_ipv4': 'true' } : {}),
  }, { provider, dependsOn: checked, deleteBeforeReplace: true });
  const egress = destinations.length > 0
    ? new Egress('phoenix-egress', { stack, owner, network, image: settings['gate:image'], destinations, limits: facts.limits }, on)
    : undefined;
  // One name leads to one container, so what else Phoenix reaches on that host takes the same way.
  const beside = destinations.filter(({ host }) => host === settings['phoenix:database']?.host);
  const front = beside.length > 0
    ? new Egress('phoenix-database', {
        stack,
        owner,
        network,
        image: settings['gate:image'],
        destinations: portsOf(beside).map((port) => ({ host: aliases.egress, port, nameless: true })),
        front: { network: store, names: [...new Set(beside.map(({ host }) => host))] },
        limits: facts.limits,
      }, { ...on, ...(egress ? { dependsOn: egress } : {}) })
    : undefined;
  const phoenix = new Phoenix('phoenix', {
    stack,
    owner,
    network: store,
    image: settings['phoenix:image'],
    retentionDays: settings['phoenix:retentionDays'],
    auth,
    own: {
      secret: settings['phoenix:secret'],
      adminSecret: settings['phoenix:adminSecret'],
      firstPassword: settings['phoenix:adminPassword'],
    },
    // Each host at the edge has its own key, named after its service token.
    apiKeys: [...new Set([...settings['phoenix:apiKeys'], ...edges])],
    ending: { names: edges, hours: hoursOf(settings['tunnel:tokenDuration']) },
    env: login.env,
    secretEnv: login.secrets,
    engine,
    database: databaseOf(settings),
    storageMiB: settings['phoenix:storage'],
    mostProjects: settings['phoenix:projects'],
    memoryMiB: settings['phoenix:memory'],
    cpus: settings['phoenix:cpus'],
    limits: facts.limits,
    metrics: settings['phoenix:metrics'] && facts.ipv6,
    protectData: settings['data:protect'],
    redeploy: `npm run up -- --stack ${stack}`,
  }, { ...on, ...(front ? { dependsOn: front } : {}) });

  // Without auth nobody is asked for a key.
  for (const [key, end] of auth ? Object.entries(phoenix.keyEnds) : []) {
    end.apply((known) => Promise.all(endWarnings(stack, 'API key', key, known).map(warn)));
  }

  const journal = settings['phoenix:journal']
    ? new Journal('journal', {
        stack,
        owner,
        network: store,
        image: phoenix.image,
        phoenix: phoenix.internal,
        metrics: settings['phoenix:metrics'] && facts.ipv6,
        authorization: phoenix.backend.headers?.['authorization'],
        limits: facts.limits,
      }, on)
    : undefined;
  const networks = network.ipamConfigs.apply((ranges) => ranges.flatMap(({ subnet }) => subnet ?? []));
  // Without proxies the ranges do not matter, and a preview of a new stack shows what it creates.
  const behindProxies = settings['phoenix:rootUrl'] !== undefined && settings['phoenix:trustedProxies'] === undefined;
  const gate = new Gate('phoenix-gate', {
    stack,
    owner,
    network,
    image: settings['gate:image'],
    backend: phoenix.backend,
    journal: journal?.internal,
    door: {
      store,
      destinations: destinations.filter((one) => !beside.includes(one)),
      rules: behindProxies ? networks.apply((ranges) => doorOf(settings, ranges)) : doorOf(settings, []),
      bind: settings['phoenix:bind'],
      tls: tlsOn(settings, settings['phoenix:bind'], facts.bridge),
      uiPort: settings['phoenix:uiPort'],
      otlpGrpcPort: settings['phoenix:otlpGrpcPort'],
      otlpHttpPort: settings['phoenix:otlpHttpPort'],
      listed: facts.listed,
      auth,
      ingestKeys: [phoenix.alloyKey, ...edges.flatMap((token) => phoenix.apiKeys[token] ?? [])],
      after: phoenix.container,
    },
    limits: facts.limits,
  }, { ...on, ...(journal ? { dependsOn: journal } : {}) });
  const door = gate.endpoints;

  const deployedHere = deployedStores(host);
  const stores = storeGates(host, deployedHere);
  const deployed = storeOutputs(host, deployedHere);
  const backends: Backend[] = [gate.backend, ...stores.map(({ backend }) => backend)];
  const alloy = alloyOn(host, backends, [gate, ...stores], largestRequestOf(settings));

  const page = settings['phoenix:rootUrl']?.href.replace(/\/$/, '') ?? door?.ui;
  const grafana = await grafanaOn(host, page ?? '', deployedHere.prometheus?.internal);
  const dashboards = optionalOutputs('grafana', grafana, grafana?.endpoint ?? '');

  const containers = { phoenix: phoenix.containerName, alloy: alloy.containerName, gate: gate.containerName, ...(journal ? { journal: journal.containerName } : {}), ...(egress ? { egress: egress.containerName } : {}), ...(front ? { database: front.containerName } : {}), ...gateNames(stores) };
  const internal = { otlpHttp: alloy.internal.otlpHttp, alloyUi: alloy.internal.ui, phoenix: gate.page };
  const intake = new Intake('intake', {
    engine,
    gate: gate.containerName,
    closedFile,
    phoenix: phoenix.containerName,
    metrics: phoenix.metrics,
    server: phoenix.server,
    entrance: gate.server,
  });
  const delivery = new DeliveryCheck('delivery', {
    engine,
    endpoints: internal,
    metrics: phoenixMetrics,
    containers: { ...containers, ...deployed.containers },
    auth,
    adminSecret: phoenix.adminSecret,
    redeploy: `npm run up -- --stack ${stack}`,
    path: [...phoenix.path, ...(journal ? [journal.server] : []), gate.server, ...stores.map(({ server }) => server), ...alloy.path],
  }, { dependsOn: intake });

  const example = exampleOn(host, phoenix.image, alloy);

  const services = { page: gate.page, phoenixOtlp: gate.internal, otlp: alloy.internal.otlpHttp };
  const published = account && (await publish(host, account, services, phoenix, delivery));
  published?.remote.apply(({ tokens }) =>
    Promise.all(Object.entries(tokens).flatMap(([token, { expiresAt }]) => endWarnings(stack, 'service token', token, expiresAt)).map(warn)));

  // Last: until everything has succeeded, replaced keys may still be in use, at the edge too.
  new ApiKeyList('api-keys', phoenix.keyList, { dependsOn: published ? [delivery, published.component] : delivery });

  const images: Record<string, docker.RemoteImage> = { phoenix: phoenix.image, alloy: alloy.image, gate: gate.image, ...(published ? { tunnel: published.image } : {}), ...deployed.images, ...dashboards.images };
  return {
    /** Addresses on the Docker host; the names are an interface. */
    endpoints: {
      otlpHttp: alloy.endpoints.otlpHttp,
      otlpGrpc: alloy.endpoints.otlpGrpc,
      phoenixUi: door?.ui,
      phoenixOtlpHttp: door?.otlpHttp,
      phoenixOtlpGrpc: door?.otlpGrpc,
      alloyUi: alloy.endpoints.ui,
      ...deployed.endpoints,
      ...dashboards.endpoints,
      ...(example ? { example: example.endpoint } : {}),
    },
    /** Where applications in containers send; null if they reach none of the addresses. */
    forContainers: forContainers(host),
    /** Addresses on the private network. */
    internal,
    /** Who has access, and how; the rest of these is secret. */
    auth,
    login: auth ? { url: page, email: firstAdmin, password: phoenix.firstPassword } : null,
    adminSecret: phoenix.adminSecret,
    alloyPage: alloy.page,
    ...(grafana ? { grafanaLogin: grafana.login } : {}),
    ...tokenOutputs(host, alloy),
    apiKeys: auth ? Object.fromEntries(settings['phoenix:apiKeys'].map((name) => [name, phoenix.apiKeys[name]])) : {},
    /** Backend of each signal by name; null if the signal is accepted and discarded. */
    signals: signalsOf(backends),
    ...changedTelemetry(settings),
    /** The tunnel, and what stacks at the edge read from this one; null if nothing is published. */
    tunnel: published?.tunnel ?? null,
    remote: published?.remote ?? nothingRemote,
    remoteAccess: published?.remoteAccess ?? {},
    /** Names on the Docker host, for the commands that operate the stack: verify, backup, purge. */
    containers: { ...containers, ...deployed.containers, ...dashboards.containers, ...(example ? { example: example.containerName } : {}) },
    volumes: { phoenix: phoenix.volumeName, alloy: alloy.volumeName, ...(journal ? { journal: journal.volumeName } : {}), ...deployed.volumes, ...dashboards.volumes },
    dockerHost,
    /** How to reach it; secret, because it may contain the key of a certificate. */
    engine: pulumi.secret(engine),
    images: imagesOf(images),
  };
}

/** Warnings about the expiry of the credentials of a stack at the edge. */
export function endWarnings(stack: string, what: 'API key' | 'service token', name: string, end: string, now = Date.now()): string[] {
  const rotated = what === 'API key' ? name : `token:${name}`;
  return nearness(end, now) === 'far' ? []
    : [`the ${what} ${name} ${endsOn(end, now)}: npm run up -- --stack ${stack} --rotate ${rotated}, then deploy the stack at the edge that has it, with a new file of \`npm run invite\` if it was given one`];
}
