/**
 * How far a pull has come, from what the engine says of it: a line of JSON each time something of a layer changes. Taken down
 * from Docker 20.10 and 28.5, the latter with both of its image stores.
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
  /** The engine's words, when it has given up. */
  error: string | undefined;
  private readonly layers = new Map<string, Layer>();
  private rest = '';
  private retry: string | undefined;

  /** Takes a piece of the engine's answer. */
  take(chunk: string): void {
    const lines = (this.rest + chunk).split('\n');
    this.rest = lines.pop() ?? '';
    lines.map((line) => line.trim()).filter(Boolean).forEach((line) => this.line(parsed(line)));
  }

  /** Takes what has no end of line behind it. */
  end(): void {
    this.take('\n');
  }

  /** Whether it is the network's turn, which may fall silent; unpacking says nothing for as long as it takes. */
  get downloads(): boolean {
    const layers = [...this.layers.values()];
    return layers.length === 0 || layers.some(({ phase }) => phase === 'waiting' || phase === 'downloading');
  }

  /** Bytes that came over the network. */
  get bytes(): number {
    return [...this.layers.values()].reduce((sum, { done }) => sum + done, 0);
  }

  /** As short as a line in a table is; empty while nothing is known yet. */
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
    // Of a layer that waits for its turn nobody says how large it is.
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
      // Where it goes on after a break, both count the rest alone.
      layer.total = Math.max(layer.total ?? 0, total);
      layer.done = layer.total - total + current;
    } else if (phase === 'downloaded') {
      layer.done = layer.total ?? 0;
    }
  }
}

const counted = (layers: number): string => `${layers} ${layers === 1 ? 'layer' : 'layers'}`;

/** What is no line of a pull says nothing about it. */
function parsed(line: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return {};
  }
}
