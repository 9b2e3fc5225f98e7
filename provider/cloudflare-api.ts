import { here, type Answer, type Reach } from './reach';

/** A response of Cloudflare; status 0 if there was none, with the reason as its message. */
export interface CloudflareAnswer<T> {
  readonly status: number;
  readonly result: T | undefined;
  /** Code and text of its first error. */
  readonly message: string;
}

/** The few requests to Cloudflare's API besides those of the provider. */
export class CloudflareApi {
  /** @param baseUrl without a slash at its end */
  constructor(private readonly baseUrl: string, private readonly token: string, private readonly reach: Reach = here) {}

  get<T>(path: string): Promise<CloudflareAnswer<T>> {
    return this.ask('GET', path);
  }

  /**
   * Whether the token may change what is below a path. Deletes a thing that cannot exist: only a token that may write is told
   * that it does not.
   */
  async mayWrite(path: string, id: string): Promise<boolean> {
    const { status } = await this.ask('DELETE', `${path}/${id}`);
    return status !== 401 && status !== 403;
  }

  private async ask<T>(method: string, path: string): Promise<CloudflareAnswer<T>> {
    return read(await this.reach.ask(`${this.baseUrl}${path}`, { method, headers: { authorization: `Bearer ${this.token}` } }));
  }
}

function read<T>({ status, text }: Answer): CloudflareAnswer<T> {
  if (status === 0) {
    return { status, result: undefined, message: text };
  }
  try {
    const { result, errors } = JSON.parse(text) as { result?: T | null; errors?: { code: number; message: string }[] };
    return { status, result: result ?? undefined, message: (errors ?? []).map(({ code, message }) => `${code} ${message}`)[0] ?? '' };
  } catch {
    return { status: status < 400 ? 0 : status, result: undefined, message: `no JSON but ${text.trim().slice(0, 100)}` };
  }
}
