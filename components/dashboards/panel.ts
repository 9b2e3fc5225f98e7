/**
 * How panels look: each has a sentence about what it shows, a unit, and queries to the one data source.
 */
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import { LegendDisplayMode, LegendPlacement, TooltipDisplayMode, VizLegendOptionsBuilder, VizTooltipOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import type { Panel as PanelModel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';

/** The uid of the data source that every panel asks. */
export const dataSource = { type: 'prometheus', uid: 'prometheus' } as const;

/** A query and the name of its series, with labels as `{{label}}`. */
export interface Query {
  readonly promql: string;
  readonly legend: string;
}

export interface PanelArgs {
  readonly title: string;
  /** What it shows, in one sentence. */
  readonly about: string;
  /** ID of a unit of Grafana. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Columns of the 24 that a dashboard has. @default 12 */
  readonly width?: number;
  /** Shown if there is no series. @default Grafana's "No data" */
  readonly none?: string;
  /** Highest value of the axis. @default that of the data */
  readonly most?: number;
}

/** What a dashboard is built from. */
export type Panel = Builder<PanelModel> & { id(id: number): Panel };

/** What the builders of all kinds of panels have in common. */
interface Common {
  title(title: string): this;
  description(text: string): this;
  unit(unit: string): this;
  datasource(reference: typeof dataSource): this;
  targets(queries: Builder<Dataquery>[]): this;
  span(columns: number): this;
  height(rows: number): this;
  noValue(text: string): this;
}

function described<T extends Common>(panel: T, { title, about, unit, width = 12, none }: PanelArgs, queries: Builder<Dataquery>[]): T {
  const whole = panel.title(title).description(about).unit(unit).datasource(dataSource).span(width).height(8).targets(queries);
  return none === undefined ? whole : whole.noValue(none);
}

/** Names of queries within a panel: A, B, C. */
const refId = (index: number): string => String.fromCharCode(65 + index);

const ranges = ({ queries }: PanelArgs): DataqueryBuilder[] =>
  queries.map(({ promql, legend }, index) => new DataqueryBuilder().refId(refId(index)).datasource(dataSource).expr(promql).legendFormat(legend).range());

/** Lines over time. */
export function lines(args: PanelArgs): Panel {
  const panel = described(new TimeSeries(), args, ranges(args))
    .min(0)
    .fillOpacity(10)
    .legend(new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).showLegend(true))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi));
  return args.most === undefined ? panel : panel.max(args.most);
}

/** The last values as numbers. */
export const numbers = (args: PanelArgs): Panel => described(new Stat(), args, ranges(args));

/** A column of a table, with its own unit; its query has one series for each row. */
export interface Column {
  readonly name: string;
  readonly unit: string;
  readonly promql: string;
}

export interface TableArgs extends Omit<PanelArgs, 'queries' | 'most'> {
  /** The label that names a row, and the heading of its column. */
  readonly row: { readonly label: string; readonly name: string };
  readonly columns: readonly Column[];
}

/** A row for each value of a label. */
export function table({ row, columns, ...args }: TableArgs): Panel {
  const queries = columns.map(({ promql }, index) => new DataqueryBuilder().refId(refId(index)).datasource(dataSource).expr(promql).format(PromQueryFormat.Table).instant());
  const values = columns.map(({ name, unit }, index) => ({ field: `Value #${refId(index)}`, name, unit }));
  const panel = described(new Table(), { ...args, queries: [] }, queries)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries([row.label, ...values.map(({ field }) => field)].map((field, index) => [field, index])),
        renameByName: Object.fromEntries([[row.label, row.name], ...values.map(({ field, name }) => [field, name])]),
      },
    });
  return values.reduce((whole, { name, unit }) => whole.overrideByName(name, [{ id: 'unit', value: unit }]), panel);
}
