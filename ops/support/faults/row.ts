import type { Stored } from './count';
import type { Fault } from './faults';

/** The cost of one fault, in spans. */
export interface Row {
  readonly fault: Pick<Fault, 'name' | 'about' | 'bound'>;
  readonly sent: number;
  /** Answered 200. */
  readonly accepted: number;
  readonly stored: number;
  /** Accepted and not stored. */
  readonly lost: number;
  /** Rows in the database beyond one per span. */
  readonly duplicated: number;
  /** Given up, by the last response. */
  readonly refused: ReadonlyMap<string, number>;
  /** Spans that may be lost by the fault's bound. */
  readonly mayLose: number;
  /** Seconds from the start of the fault until the last accepted spans were stored again; undefined if they never were. */
  readonly wholeAfter: number | undefined;
  /** What a person had to do for that. */
  readonly repaired?: string;
}

export interface Counted {
  readonly sender: { readonly sent: number; readonly accepted: readonly string[]; readonly refused: ReadonlyMap<string, number> };
  readonly stored: Stored;
}

export function counts({ sender, stored }: Counted): Pick<Row, 'sent' | 'accepted' | 'stored' | 'lost' | 'duplicated' | 'refused'> {
  return {
    sent: sender.sent,
    accepted: sender.accepted.length,
    stored: stored.ids.size,
    lost: sender.accepted.filter((id) => !stored.ids.has(id)).length,
    duplicated: stored.duplicates,
    refused: sender.refused,
  };
}

/** Whether nothing was lost that could have been kept, nothing is duplicated, and ingest resumed by itself. */
export function isGood({ lost, mayLose, duplicated, wholeAfter, repaired }: Row): boolean {
  return lost <= mayLose && duplicated === 0 && wholeAfter !== undefined && repaired === undefined;
}

const heads = ['fault', 'sent', 'accepted', 'stored', 'lost', 'duplicated', 'refused', 'whole again after'];

/** A line of the table. @param seed the same on the docker-compose setup */
export function cells(row: Row, seed?: Row): string[] {
  const refused = [...row.refused].map(([why, spans]) => `${number(spans)} (${why})`).join(', ');
  const whole = row.wholeAfter === undefined ? 'never' : `${Math.round(row.wholeAfter)} s`;
  return [
    row.fault.about,
    number(row.sent),
    number(row.accepted),
    number(row.stored),
    `${number(row.lost)}${row.fault.bound === undefined ? '' : ` (bound: ${number(row.mayLose)}, ${row.fault.bound})`}`,
    number(row.duplicated),
    refused || '0',
    row.repaired === undefined ? whole : `not by itself (${row.repaired}): ${whole}`,
    ...(seed ? [`${number(seed.lost)} of ${number(seed.accepted)}`] : []),
  ];
}

/** The same in words. */
export function line(row: Row): string {
  return cells(row).slice(1).map((cell, index) => `${heads[index + 1]} ${cell}`).join(', ');
}

/**
 * The whole table as Markdown. @param seeds rows of the docker-compose setup by the fault's name; without any, there is no such
 * column
 */
export function markdown(rows: readonly Row[], seeds: ReadonlyMap<string, Row>): string {
  const line = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`;
  const head = [...heads, ...(seeds.size > 0 ? ['lost by docker-compose'] : [])];
  return [
    line(head),
    line(head.map(() => '---')),
    ...rows.map((row) => line([...cells(row, seeds.get(row.fault.name)), ...(seeds.size > 0 && !seeds.has(row.fault.name) ? ['–'] : [])])),
  ].join('\n');
}

const number = (value: number): string => value.toLocaleString('en-US');
