import type * as pulumi from '@pulumi/pulumi';
import { dockerHost } from '../components/catalog';
import type { Grafana } from '../components/grafana';
import { readEndpoint } from '../settings/grafana';
import type { Host } from './host';

/**
 * Grafana, if the stack has it.
 * @param phoenix URL of Phoenix's page, as a browser reaches it
 * @param deployed base URL of the Prometheus that the stack deploys, if it does; else the store of `prometheus:url` is asked
 */
export async function grafanaOn({ stack, owner, network, settings, facts, provider }: Host, phoenix: pulumi.Input<string>, deployed?: pulumi.Input<string>): Promise<Grafana | undefined> {
  const url = settings['prometheus:url'];
  const prometheus = deployed ?? (url && readEndpoint(url));
  if (!settings['grafana:enabled'] || prometheus === undefined) {
    return undefined;
  }
  // Loaded only here: the library of the dashboards takes a tenth of a second.
  const { Grafana: GrafanaComponent } = await import('../components/grafana');
  return new GrafanaComponent('grafana', {
    stack,
    owner,
    network,
    image: settings['grafana:image'],
    prometheus,
    reachesHost: deployed === undefined && url?.hostname === dockerHost,
    phoenix,
    port: settings['grafana:port'],
    memoryMiB: settings['grafana:memory'],
    listed: facts.listed,
    limits: facts.limits,
  }, { providers: { docker: provider } });
}
