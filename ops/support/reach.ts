/**
 * Whether a web site can be reached: found by an attempt, never from a setting. "Cannot be reached at all" is a permanent
 * property of this machine's network, so something else may replace the site; any other failure is temporary or will
 * be fixed by somebody, and nothing may silently replace the site.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { proxyFor, shownProxy } from './proxy';
import { helpFor } from './trouble';
import { get, UnknownProxy } from './web';

export type Reach =
  | { readonly kind: 'answers' }
  /** No name, no route, refused or forbidden. */
  | { readonly kind: 'unreachable'; readonly why: string }
  | { readonly kind: 'faulty'; readonly why: string; readonly mend: readonly string[] };

export interface Patience {
  /** Milliseconds without a response after which a site counts as silent. */
  readonly silenceMs: number;
  /** Milliseconds before a site that could not be reached is tried once more: a network may recover after a blip. */
  readonly againMs: number;
}

export const patience: Patience = { silenceMs: 30_000, againMs: 2_000 };

/** @param looksRight how the page must begin: a captive portal responds at every address, with its own page */
export async function reach(url: string, looksRight?: RegExp, { silenceMs, againMs }: Patience = patience): Promise<Reach> {
  const first = await attempt(url, looksRight, silenceMs);
  if (first.kind !== 'unreachable' || againMs === 0) {
    return first;
  }
  await pause(againMs);
  return attempt(url, looksRight, silenceMs);
}

/** Whether a site responds as it should. */
export async function siteAnswers(url: string): Promise<boolean> {
  return (await reach(url, undefined, { silenceMs: 5_000, againMs: 0 })).kind === 'answers';
}

async function attempt(url: string, looksRight: RegExp | undefined, silenceMs: number): Promise<Reach> {
  try {
    const answer = await get(url, AbortSignal.timeout(silenceMs));
    const page = looksRight ? await answer.text() : await answer.body?.cancel();
    const said = `it answers ${answer.status} ${answer.statusText}`.trim();
    if (answer.status === 403) {
      return { kind: 'unreachable', why: said };
    }
    if (!answer.ok) {
      const after = answer.headers.get('retry-after');
      return faulty(after ? `${said}, Retry-After: ${after}` : said);
    }
    return !looksRight || looksRight.test(String(page))
      ? { kind: 'answers' }
      : faulty(`${said} with a different page than expected, such as the sign-in page of a network`);
  } catch (error) {
    return failed(url, error, silenceMs);
  }
}

function failed(url: string, error: unknown, silenceMs: number): Reach {
  const proxy = proxyFor(url);
  const via = proxy && `the proxy ${shownProxy(proxy.url)} (${proxy.variable})`;
  if (error instanceof UnknownProxy) {
    return { kind: 'faulty', why: `${via} is not one of http or https`, mend: ['export HTTPS_PROXY=http://HOST:PORT'] };
  }
  const { codes, messages } = unfolded(error);
  const refusal = /Proxy response \((\d+)\)/.exec(messages.join('\n'))?.[1];
  if (refusal === '403') {
    return { kind: 'unreachable', why: `${via} answers 403 Forbidden` };
  }
  if (refusal) {
    return faulty(`${via} answers ${refusal}${refusal === '407' ? ' Proxy Authentication Required' : ''}`);
  }
  if (codes.some((code) => code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT' || code === 'TimeoutError')) {
    return faulty(`${via ?? 'it'} did not answer within ${silenceMs / 1000} s`);
  }
  const reasons = [...new Set(codes.map((code) => unreachable[code]))];
  if (reasons.length > 0 && reasons.every((reason) => reason !== undefined)) {
    const why = `${reasons.join(', ')} (${[...new Set(codes)].join(', ')})`;
    // A configured proxy that does not exist is a wrong setting, and says nothing about the site.
    return via ? { kind: 'faulty', why: `${via}: ${why}`, mend: [`unset ${proxy.variable}   # or name the proxy of this network`] } : { kind: 'unreachable', why };
  }
  return faulty([...new Set([...messages.filter(Boolean).slice(-1), ...codes])].join(', '));
}

const faulty = (why: string): Reach => ({ kind: 'faulty', why, mend: helpFor(why) });

/** Error codes of the network for a site without a route. */
const unreachable: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known here',
  EAI_AGAIN: 'its name is not known here',
  ECONNREFUSED: 'the connection is refused',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  EADDRNOTAVAIL: 'there is no route to it',
  EACCES: 'the connection is forbidden',
  EPERM: 'the connection is forbidden',
};

/** An error with all of its causes: a connection is attempted to several addresses, and each attempt has its own. */
function unfolded(error: unknown): { codes: string[]; messages: string[] } {
  if (typeof error !== 'object' || error === null) {
    return { codes: [], messages: [] };
  }
  const { name, message, code, cause, errors = [] } = error as NodeJS.ErrnoException & { errors?: readonly unknown[] };
  const inner = [cause, ...errors].map(unfolded);
  // An abort has a numeric code.
  const own = typeof code === 'string' ? code : name === 'TimeoutError' ? name : undefined;
  // The error of a whole attempt repeats one of its parts.
  const codes = inner.flatMap((each) => each.codes);
  return { codes: codes.length > 0 ? codes : own ? [own] : [], messages: [message, ...inner.flatMap((each) => each.messages)] };
}
