/** An HTTP response; status 0 if there was none, with the reason as its text. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface Question {
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds to wait for the response. Default: 10,000. */
  readonly patienceMs?: number;
}

/** A place from which HTTP requests are sent. */
export interface Reach {
  /** Never fails, never follows a redirect, waits 10 s for a response unless told otherwise. */
  ask(url: string, question?: Question): Promise<Answer>;
  /** Closes its connections. */
  close(): void;
}

/** Milliseconds until a request counts as unanswered. */
export const patience = 10_000;

/** From this process. */
export const here: Reach = {
  async ask(url, { patienceMs = patience, ...question } = {}) {
    try {
      const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(patienceMs), ...question });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      return { status: 0, text: reasonOf(error) };
    }
  },
  close() {},
};

/** Why there was no response, in words. */
export function reasonOf(error: unknown): string {
  const { message, cause, code } = error as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException };
  return [cause?.code, code].includes('ECONNREFUSED') ? 'connection refused' : cause?.message || cause?.code || message || code || 'no reason given';
}
