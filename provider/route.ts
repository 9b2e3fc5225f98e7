/**
 * What a span passes through on its way to Phoenix.
 */
import type { Engine } from '../engine';
import type { Answer, Question, Reach } from './reach';

/** What a span passes through, and how to look at each part. */
export interface Route {
  /** From where the endpoints are asked. */
  readonly reach: Reach;
  /** Docker Engine of the stack. */
  readonly engine: Engine;
  /** From inside the private network. */
  readonly inside: Reach;
  /** Base URLs, as seen from `reach`. */
  readonly endpoints: { readonly otlpHttp: string; readonly alloyUi: string; readonly phoenix: string };
  /** Headers with which Phoenix is asked, credentials among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Command that puts the stack's containers back. */
  readonly redeploy: string;
  /** Names on the Docker host; Phoenix where it is in this stack. */
  readonly containers: { readonly alloy: string; readonly gate: string; readonly phoenix?: string; readonly journal?: string; readonly egress?: string; readonly prometheusGate?: string; readonly lokiGate?: string };
  /** URL of Phoenix's metrics, as seen from `inside`; none where it is in another stack. */
  readonly metrics?: string;
  /** The stack that Phoenix is in, where it is not this one. */
  readonly central?: CentralStack;
}

/** A stack behind a tunnel, and how this one gets in. */
export interface CentralStack {
  readonly stack: string;
  readonly hostname: string;
  readonly sendTo: 'alloy' | 'phoenix';
  /** Name of the service token. */
  readonly token: string;
}

export type Phoenix = (path: string, question?: Question) => Promise<Answer>;

/** Phoenix's API, with the credentials it asks for. */
export function phoenixOf({ reach, endpoints, headers }: Route): Phoenix {
  return (path, question = {}) => reach.ask(`${endpoints.phoenix}${path}`, { ...question, headers: { ...question.headers, ...headers } });
}

/** The list in an answer of Phoenix; empty when something else answers on its port. */
export function dataOf<T>(text: string): readonly T[] {
  try {
    const { data } = JSON.parse(text) as { data?: readonly T[] };
    return data ?? [];
  } catch {
    return [];
  }
}

/** Alloy's exporter of traces; one to another backend has its own queue and its own troubles. */
export type Exporter = 'phoenix' | 'central';

export const componentOf = (exporter: Exporter): string => `otelcol.exporter.otlphttp.${exporter}`;

/** The one that takes traces on their way. */
export const exporterOf = ({ central }: Pick<Route, 'central'>): string => componentOf(central ? 'central' : 'phoenix');
