/** Dashboards: goldens, queries that parse, and metrics that exist. */
import * as fs from 'node:fs';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { parser } from '@prometheus-io/lezer-promql';
import { aiServices, pipeline } from '../../components/dashboards';
import { expectGolden, goldensOf } from '../support/golden';

const dashboards = { 'ai-services': aiServices('http://127.0.0.1:6006'), pipeline: pipeline() };

/** Panels with queries, by dashboard and title; without the headings of rows. */
const panels = Object.entries(dashboards).flatMap(([name, { panels: all = [] }]) => (all as Panel[]).filter(({ type }) => type !== 'row').map((panel) => [`${name}: ${panel.title}`, panel] as const));

interface Query {
  readonly expr: string;
  readonly refId: string;
  readonly datasource?: { readonly uid?: string };
}
const queries = panels.flatMap(([title, { targets = [] }]) => (targets as unknown as Query[]).map((query) => [`${title} ${query.refId}`, query] as const));

/** As Grafana sends it. */
const sent = (expr: string): string => expr.replace(/\$__(rate_interval|range)/g, '1m').replace(/\$\{?(service|instance)\}?/g, '.*');

/** Parts of a query that are no PromQL. */
function mistakes(promql: string): string[] {
  const found: string[] = [];
  parser.parse(promql).iterate({ enter: ({ type, from, to }) => void (type.isError && found.push(`${from}: ${promql.slice(from, to + 20)}`)) });
  return found;
}

/** Names of the metrics in a query. */
function metricsIn(promql: string): string[] {
  const found: string[] = [];
  parser.parse(promql).iterate({ enter: ({ name, from, to }) => void (name === 'Identifier' && found.push(promql.slice(from, to))) });
  return found;
}

test.each(Object.entries(dashboards))('%s', (name, dashboard) => expectGolden(`dashboards/${name}.json`, `${JSON.stringify(dashboard, null, 2)}\n`));

test('no golden is left over', () => {
  expect(goldensOf('dashboards')).toEqual(Object.keys(dashboards).map((name) => `${name}.json`).sort());
});

test('no two dashboards, and no two panels of one, have the same ID', () => {
  const all = Object.values(dashboards);
  expect(new Set(all.map(({ uid }) => uid)).size).toBe(all.length);
  for (const { panels: own = [] } of all) {
    expect(new Set(own.map(({ id }) => id)).size).toBe(own.length);
  }
});

test('the AI services lead to Phoenix', () => {
  expect(dashboards['ai-services'].links).toEqual([expect.objectContaining({ type: 'link', url: 'http://127.0.0.1:6006', targetBlank: true })]);
});

test.each(panels)('%s: a unit, and one sentence about what it shows', (_, { description = '', fieldConfig }) => {
  expect(fieldConfig?.defaults.unit).toMatch(/./);
  expect(description).toMatch(/^[A-Z][^.]*(\.[a-z][^.]*)?\.$/);
});

test.each(Object.entries(dashboards))('%s: panels beside each other fill the width', (_, { panels: own = [] }) => {
  const lines = new Map<number, number>();
  own.forEach(({ gridPos }) => gridPos && lines.set(gridPos.y, (lines.get(gridPos.y) ?? 0) + gridPos.w));
  expect([...lines.values()].filter((width) => width !== 24)).toEqual([]);
});

test.each(queries)('%s: PromQL, to the one data source', (_, { expr, datasource }) => {
  expect(mistakes(sent(expr))).toEqual([]);
  expect(datasource?.uid).toBe('prometheus');
});

test('a query that is no PromQL is noticed', () => {
  expect(mistakes('sum by (model) (rate(calls[5m])')).not.toEqual([]);
});

test('the metrics of language models are those of the documentation', () => {
  const documented = fs.readFileSync('docs/llm-metrics.md', 'utf8');
  const names = queries.filter(([title]) => title.startsWith('ai-services')).flatMap(([, { expr }]) => metricsIn(sent(expr)));
  expect(names).toContain('service_model:llm_cost_usd:increase1h');
  expect(names.filter((name) => !documented.includes(name.replace(/_(count|bucket|sum)$/, '')))).toEqual([]);
});
