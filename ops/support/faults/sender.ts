import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

export interface Load {
  /** Base URL of an OTLP receiver over HTTP. */
  readonly receiver: string;
  /** Project in Phoenix. */
  readonly project: string;
  readonly spansPerSecond: number;
  readonly spansPerRequest: number;
  /** Bytes of the text in each span, which is about its size. */
  readonly spanBytes: number;
  readonly retry?: Retry;
}

/** How a retryable request is retried. */
export interface Retry {
  /** Milliseconds before the first retry; doubled for each further one, up to 16 times as much. */
  readonly firstMs: number;
  /** Milliseconds after which a request is given up. */
  readonly giveUpMs: number;
  /** Milliseconds that one attempt may take. */
  readonly timeoutMs: number;
}

/** As exporters of the OpenTelemetry SDKs do: for a minute, ten seconds an attempt. */
export const asSdksDo: Retry = { firstMs: 1_000, giveUpMs: 60_000, timeoutMs: 10_000 };

/** The responses that OTLP defines as retryable. */
const retried: readonly number[] = [429, 502, 503, 504];

/** Bytes of requests without a response. Beyond it spans are dropped, as a full queue of an SDK drops them. */
const mostOpen = 256 << 20;

/** The result of one attempt; `later` may carry the milliseconds that the receiver asked for. */
type Attempt = { readonly kind: 'accepted' } | { readonly kind: 'refused' | 'later'; readonly why: string; readonly afterMs?: number };

/** Sends spans at a steady rate, whatever the responses are, and records the result of each. */
export class Sender {
  /** Eight hexadecimal digits with which the IDs of its spans, and no others, begin. */
  readonly prefix = randomBytes(4).toString('hex');
  /** IDs of the spans whose request got a 200, in the order of the responses. */
  readonly accepted: string[] = [];
  /** Spans whose request was given up, by the last response. */
  readonly refused = new Map<string, number>();
  /** Spans that were sent at least once. */
  sent = 0;

  /** Whether it still sends new ones. */
  get running(): boolean {
    return this.timer !== undefined;
  }

  private readonly open = new Set<Promise<void>>();
  private openBytes = 0;
  private begun = 0;
  private due = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly text: string;

  constructor(private readonly load: Load) {
    // Text that compression does not shrink to nothing.
    this.text = randomBytes(load.spanBytes + 1024).toString('base64');
  }

  start(): void {
    this.begun = Date.now();
    this.timer = setInterval(() => this.tick(), 20);
  }

  /** Stops sending new spans; requests without a response are still retried. @returns when each request is accepted or given up */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await Promise.all(this.open);
  }

  private tick(): void {
    const due = Math.floor(((Date.now() - this.begun) / 1000) * (this.load.spansPerSecond / this.load.spansPerRequest));
    for (; this.due < due; this.due += 1) {
      if (this.openBytes < mostOpen) {
        this.send();
      }
    }
  }

  private send(): void {
    const ids = Array.from({ length: this.load.spansPerRequest }, (_, index) => `${this.prefix}${(this.sent + index + 1).toString(16).padStart(8, '0')}`);
    this.sent += ids.length;
    const body = this.request(ids);
    this.openBytes += body.length;
    const done = this.deliver(ids, body).finally(() => {
      this.openBytes -= body.length;
      this.open.delete(done);
    });
    this.open.add(done);
  }

  private async deliver(ids: readonly string[], body: string): Promise<void> {
    const { firstMs, giveUpMs } = this.load.retry ?? asSdksDo;
    const deadline = Date.now() + giveUpMs;
    for (let waitMs = firstMs; ; waitMs = Math.min(waitMs * 2, firstMs * 16)) {
      const attempt = await this.attempt(body);
      if (attempt.kind === 'accepted') {
        this.accepted.push(...ids);
        return;
      }
      // Not all at the same moment.
      const afterMs = attempt.afterMs ?? waitMs * (0.5 + Math.random());
      if (attempt.kind === 'refused' || Date.now() + afterMs > deadline) {
        this.refused.set(attempt.why, (this.refused.get(attempt.why) ?? 0) + ids.length);
        return;
      }
      await pause(afterMs);
    }
  }

  private async attempt(body: string): Promise<Attempt> {
    const { receiver, retry = asSdksDo } = this.load;
    try {
      const answer = await fetch(`${receiver}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(retry.timeoutMs),
      });
      const text = await answer.text();
      if (answer.ok) {
        return isPartial(text) ? { kind: 'refused', why: 'partial success' } : { kind: 'accepted' };
      }
      const seconds = Number(answer.headers.get('retry-after') ?? NaN);
      return { kind: retried.includes(answer.status) ? 'later' : 'refused', why: String(answer.status), ...(seconds >= 0 ? { afterMs: seconds * 1000 } : {}) };
    } catch (error) {
      return { kind: 'later', why: (error as Error).name === 'TimeoutError' ? 'no answer' : 'no connection' };
    }
  }

  /** A separate trace for each request, in OTLP's JSON form. */
  private request(ids: readonly string[]): string {
    const traceId = randomBytes(16).toString('hex');
    const now = Date.now();
    const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } });
    const spans = ids.map((spanId, index) => {
      const from = (this.sent + index) % 1024;
      return {
        traceId,
        spanId,
        name: 'fault',
        kind: 1,
        startTimeUnixNano: `${now - 1}000000`,
        endTimeUnixNano: `${now}000000`,
        attributes: [text('openinference.span.kind', 'CHAIN'), text('input.value', this.text.slice(from, from + this.load.spanBytes))],
        status: { code: 1 },
      };
    });
    const resource = { attributes: [text('service.name', 'faults'), text('openinference.project.name', this.load.project)] };
    return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'faults' }, spans }] }] });
  }
}

/** Whether a 200 reports a partial success. */
function isPartial(text: string): boolean {
  try {
    const { partialSuccess } = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: string | number } };
    return Number(partialSuccess?.rejectedSpans ?? 0) > 0;
  } catch {
    return false;
  }
}
