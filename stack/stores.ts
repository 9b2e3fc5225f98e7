/**
 * The stores of metrics and logs of a stack: those that it deploys, and the gates in front of these and of those that somebody
 * else runs.
 */
import type * as docker from '@pulumi/docker';
import type * as pulumi from '@pulumi/pulumi';
import type { Backend } from '../components/backend';
import { dockerHost } from '../components/catalog';
import { Gate, type GateArgs } from '../components/gate';
import { Prometheus } from '../components/prometheus';
import { VictoriaLogs } from '../components/victorialogs';
import { externalBackends } from './external-backends';
import type { Host } from './host';
import { optionalOutputs } from './outputs';

/** A store that the stack deploys. */
export interface DeployedStore extends pulumi.Resource {
  readonly backend: Backend;
  /** Paths of its page that its gate does not publish. */
  readonly closedPaths: string;
  /** Base URL on the private network. */
  readonly internal: string;
  readonly containerName: pulumi.Output<string>;
  readonly volumeName: pulumi.Output<string>;
  readonly image: docker.RemoteImage;
}

/** By the namespace of its settings, which has `enabled` and `port`. */
export type DeployedStores = { readonly prometheus?: DeployedStore; readonly victorialogs?: DeployedStore };

/** The stores that the stack deploys, according to its settings. */
export function deployedStores({ stack, owner, network, settings, facts, provider }: Host): DeployedStores {
  const common = { stack, owner, network, limits: facts.limits, protectData: settings['data:protect'] };
  const on = { providers: { docker: provider } };
  return {
    ...(settings['prometheus:enabled'] ? {
      prometheus: new Prometheus('prometheus', {
        ...common,
        image: settings['prometheus:image'],
        retentionDays: settings['prometheus:retentionDays'],
        storageMiB: settings['prometheus:storage'],
        memoryMiB: settings['prometheus:memory'],
        rules: settings['prometheus:rules'],
      }, on),
    } : {}),
    ...(settings['victorialogs:enabled'] ? {
      victorialogs: new VictoriaLogs('victorialogs', {
        ...common,
        image: settings['victorialogs:image'],
        chownImage: settings['gate:image'],
        retentionDays: settings['victorialogs:retentionDays'],
        storageMiB: settings['victorialogs:storage'],
        memoryMiB: settings['victorialogs:memory'],
      }, on),
    } : {}),
  };
}

const entriesOf = (stores: DeployedStores): readonly (readonly [keyof DeployedStores, DeployedStore])[] =>
  Object.entries(stores) as [keyof DeployedStores, DeployedStore][];

/** Gates in front of all stores of metrics and logs: what a store refuses waits, as spans do. */
export function storeGates({ stack, owner, network, settings, facts, provider }: Host, deployed: DeployedStores): readonly Gate[] {
  const gate = (backend: Backend, more: Pick<GateArgs, 'reachesHost' | 'page'>, dependsOn: pulumi.Resource[] = []): Gate => new Gate(`${backend.name}-gate`, {
    stack,
    owner,
    network,
    image: settings['gate:image'],
    backend,
    limits: facts.limits,
    ...more,
  }, { providers: { docker: provider }, dependsOn });
  return [
    ...entriesOf(deployed).map(([name, store]) => gate(store.backend, { page: { port: settings[`${name}:port`], closed: store.closedPaths, listed: facts.listed } }, [store])),
    ...externalBackends(settings).map((backend) => gate(backend, { reachesHost: settings[`${backend.name}:url`]?.hostname === dockerHost })),
  ];
}

/** Outputs of the deployed stores, by kind. */
export function storeOutputs({ settings }: Host, deployed: DeployedStores): ReturnType<typeof optionalOutputs> {
  const all = entriesOf(deployed).map(([name, store]) => optionalOutputs(name, store, `http://127.0.0.1:${settings[`${name}:port`]}`));
  const merged = <K extends keyof ReturnType<typeof optionalOutputs>>(kind: K): ReturnType<typeof optionalOutputs>[K] => Object.assign({}, ...all.map((outputs) => outputs[kind]));
  return { endpoints: merged('endpoints'), containers: merged('containers'), volumes: merged('volumes'), images: merged('images') };
}
