/**
 * A stack at the edge: an Alloy on another host, which sends to a central stack through that stack's tunnel.
 */
import * as pulumi from '@pulumi/pulumi';
import { largestRequestMiB } from '../components/alloy-config';
import { centralOf } from './central';
import type { Remote } from '../settings/edge-access';
import { Gate } from '../components/gate';
import { alloyOn, forContainers, tokenOutputs, type Host } from './host';
import { DeliveryCheck } from '../components/observability-resources';
import { changedTelemetry, gateNames, imagesOf, signalsOf } from './outputs';
import { deployedStores, storeGates, storeOutputs } from './stores';

/** @returns the outputs of the stack; their names are an interface (ops/support/outputs.ts) */
export function edgeStack(host: Host, remote: Remote): object {
  const { stack, owner, network, settings, facts, engine, dockerHost, provider } = host;
  const central = centralOf(settings, remote);
  // Spans leave the host through it: no answer of the tunnel loses one.
  const gate = new Gate('central-gate', { stack, owner, network, image: settings['gate:image'], backend: central.backend, limits: facts.limits }, { providers: { docker: provider } });

  const deployedHere = deployedStores(host);
  const stores = storeGates(host, deployedHere);
  const deployed = storeOutputs(host, deployedHere);
  const external = stores.map(({ backend }) => backend);
  // Signals with their own store here do not go through the tunnel as well.
  const elsewhere = new Set(external.flatMap(({ signals }) => signals));
  const backends = [{ ...gate.backend, signals: gate.backend.signals.filter((signal) => !elsewhere.has(signal)) }, ...external];
  // A request larger than the other end accepts is refused here, where the sender gets the error.
  const requestMiB = Math.min(largestRequestMiB(settings['alloy:memory']), central.requestMiB);
  const alloy = alloyOn(host, backends, [gate, ...stores], requestMiB);

  const containers = { alloy: alloy.containerName, gate: gate.containerName, ...gateNames(stores) };
  // Phoenix answers through the gate, which speaks TLS on behalf of the client.
  const internal = { otlpHttp: alloy.internal.otlpHttp, alloyUi: alloy.internal.ui, phoenix: gate.internal };
  const far = { stack: settings['edge:central'] ?? '', hostname: central.hostname, sendTo: settings['edge:sendTo'], token: settings['edge:token'] };
  new DeliveryCheck('delivery', {
    engine,
    endpoints: internal,
    containers: { ...containers, ...deployed.containers },
    central: far,
    headers: central.reader,
    redeploy: `npm run up -- --stack ${stack}`,
    path: [gate.server, ...stores.map(({ server }) => server), ...alloy.path],
  }, { dependsOn: [gate, alloy] });

  return {
    /** Addresses on the Docker host; the names are an interface. */
    endpoints: { otlpHttp: alloy.endpoints.otlpHttp, otlpGrpc: alloy.endpoints.otlpGrpc, alloyUi: alloy.endpoints.ui, ...deployed.endpoints },
    /** Where applications in containers send; null if they reach none of the addresses. */
    forContainers: forContainers(host),
    /** Addresses on the private network; Phoenix through the gate, and the tunnel allows only what a check needs. */
    internal,
    /** Where it sends, and with which identity. */
    central: far,
    /** Headers with which a check reads its trace back; secret. */
    reader: pulumi.secret(central.reader),
    /** Who may see Alloy's page; secret. */
    alloyPage: alloy.page,
    ...tokenOutputs(host, alloy),
    signals: signalsOf(backends),
    ...changedTelemetry(settings),
    /** Other hosts send nothing to this stack. */
    remote: null,
    containers: { ...containers, ...deployed.containers },
    volumes: { alloy: alloy.volumeName, ...deployed.volumes },
    dockerHost,
    /** How to reach it; secret, because it may contain the key of a certificate. */
    engine: pulumi.secret(engine),
    images: imagesOf({ alloy: alloy.image, gate: gate.image, ...deployed.images }),
  };
}
