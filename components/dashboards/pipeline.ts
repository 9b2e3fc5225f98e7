/**
 * What Alloy accepts, sends and keeps. The metrics are Alloy's own, by their names in Alloy 1.11 and 1.18.
 */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { dashboard } from './dashboard';
import { lines, numbers, type Query } from './panel';

const alloy = 'job="alloy", instance=~"$instance"';
const rate = (metric: string, labels = ''): string => `rate(${metric}{${alloy}${labels}}[$__rate_interval])`;
const sum = (series: string): string => `sum(${series})`;

const component = 'component_id';
/** `to` is the last part of a component's ID, such as `phoenix`. */
const byTarget = (promql: string): string => `label_replace(${promql}, "to", "$1", "${component}", ".+[.](.+)")`;

/** What Alloy counts, by signal. */
const signals = [
  { signal: 'traces', items: 'spans' },
  { signal: 'metrics', items: 'metric_points' },
  { signal: 'logs', items: 'log_records' },
] as const;

const bySignal = (promql: (items: string) => string): Query[] => signals.map(({ signal, items }) => ({ promql: promql(items), legend: signal }));

const samples = (outcome: string): string => `sum by (${component}) (${rate(`prometheus_remote_storage_samples${outcome}_total`)})`;

/** A counter of the exporters by signal and backend; and of remote write, by which metrics go to a store. */
const byHop = (outcome: string, remoteWrite: readonly string[]): Query[] => [
  ...bySignal((items) => byTarget(`sum by (${component}) (${rate(`otelcol_exporter_${outcome}_${items}_total`)})`)),
  ...remoteWrite.map((promql) => ({ promql: byTarget(promql), legend: 'metrics' })),
].map(({ promql, legend }) => ({ promql, legend: `${legend} to {{to}}` }));

const queue = (part: 'size' | 'capacity'): string => `sum by (${component}, data_type) (otelcol_exporter_queue_${part}{${alloy}})`;

export function pipeline(): Dashboard {
  return dashboard({
    uid: 'llm-observability-pipeline',
    title: 'Pipeline',
    about: 'What Alloy accepts from applications, what it sends, and what waits on disk.',
    choice: { name: 'instance', heading: 'Alloy', label: 'instance', series: 'alloy_config_last_load_successful{job="alloy"}' },
    links: [],
    rows: [
      {
        heading: 'From applications to Alloy',
        panels: [
          lines({
            title: 'Accepted, by signal',
            about: 'Spans, data points and log records that Alloy accepts in a second.',
            unit: units.CountsPerSecond,
            width: 8,
            queries: bySignal((items) => sum(rate(`otelcol_receiver_accepted_${items}_total`))),
          }),
          lines({
            title: 'Refused, by signal',
            about: 'Spans, data points and log records that Alloy refuses in a second, so that the application sends them again.',
            unit: units.CountsPerSecond,
            width: 8,
            queries: bySignal((items) => `${sum(rate(`otelcol_receiver_refused_${items}_total`))} + ${sum(rate(`otelcol_receiver_failed_${items}_total`))}`),
          }),
          lines({
            title: 'Refused requests, by status',
            about: 'Requests over HTTP that Alloy answers with an error in a second: 401 without the token, 503 if it is short of memory.',
            unit: units.RequestsPerSecond,
            width: 8,
            none: 'None',
            queries: [{ promql: `sum by (http_response_status_code) (${rate('http_server_request_duration_seconds_count', ', http_response_status_code=~"[45].."')})`, legend: '{{http_response_status_code}}' }],
          }),
        ],
      },
      {
        heading: 'From Alloy to the backends',
        panels: [
          lines({
            title: 'Sent, by signal and backend',
            about: 'Spans, samples and log records that a backend accepts in a second.',
            unit: units.CountsPerSecond,
            width: 8,
            queries: byHop('sent', [`${samples('')} - ${samples('_retried')} - ${samples('_failed')}`]),
          }),
          lines({
            title: 'Failed to send, by signal and backend',
            about: 'Spans, samples and log records that are lost in a second, because the backend refuses them for good or, for metrics, they are too old.',
            unit: units.CountsPerSecond,
            width: 8,
            none: 'None',
            queries: byHop('send_failed', [samples('_failed'), samples('_dropped')]),
          }),
          lines({
            title: 'Not queued, by signal and backend',
            about: 'Spans, data points and log records that the queue does not take in a second because it is full; applications send them again.',
            unit: units.CountsPerSecond,
            width: 8,
            none: 'None',
            queries: byHop('enqueue_failed', []),
          }),
        ],
      },
      {
        heading: 'What waits',
        panels: [
          lines({
            title: 'Queue size, by backend',
            about: 'Telemetry that waits on disk for a backend, by signal.',
            unit: units.BytesIEC,
            width: 8,
            queries: [{ promql: byTarget(queue('size')), legend: '{{data_type}} to {{to}}' }],
          }),
          lines({
            title: 'Queue in use, by backend',
            about: 'Size of the queue as a share of its capacity: when it is full, Alloy refuses telemetry.',
            unit: units.PercentUnit,
            most: 1,
            width: 8,
            queries: [{ promql: byTarget(`${queue('size')} / ${queue('capacity')}`), legend: '{{data_type}} to {{to}}' }],
          }),
          lines({
            title: 'Delay of metrics',
            about: 'Age of the newest metrics that the store has not accepted yet.',
            unit: units.Seconds,
            width: 8,
            queries: [{
              promql: byTarget(`max by (${component}) (prometheus_remote_storage_highest_timestamp_in_seconds{${alloy}}) - max by (${component}) (prometheus_remote_storage_queue_highest_sent_timestamp_seconds{${alloy}})`),
              legend: 'metrics to {{to}}',
            }],
          }),
          numbers({
            title: 'Queue capacity, by backend',
            about: 'What the queue of a backend can hold, for each signal (alloy:queue).',
            unit: units.BytesIEC,
            width: 24,
            queries: [{ promql: byTarget(`max by (${component}) (otelcol_exporter_queue_capacity{${alloy}})`), legend: '{{to}}' }],
          }),
        ],
      },
      {
        heading: 'Alloy',
        panels: [
          lines({
            title: 'Memory',
            about: 'Memory of the Alloy process; near alloy:memory it refuses telemetry.',
            unit: units.BytesIEC,
            width: 8,
            queries: [{ promql: `alloy_resources_process_resident_memory_bytes{${alloy}}`, legend: '{{instance}}' }],
          }),
          lines({
            title: 'CPU',
            about: 'CPU time of the Alloy process, as a share of one core.',
            unit: units.PercentUnit,
            width: 8,
            queries: [{ promql: rate('alloy_resources_process_cpu_seconds_total'), legend: '{{instance}}' }],
          }),
          numbers({
            title: 'Configuration loaded',
            about: 'Whether Alloy accepted its configuration when it loaded it last.',
            unit: units.BoolYesNo,
            width: 4,
            queries: [{ promql: `min(alloy_config_last_load_successful{${alloy}})`, legend: 'Loaded' }],
          }),
          numbers({
            title: 'Unhealthy components',
            about: 'How many components of its configuration do not run as they should.',
            unit: units.Short,
            width: 4,
            queries: [{ promql: `sum(alloy_component_controller_running_components{${alloy}, health_type!="healthy"}) or vector(0)`, legend: 'Components' }],
          }),
        ],
      },
    ],
  });
}
