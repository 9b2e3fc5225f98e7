/**
 * What Alloy has refused from senders, from its own metrics: exporters drop refused data, and many do not report it.
 */
import { sumOf } from './metrics';
import type { Reach } from './reach';

const named: readonly { readonly method: string; readonly status: number; readonly why: string }[] = [
  { method: 'POST', status: 404, why: 'the path was wrong. OTLP over HTTP goes to /v1/traces, /v1/metrics and /v1/logs; OTEL_EXPORTER_OTLP_ENDPOINT is the address without a path' },
  { method: 'POST', status: 415, why: 'the Content-Type was neither application/x-protobuf nor application/json' },
  { method: 'POST', status: 401, why: 'they came without the token that Alloy requires from other machines (alloy:auth); the output otlpToken has it' },
  { method: 'OPTIONS', status: 405, why: 'browsers asked whether a page may send. For a website whose pages may: pulumi config set alloy:cors https://app.example.com' },
];

/**
 * What an operator should know about it; nothing if Alloy does not report it.
 * @param alloyUi base URL of Alloy's page
 */
export async function refusalWarnings({ reach, alloyUi }: { readonly reach: Reach; readonly alloyUi: string }): Promise<string[]> {
  const { text } = await reach.ask(`${alloyUi}/metrics`);
  return named.flatMap(({ method, status, why }) => {
    const count = sumOf(text, 'http_server_request_duration_seconds_count', 'component_id="otelcol.receiver.otlp.', `http_request_method="${method}"`, `http_response_status_code="${status}"`);
    return count === 0 ? [] : [`Alloy has refused ${count} ${count === 1 ? 'request' : 'requests'} (${status}) since it was started: ${why}.`];
  });
}
