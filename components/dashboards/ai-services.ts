/**
 * What applications ask of language models: calls, errors, latency, tokens and cost. The metrics are those of
 * docs/llm-metrics.md.
 */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { dashboard } from './dashboard';
import { lines, table } from './panel';

const chosen = 'source="spans", service_name=~"$service"';
const duration = (part: 'count' | 'bucket', ...labels: string[]): string => `gen_ai_client_operation_duration_seconds_${part}{${[chosen, ...labels].join(', ')}}`;
const tokens = (...labels: string[]): string => `gen_ai_client_token_usage_sum{${[chosen, ...labels].join(', ')}}`;
const cost = `service_model:llm_cost_usd:increase1h{service_name=~"$service"}`;

const [isCall, isError] = ['openinference_span_kind="LLM"', 'status_code="STATUS_CODE_ERROR"'];
const [model, service] = ['gen_ai_request_model', 'service_name'];
const window = '[$__rate_interval]';

/** 0 without errors, where a plain division has no series. */
const errorShare = (range: string): string => {
  const all = `sum by (${service}) (increase(${duration('count')}${range}))`;
  return `(sum by (${service}) (increase(${duration('count', isError)}${range})) or 0 * ${all}) / ${all}`;
};

const quantile = (share: number, by: string, range: string): string => `histogram_quantile(${share}, sum by (le, ${by}) (rate(${duration('bucket', isCall)}${range})))`;

/** @param phoenix URL of Phoenix's page, as a browser reaches it */
export function aiServices(phoenix: string): Dashboard {
  return dashboard({
    uid: 'llm-observability-ai-services',
    title: 'AI services',
    about: 'Calls, errors, latency, tokens and cost of language models, by service and model.',
    choice: { name: 'service', heading: 'Service', label: service, series: 'gen_ai_client_operation_duration_seconds_count{source="spans"}' },
    links: [{ title: 'Traces in Phoenix', url: phoenix }],
    rows: [
      {
        heading: 'Calls',
        panels: [
          lines({
            title: 'Calls per second, by model',
            about: 'How many calls of each language model end in a second.',
            unit: units.RequestsPerSecond,
            queries: [{ promql: `sum by (${model}) (rate(${duration('count', isCall)}${window}))`, legend: `{{${model}}}` }],
          }),
          lines({
            title: 'Share of errors, by service',
            about: 'The part of the steps of a service, calls of models among them, that end with an error.',
            unit: units.PercentUnit,
            most: 1,
            queries: [{ promql: errorShare(window), legend: `{{${service}}}` }],
          }),
          lines({
            title: 'Latency, by model',
            about: 'The duration that half of the calls stay below (p50), and that 95 % stay below (p95).',
            unit: units.Seconds,
            width: 24,
            queries: [0.5, 0.95].map((share) => ({ promql: quantile(share, model, window), legend: `{{${model}}} p${share * 100}` })),
          }),
        ],
      },
      {
        heading: 'Tokens and cost',
        panels: [
          lines({
            title: 'Tokens per second, by model',
            about: 'How many tokens go to each model (input) and come from it (output) in a second.',
            unit: 'si:tokens/s',
            queries: [{ promql: `sum by (${model}, gen_ai_token_type) (rate(${tokens()}${window}))`, legend: `{{${model}}} {{gen_ai_token_type}}` }],
          }),
          lines({
            title: 'Cost of the last hour, by model',
            about: 'What the tokens of the last hour cost, at your prices: it needs the recording rules of docs/llm-metrics.md.',
            unit: units.Dollars,
            none: 'No recording rule for the cost',
            queries: [{ promql: `sum by (${model}) (${cost})`, legend: `{{${model}}}` }],
          }),
        ],
      },
      {
        heading: 'Services',
        panels: [
          table({
            title: 'Services',
            about: 'Each service in the time range above: its calls, errors, latency, tokens and cost.',
            unit: units.Short,
            width: 24,
            row: { label: service, name: 'Service' },
            columns: [
              { name: 'Calls', unit: units.Short, promql: `sum by (${service}) (increase(${duration('count', isCall)}[$__range]))` },
              { name: 'Share of errors', unit: units.PercentUnit, promql: errorShare('[$__range]') },
              { name: 'p95', unit: units.Seconds, promql: quantile(0.95, service, '[$__range]') },
              { name: 'Input tokens', unit: units.Short, promql: `sum by (${service}) (increase(${tokens('gen_ai_token_type="input"')}[$__range]))` },
              { name: 'Output tokens', unit: units.Short, promql: `sum by (${service}) (increase(${tokens('gen_ai_token_type="output"')}[$__range]))` },
              { name: 'Cost of the last hour', unit: units.Dollars, promql: `sum by (${service}) (${cost})` },
            ],
          }),
        ],
      },
    ],
  });
}
