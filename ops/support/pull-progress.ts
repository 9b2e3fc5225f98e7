/**
 * The progress of a pull, from the engine's output: a line of JSON each time a layer changes. Recorded from Docker 20.10 and
 * 28.5, the latter with both of its image stores.
 */
import { megabytes } from './growth';

interface Line {
  readonly id?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
}

interface Layer {
  done: number;
  /** Bytes; undefined until its download has begun. */
  total?: number;
  phase: 'waiting' | 'downloading' | 'downloaded' | 'unpacking' | 'there' | 'already there';
}

const phases: Readonly<Record<string, Layer['phase'] | undefined>> = {
  'Pulling fs layer': 'waiting',
  Waiting: 'waiting',
  Downloading: 'downloading',
  'Verifying Checksum': 'downloaded',
  'Download complete': 'downloaded',
  Extracting: 'unpacking',
  'Pull complete': 'there',
  'Already exists': 'already there',
};

export class PullProgress {
  /** The engine's error, when it has given up. */
  error: string | undefined;
  private readonly layers = new Map<string, Layer>();
  private rest = '';
  private retry: string | undefined;

  /** Receives a part of the engine's response. */
  take(chunk: string): void {
    const lines = (this.rest + chunk).split('\n');
    this.rest = lines.pop() ?? '';
    lines.map((line) => line.trim()).filter(Boolean).forEach((line) => this.line(parsed(line)));
  }

  /** Processes the last line, which has no line ending. */
  end(): void {
    this.take('\n');
  }

  /** Whether it is downloading, which may stall; unpacking prints nothing, however long it takes. */
  get downloads(): boolean {
    const layers = [...this.layers.values()];
    return layers.length === 0 || layers.some(({ phase }) => phase === 'waiting' || phase === 'downloading');
  }

  /** Bytes downloaded. */
  get bytes(): number {
    return [...this.layers.values()].reduce((sum, { done }) => sum + done, 0);
  }

  /** Short enough for a line in a table; empty while nothing is known yet. */
  toString(): string {
    const layers = [...this.layers.values()].filter(({ phase }) => phase !== 'already there');
    if (this.retry) {
      return `the connection broke off, ${this.retry}`;
    }
    if (layers.length === 0) {
      return '';
    }
    const unpacked = layers.filter(({ phase }) => phase === 'there').length;
    if (!this.downloads) {
      return unpacked === layers.length ? 'done' : `unpacking, ${unpacked} of ${counted(layers.length)}`;
    }
    // The size of a layer that waits for its turn is unknown.
    const totals = layers.flatMap(({ total, phase }) => total ?? (phase === 'waiting' ? [] : 0));
    const downloaded = layers.filter(({ phase }) => phase !== 'waiting' && phase !== 'downloading').length;
    return totals.length === layers.length
      ? `${Math.round(this.bytes / 1e6)} of ${megabytes(totals.reduce((sum, total) => sum + total, 0))}`
      : `${megabytes(this.bytes)}, ${downloaded} of ${counted(layers.length)}`;
  }

  private line({ id, status = '', progressDetail: { current, total } = {}, error }: Line): void {
    if (error !== undefined) {
      this.error = error;
      return;
    }
    this.retry = /^Retrying (in \d+ seconds?)$/.exec(status)?.[1]?.replace(/^in (\d+) .*/, 'trying again in $1 s');
    const phase = phases[status];
    if (id === undefined || phase === undefined) {
      return;
    }
    const layer = this.layers.get(id) ?? { done: 0, phase };
    this.layers.set(id, layer);
    layer.phase = phase;
    if (phase === 'downloading' && current !== undefined && total !== undefined) {
      // If a download continues after an interruption, both count only the rest.
      layer.total = Math.max(layer.total ?? 0, total);
      layer.done = layer.total - total + current;
    } else if (phase === 'downloaded') {
      layer.done = layer.total ?? 0;
    }
  }
}

const counted = (layers: number): string => `${layers} ${layers === 1 ? 'layer' : 'layers'}`;

/** A line that is not part of a pull is ignored. */
function parsed(line: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return {};
  }
}
