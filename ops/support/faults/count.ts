import type { Container } from './container';

/** Prints the ID of each row in Phoenix's table of spans that begins with a prefix. It only reads. */
const script = `
import sqlite3, sys
database, prefix = sys.argv[1:]
rows = sqlite3.connect("file:" + database + "?mode=ro", uri=True, timeout=20).execute("SELECT span_id FROM spans WHERE span_id >= ? AND span_id < ?", (prefix, prefix + "g"))
sys.stdout.write("".join(span + "\\n" for (span,) in rows))
`;

export const database = '/phoenix_storage/phoenix.db';

/** What Phoenix has stored of one sender. */
export interface Stored {
  /** IDs, each once. */
  readonly ids: ReadonlySet<string>;
  /** Rows beyond one for each ID. */
  readonly duplicates: number;
}

/**
 * Reads Phoenix's database from inside its container, so that it counts what is stored, not what the API reports.
 * @param prefix with which the span IDs begin
 * @returns undefined while the container does not run
 */
export async function stored(phoenix: Pick<Container, 'output'>, prefix: string, file = database): Promise<Stored | undefined> {
  try {
    const rows = (await phoenix.output(['python3', '-c', script, file, prefix])).split('\n').filter(Boolean);
    const ids = new Set(rows);
    return { ids, duplicates: rows.length - ids.size };
  } catch {
    return undefined;
  }
}
