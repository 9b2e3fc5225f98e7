import { STATUS_CODES } from 'node:http';
import type { Props } from './fields';

/** A refusal of the API, worded as the published provider's client does. */
export class ApiError extends Error {
  constructor(readonly status: number, method: string, url: string, text: string) {
    super(`${method} "${url}": ${status} ${STATUS_CODES[status] ?? ''} ${text}`);
  }
}

/** The API that the provider is configured for. */
export class Cloudflare {
  baseUrl = 'https://api.cloudflare.com/client/v4';
  token: string | undefined;

  /** @param wait milliseconds between two attempts; set only by tests */
  constructor(private readonly wait: (milliseconds: number) => Promise<unknown> = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))) {}

  /**
   * The `result` of the response. Temporary errors are retried ten times, as by the published client.
   * @throws ApiError; or Error when there is no response
   */
  async ask<T = Props>(method: string, path: string, body?: Props): Promise<T> {
    const url = `${this.baseUrl.replace(/\/$/, '')}${path}`;
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.once(method, url, body);
      if (answer instanceof Response && answer.ok) {
        return ((await answer.json()) as { result: T }).result;
      }
      if (!again(answer) || attempt === 10) {
        throw answer instanceof Response ? new ApiError(answer.status, method, url, await answer.text()) : new Error(`${method} "${url}": ${answer.message}`);
      }
      if (answer instanceof Response) {
        await answer.body?.cancel();
      }
      await this.wait(pause(answer, attempt));
    }
  }

  /** Undefined if it does not exist. */
  async find(path: string): Promise<Props | undefined> {
    return this.ask('GET', path).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) {
        return undefined;
      }
      throw error;
    });
  }

  private async once(method: string, url: string, body: Props | undefined): Promise<Response | Error> {
    const headers = { accept: 'application/json', ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }), ...(body ? { 'content-type': 'application/json' } : {}) };
    return fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) }).catch((error: Error) => {
      // Network errors are one level down, and with several addresses they have no message, only a code.
      const { message, code } = (error.cause ?? error) as Error & { code?: string };
      return new Error(message || code || error.message);
    });
  }
}

function again(answer: Response | Error): boolean {
  if (answer instanceof Error) {
    return true;
  }
  const told = answer.headers.get('x-should-retry');
  return told === null ? [408, 409, 429].includes(answer.status) || answer.status >= 500 : told === 'true';
}

/** The delay that the API requests, else 2 s doubled up to 30 s, minus up to a quarter. */
function pause(answer: Response | Error, attempt: number): number {
  const told = answer instanceof Response ? [answer.headers.get('retry-after-ms'), answer.headers.get('retry-after')] : [];
  const [milliseconds, seconds] = told.map((text) => (text === null || text === '' ? NaN : Number(text)));
  if (!Number.isNaN(milliseconds ?? NaN)) {
    return milliseconds as number;
  }
  return Number.isNaN(seconds ?? NaN) ? Math.min(2000 * 2 ** attempt, 30_000) * (1 - Math.random() / 4) : (seconds as number) * 1000;
}
