/** A refusal in the API's format. */
export class Refusal extends Error {
  constructor(readonly status: number, readonly code: number, message: string, readonly chain?: { readonly code: number; readonly message: string }) {
    super(message);
  }
}

export interface Page {
  readonly page: number;
  readonly per_page: number;
  readonly count: number;
  readonly total_count: number;
  readonly total_pages: number;
}

export interface Answer {
  readonly status?: number;
  readonly result: unknown;
  readonly page?: Page;
  readonly message?: { readonly code: number; readonly message: string };
}

/** The envelope of every response of the API. */
export function wrapped(answer: Answer | Refusal): { status: number; body: object } {
  if (answer instanceof Refusal) {
    const { status, code, message, chain } = answer;
    return { status, body: { success: false, errors: [{ code, message, ...(chain ? { error_chain: [chain] } : {}) }], messages: [], result: null } };
  }
  const { status = 200, result, page, message } = answer;
  return { status, body: { success: true, errors: [], messages: message ? [message] : [], result, ...(page ? { result_info: page } : {}) } };
}

/** The requested part of a list. */
export function paged<T>(all: readonly T[], query: URLSearchParams, length = 20): { result: T[]; page: Page } {
  const [page, per_page] = [Number(query.get('page') ?? 1), Number(query.get('per_page') ?? length)];
  const result = all.slice((page - 1) * per_page, page * per_page);
  return { result, page: { page, per_page, count: result.length, total_count: all.length, total_pages: Math.ceil(all.length / per_page) } };
}
