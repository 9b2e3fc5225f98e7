import type { Delivery } from '../../provider/delivery';
import type { Outputs } from './outputs';
import { defaultStack, npmRun } from './project';

/** What `npm run up` ends with: where things are, how to log in, how to send to it, what to do next. */
export function summary(stack: string, outputs: Outputs, { traceId, ms, hops }: Delivery, totalMs: number): string {
  const { endpoints, signals, login } = outputs;
  const option = stack === defaultStack ? '' : ` --stack ${stack}`;
  const nowhere = (key: string): string => `accepted and discarded; to keep them: npm run pulumi -- config set ${key} URL${option}`;
  const port = new URL(endpoints.otlpHttp).port;
  return `
Trace ${traceId} went ${['application', ...hops.slice(0, -1).map(({ name }) => name.split(' -> ')[1])].join(' -> ')} in ${ms} ms and was read back. (${(totalMs / 1000).toFixed(1)} s in all)

  Phoenix    ${login ? `${login.url}   log in as ${login.email}; the first password: npm run pulumi -- stack output login --show-secrets${option}` : `${endpoints.phoenixUi}   no login: anyone on this machine can read it`}
  OTLP       ${endpoints.otlpHttp} (HTTP)   ${endpoints.otlpGrpc} (gRPC)
  Alloy      ${endpoints.alloyUi}
  Traces     go to Phoenix
  Metrics    ${signals.metrics ? `go to ${signals.metrics}` : nowhere('prometheus:url')}
  Logs       ${signals.logs ? `go to ${signals.logs}` : nowhere('loki:url')}

Point an application at it:
  export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoints.otlpHttp} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
In a container (docker run --add-host host.docker.internal:host-gateway …):
  OTEL_EXPORTER_OTLP_ENDPOINT=http://host.docker.internal:${port}

Next:
  ${npmRun('verify', stack)}      send a trace through it again
  npm run pulumi -- config set KEY VALUE${option} && ${npmRun('up', stack)}   change a setting (the README lists them)
  ${npmRun('down', stack)}        remove it; the data stays`;
}
