/** What the log of a newly started Phoenix says about its progress. */
import { engineMessage, engineRequest, type Engine } from '../engine';

/** Printed by Phoenix's db/migrate.py before and after the migrations, at every log level. */
const begun = 'Running migrations on the database.';
const ended = /Migrations completed in|failed to migrate the database/;

/** One migration done: alembic records the revision. The first one is an INSERT. */
const step = /(?:UPDATE|INSERT INTO) alembic_version\b/;

/** A statement with its subject, and no more: what follows may be data. */
const statement = /^(?:.* INFO sqlalchemy\.engine\.Engine )?\s*((?:CREATE (?:UNIQUE )?(?:TABLE|INDEX)|ALTER TABLE|DROP (?:TABLE|INDEX)|INSERT INTO|UPDATE|DELETE FROM)(?: IF (?:NOT )?EXISTS)? [\w".]+)/;

export class StartLog {
  private migrations: 'none yet' | 'running' | 'over' = 'none yet';
  private steps = 0;
  private doing = '';
  private last = '';

  /** Whether the database is being migrated. */
  get migrating(): boolean {
    return this.migrations === 'running';
  }

  /** @returns whether there was anything: requests of the health check do not count */
  add(lines: readonly string[]): boolean {
    const said = lines.filter((line) => line.trim() !== '' && !line.includes('GET /readyz'));
    said.forEach((line) => this.read(line));
    return said.length > 0;
  }

  private read(line: string): void {
    if (line.includes(begun)) {
      // Phoenix starts again after a crash, and counts again.
      [this.migrations, this.steps, this.doing] = ['running', 0, ''];
    } else if (ended.test(line)) {
      this.migrations = 'over';
    } else if (step.test(line)) {
      this.steps += 1;
    } else {
      this.doing = statement.exec(line)?.[1] ?? this.doing;
    }
    this.last = line.trim();
  }

  /** Its progress, as the rest of a sentence. While it migrates no line is quoted: those contain values from the database. */
  get words(): string {
    if (this.migrating) {
      return `it migrates its database, ${this.steps === 1 ? '1 step' : `${this.steps} steps`} done${this.doing ? `, now ${this.doing}` : ''}`;
    }
    return this.last ? `its last line is: ${this.last.slice(0, 120)}` : 'it has logged nothing yet';
  }
}

export interface Said {
  readonly lines: readonly string[];
  /** Where the next read begins: the time of the last line, as the engine gives it. */
  readonly until: string;
}

/**
 * The log of a container.
 * @param since seconds, with their fraction; lines at that very time are left out
 * @param tail lines at most, the last of them
 * @throws Error with the engine's own message
 */
export async function logOf(engine: Engine, container: string, since = '0', tail: number | 'all' = 'all'): Promise<Said> {
  const answer = await engineRequest(engine, 'GET', `/containers/${container}/logs?stdout=1&stderr=1&timestamps=1&since=${since}&tail=${tail}`, { timeoutMs: 30_000 });
  if (answer.status >= 400) {
    throw new Error(engineMessage(answer));
  }
  const stamped = unframed(answer.body).split('\n').flatMap((line) => {
    const [, time = '', text = ''] = /^(\S+Z) ?(.*)$/.exec(line) ?? [];
    return time ? [{ time: secondsOf(time), text }] : [];
  }).filter(({ time }) => time !== since);
  return { lines: stamped.map(({ text }) => text), until: stamped.at(-1)?.time ?? since };
}

/** `2026-11-29T12:52:17.649905148Z` in the form that the engine takes: a JavaScript number has no nanoseconds. */
function secondsOf(time: string): string {
  const [, whole = time, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return `${Date.parse(`${whole}Z`) / 1000}.${fraction.padEnd(9, '0')}`;
}

/** The engine sends eight bytes before each piece of output: the stream, three zeros, the length. */
function unframed(raw: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= raw.length; at += 8 + raw.readUInt32BE(at + 4)) {
    pieces.push(raw.subarray(at + 8, at + 8 + raw.readUInt32BE(at + 4)));
  }
  return Buffer.concat(pieces).toString();
}
