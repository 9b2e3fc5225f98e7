import { refusalWarnings } from '../../provider/alloy-refusals';
import type { Reach } from '../../provider/reach';

/** Lines of Alloy 1.11.0: requests to a receiver by method and status. */
const counted = (method: string, status: number, count: number, component = 'otelcol.receiver.otlp.default', metric = 'http_server_request_duration_seconds_count'): string =>
  `${metric}{component_id="${component}",component_path="/",http_request_method="${method}",http_response_status_code="${status}",network_protocol_name="http",network_protocol_version="1.1",server_address="172.20.0.2",server_port="4318",url_scheme="http"} ${count}`;

const warnings = (text: string, status = 200): Promise<string[]> => {
  const reach: Reach = { ask: (url) => Promise.resolve(url === 'http://alloy:12345/metrics' ? { status, text } : { status: 404, text: '' }), close: () => undefined };
  return refusalWarnings({ reach, alloyUi: 'http://alloy:12345' });
};

test.each([
  ['POST', 404, 'the path was wrong. OTLP over HTTP goes to /v1/traces, /v1/metrics and /v1/logs; OTEL_EXPORTER_OTLP_ENDPOINT is the address without a path.'],
  ['POST', 415, 'the Content-Type was neither application/x-protobuf nor application/json.'],
  ['POST', 401, 'they came without the token that Alloy requires from other machines (alloy:auth); the output otlpToken has it.'],
  ['OPTIONS', 405, 'browsers asked whether a page may send. For a website whose pages may: pulumi config set alloy:cors https://app.example.com.'],
])('%s answered with %d is named, with how many there were at all receivers', async (method, status, why) => {
  expect(await warnings(counted(method, status, 1))).toEqual([`Alloy has refused 1 request (${status}) since it was started: ${why}`]);
  expect(await warnings([counted(method, status, 6), counted('POST', 200, 900), counted(method, status, 2, 'otelcol.receiver.otlp.tls')].join('\n'))).toEqual([
    `Alloy has refused 8 requests (${status}) since it was started: ${why}`,
  ]);
});

test.each([
  ['everything was taken', counted('POST', 200, 7)],
  ['somebody looked with a browser', [counted('GET', 404, 3), counted('GET', 405, 3)].join('\n')],
  ['senders try again', counted('POST', 503, 7)],
  ['it is of no receiver', counted('POST', 404, 7, 'http')],
  ['it is no number of requests', counted('POST', 404, 7, undefined, 'http_server_request_body_size_bytes_sum')],
  ['Alloy says nothing', ''],
])('nothing is said where %s', async (_, text) => {
  expect(await warnings(text)).toEqual([]);
});
