import { DashboardBuilder, DashboardCursorSync, DashboardLinkBuilder, DashboardLinkType, QueryVariableBuilder, RowBuilder, VariableRefresh, type Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dataSource, type Panel } from './panel';

/** A choice above a dashboard: the values of a label, all of them at first. In a query it is `$name`. */
export interface Choice {
  readonly name: string;
  readonly heading: string;
  readonly label: string;
  /** A selector of series that have the label. */
  readonly series: string;
}

export interface DashboardArgs {
  /** Part of its address in Grafana; it does not change. */
  readonly uid: string;
  readonly title: string;
  readonly about: string;
  readonly choice: Choice;
  /** Pages outside Grafana. */
  readonly links: readonly { readonly title: string; readonly url: string }[];
  /** Panels under a heading. The widths of those in a line add up to 24. */
  readonly rows: readonly { readonly heading: string; readonly panels: readonly Panel[] }[];
}

const choose = ({ name, heading, label, series }: Choice): QueryVariableBuilder =>
  new QueryVariableBuilder(name)
    .label(heading)
    .datasource(dataSource)
    .query(`label_values(${series}, ${label})`)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: 'All', value: '$__all' })
    .refresh(VariableRefresh.OnTimeRangeChanged);

/** The model of a dashboard in the schema of version 1, the one that files are provisioned in. */
export function dashboard({ uid, title, about, choice, links, rows }: DashboardArgs): Dashboard {
  const whole = new DashboardBuilder(title)
    .uid(uid)
    .description(about)
    .tags(['llm-observability'])
    .timezone('browser')
    .time({ from: 'now-6h', to: 'now' })
    .refresh('1m')
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .withVariable(choose(choice))
    .links(links.map((link) => new DashboardLinkBuilder(link.title).type(DashboardLinkType.Link).url(link.url).icon('external link').targetBlank(true)));
  let id = 0;
  for (const { heading, panels } of rows) {
    whole.withRow(new RowBuilder(heading).id(++id));
    panels.forEach((panel) => whole.withPanel(panel.id(++id)));
  }
  return whole.build();
}
