import { dockerHost } from '../../components/catalog';
import { pageUser } from '../../components/alloy-config';
import { isLoopback, isWildcard } from '../../components/address';
import type { Delivery } from '../../provider/delivery';
import { isEdge, type EdgeOutputs, type Outputs } from './outputs';
import { inWords } from '../../settings/problem';
import { defaultStack, npmRun, typedName } from './project';

/** The last output of `npm run up`: addresses, how to log in, how to send to it, what to do next. */
export function summary(stack: string, outputs: Outputs | EdgeOutputs, { traceId, ms, hops }: Delivery, totalMs: number): string {
  const { endpoints } = outputs;
  const option = typedName(stack) === defaultStack ? '' : ` --stack ${typedName(stack)}`;
  const { protocol, port } = new URL(endpoints.otlpHttp);
  const header = ' OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN';
  const { forContainers = `${protocol}//${dockerHost}:${port}` } = outputs;
  return `
Trace ${traceId} went ${['application', ...hops.slice(0, -1).map(({ name }) => name.split(' -> ')[1])].join(' -> ')} in ${ms} ms and was read back. (${(totalMs / 1000).toFixed(1)} s in all)

${[...(isEdge(outputs) ? edge(outputs, option) : central(outputs, option)), ...kept(outputs, option)].map(([what, where]) => `  ${what.padEnd(10)} ${where}`).join('\n')}

Point an application at it:
  export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoints.otlpHttp} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf${asksHere(outputs) ? header : ''}
${forContainers === null
    ? `Containers on this host cannot reach it: alloy:bind does not include the gateway of Docker's bridge.`
    : `In a container (docker run --add-host host.docker.internal:host-gateway …):
  OTEL_EXPORTER_OTLP_ENDPOINT=${forContainers}${outputs.otlpTokenOn?.some(isWildcard) ? header : ''}`}

Next:
  ${npmRun('verify', stack)}      send a trace through it again
  npm run pulumi -- config set KEY VALUE${option} && ${npmRun('up', stack)}   change a setting (the README lists them)
  ${npmRun('down', stack)}        remove it; the data stays`;
}

type Line = readonly [what: string, where: string];

function central(outputs: Outputs, option: string): Line[] {
  const { endpoints, login, tunnel, remote } = outputs;
  return [
    ['Phoenix', login
      ? `${login.url}   log in as ${login.email}; the first password: npm run pulumi -- stack output login --show-secrets${option}`
      : tunnel?.page ? `${tunnel.page}   and ${endpoints.phoenixUi}; no login in Phoenix` : `${endpoints.phoenixUi}   no login: anyone on this machine can read it`],
    ['OTLP', `${endpoints.otlpHttp} (HTTP)   ${endpoints.otlpGrpc} (gRPC)`],
    ...token(outputs, option),
    alloyPage(endpoints, option),
    ...(endpoints.grafana === undefined ? [] : [['Grafana', `${endpoints.grafana}   log in as admin: npm run pulumi -- stack output grafanaLogin --show-secrets${option}`] as const]),
    ...(tunnel ? [['Tunnel', `${tunnel.name}: ${tunnel.hostnames.join(', ')}`] as const] : []),
    ...(remote.otlp.alloy || remote.otlp.phoenix ? [['Edges', `edge:central ${option.slice(9) || defaultStack} makes a stack on another host send to this one`] as const] : []),
  ];
}

function edge(outputs: EdgeOutputs, option: string): Line[] {
  const { endpoints, central: { stack, hostname, sendTo } } = outputs;
  return [
    ['Sends to', `${sendTo === 'alloy' ? 'Alloy' : 'Phoenix'} of the stack ${stack}, through ${hostname}`],
    ['OTLP', `${endpoints.otlpHttp} (HTTP)   ${endpoints.otlpGrpc} (gRPC)`],
    ...token(outputs, option),
    alloyPage(endpoints, option),
  ];
}

const alloyPage = ({ alloyUi }: Pick<Outputs['endpoints'], 'alloyUi'>, option: string): Line =>
  ['Alloy', `${alloyUi}   log in as ${pageUser}: npm run pulumi -- stack output alloyPage --show-secrets${option}`];

/** Whether Alloy requires a token on the address that is shown: a port on all addresses is shown as loopback. */
function asksHere({ endpoints, otlpTokenOn = [] }: Pick<EdgeOutputs, 'endpoints' | 'otlpTokenOn'>): boolean {
  const host = new URL(endpoints.otlpHttp).hostname.replace(/^\[|\]$/g, '');
  return otlpTokenOn.some((address) => address === host || (isWildcard(address) && isLoopback(host)));
}

function token(outputs: Pick<EdgeOutputs, 'endpoints' | 'otlpToken' | 'otlpTokenOn'>, option: string): Line[] {
  const from = asksHere(outputs) ? 'with the header authorization=Bearer TOKEN, from this machine, too' : 'from other machines with the header authorization=Bearer TOKEN';
  return outputs.otlpToken === undefined ? [] : [['', `${from}: npm run pulumi -- stack output otlpToken --show-secrets${option}`]];
}

function kept({ signals, redactedBy = [], sampledPercent, endpoints: { prometheus, victorialogs } }: Pick<EdgeOutputs, 'signals' | 'redactedBy' | 'sampledPercent' | 'endpoints'>, option: string): Line[] {
  const nowhere = (key: string): string => `accepted and discarded; to keep them: npm run pulumi -- config set ${key}${option}`;
  const to = (backend: string): string => (backend === 'central' ? 'go there' : `go to ${backend === 'phoenix' ? 'Phoenix' : backend}`);
  return [
    ['Traces', `${to(signals.traces ?? '')}${sampledPercent === undefined ? '' : `; ${sampledPercent} % of them are kept (sampling:percent)`}`],
    ['Metrics', prometheus !== undefined ? `${prometheus}   Prometheus: no login, only from this machine` : signals.metrics ? to(signals.metrics) : nowhere('prometheus:enabled true')],
    ['Logs', victorialogs !== undefined ? `${victorialogs}/select/vmui/   VictoriaLogs: no login, only from this machine` : signals.logs ? to(signals.logs) : nowhere('victorialogs:enabled true')],
    ...(redactedBy.length === 0 ? [] : [['Removed', `by Alloy, from all of them: what ${inWords(redactedBy)} ${redactedBy.length === 1 ? 'names' : 'name'}`] as const]),
  ];
}
