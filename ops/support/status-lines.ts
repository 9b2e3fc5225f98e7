/**
 * Lines about several parallel tasks: rewritten in place at a terminal, elsewhere printed from time to time.
 */

export interface StatusOptions {
  /** Whether lines can be rewritten. */
  readonly terminal: boolean;
  /** Columns of the terminal: a longer line would wrap, and the next rewrite would miss it. */
  readonly columns?: number | undefined;
  readonly write: (text: string) => void;
  /** Milliseconds between two updates. Default: a quarter of a second at a terminal, 15 s elsewhere. */
  readonly everyMs?: number;
}

export const onStderr = (): StatusOptions => ({
  terminal: Boolean(process.stderr.isTTY) && process.env['TERM'] !== 'dumb',
  columns: process.stderr.columns,
  write: (text) => void process.stderr.write(text),
});

export class StatusLines {
  private readonly ended = new Map<string, string>();
  private shown = '';
  private height = 0;
  private readonly timer: NodeJS.Timeout;

  /** @param lines the current text of each, called at each update */
  constructor(private readonly lines: Readonly<Record<string, () => string>>, private readonly options: StatusOptions = onStderr()) {
    const { terminal, everyMs = terminal ? 250 : 15_000 } = options;
    this.look();
    this.timer = setInterval(() => this.look(), everyMs);
  }

  /** Sets the final text of one of them. */
  done(name: string, text: string): void {
    this.ended.set(name, text);
    if (this.options.terminal) {
      this.look();
    } else {
      this.options.write(`${this.line(name)}\n`);
    }
  }

  /** No more updates; what was printed stays. */
  end(): void {
    clearInterval(this.timer);
    if (this.options.terminal) {
      this.look();
    }
  }

  private look(): void {
    const { terminal, columns, write } = this.options;
    const names = Object.keys(this.lines);
    if (!terminal) {
      names.filter((name) => !this.ended.has(name)).forEach((name) => write(`${this.line(name)}\n`));
      return;
    }
    const text = names.map((name) => `${this.line(name).slice(0, (columns || 80) - 1)}\n`).join('');
    if (text !== this.shown) {
      // Moves up to the first of them, and prints all lines again.
      write(`${this.height > 0 ? `\u001b[${this.height}A\u001b[J` : ''}${text}`);
      this.shown = text;
      this.height = names.length;
    }
  }

  private line(name: string): string {
    const width = Math.max(...Object.keys(this.lines).map((one) => one.length));
    return `${name.padEnd(width)}  ${this.ended.get(name) ?? this.lines[name]?.() ?? ''}`;
  }
}
