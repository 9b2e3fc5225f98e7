/**
 * What a span passes through on its way to Phoenix.
 */
import type { Engine } from '../engine';
import type { Answer, Question, Reach } from './reach';

/** What a span passes through, and how to inspect each part. */
export interface Route {
  /** Where requests to the endpoints come from. */
  readonly reach: Reach;
  /** Docker Engine of the stack. */
  readonly engine: Engine;
  /** From inside the private network. */
  readonly inside: Reach;
  /** Base URLs, as seen from `reach`. */
  readonly endpoints: { readonly otlpHttp: string; readonly alloyUi: string; readonly phoenix: string };
  /** Headers of requests to Phoenix, including credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Command that restores the stack's containers. */
  readonly redeploy: string;
  /** Names on the Docker host; Phoenix only if it is in this stack. */
  readonly containers: { readonly alloy: string; readonly gate: string; readonly phoenix?: string; readonly journal?: string; readonly egress?: string; readonly database?: string; readonly prometheusGate?: string; readonly lokiGate?: string; readonly victorialogsGate?: string; readonly prometheus?: string; readonly victorialogs?: string };
  /** URL of Phoenix's metrics, as seen from `inside`; none if it is in a different stack. */
  readonly metrics?: string;
  /** The stack of Phoenix, if it is not this one. */
  readonly central?: CentralStack;
}

/** A stack behind a tunnel, and how this one gets access. */
export interface CentralStack {
  readonly stack: string;
  readonly hostname: string;
  readonly sendTo: 'alloy' | 'phoenix';
  /** Name of the service token. */
  readonly token: string;
}

export type Phoenix = (path: string, question?: Question) => Promise<Answer>;

/** Phoenix's API, with the credentials it requires. */
export function phoenixOf({ reach, endpoints, headers }: Route): Phoenix {
  return (path, question = {}) => reach.ask(`${endpoints.phoenix}${path}`, { ...question, headers: { ...question.headers, ...headers } });
}

/** The list in a response of Phoenix; empty if something else responds on its port. */
export function dataOf<T>(text: string): readonly T[] {
  try {
    const { data } = JSON.parse(text) as { data?: readonly T[] };
    return data ?? [];
  } catch {
    return [];
  }
}

/** Alloy's exporter of traces; one to a different backend has its own queue and its own problems. */
export type Exporter = 'phoenix' | 'central';

export const componentOf = (exporter: Exporter): string => `otelcol.exporter.otlphttp.${exporter}`;

/** The one that takes traces on their way. */
export const exporterOf = ({ central }: Pick<Route, 'central'>): string => componentOf(central ? 'central' : 'phoenix');
