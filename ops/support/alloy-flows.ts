/**
 * Where Alloy sends what it receives, read from its configuration: the receiver names the next component for each signal, and
 * following the components leads to an address, or nowhere.
 */
import type { Signal } from '../../components/backend';

/** Kinds of telemetry, in the usual order. */
export const signals: readonly Signal[] = ['traces', 'metrics', 'logs'];

/** An exporter of Alloy. */
export interface Flow {
  /** Label of the component that sends. */
  readonly name: string;
  readonly url: string;
  readonly signals: readonly Signal[];
}

export interface Flows {
  readonly sent: readonly Flow[];
  /** Signals that are accepted and sent nowhere. */
  readonly discarded: readonly Signal[];
}

/** @param config as `alloy fmt` writes it: a component ends at a brace that begins a line */
export function alloyFlows(config: string): Flows {
  const code = config.replace(/^\s*\/\/.*$/gm, '');
  const bodies = new Map([...code.matchAll(/^([\w.]+ "\w+") \{\n(.*?)^\}/gms)].map(([, head = '', body = '']) => [head.replace(/ "(\w+)"/, '.$1'), body]));
  const receivers = [...bodies.keys()].filter((component) => component.startsWith('otelcol.receiver.'));
  const sent = new Map<string, Flow>();
  const discarded: Signal[] = [];
  for (const signal of signals) {
    const taking = reached(bodies, receivers, signal);
    const addresses = taking.flatMap((component) => urlsIn(bodies.get(component) ?? '').map((url) => ({ name: component.split('.').at(-1) ?? '', url })));
    for (const { name, url } of addresses) {
      sent.set(`${name} ${url}`, { name, url, signals: [...(sent.get(`${name} ${url}`)?.signals ?? []), signal] });
    }
    if (taking.length > receivers.length && addresses.length === 0) {
      discarded.push(signal);
    }
  }
  return { sent: [...sent.values()], discarded };
}

/** The components that a signal reaches, including those from which it starts. */
function reached(bodies: ReadonlyMap<string, string>, from: readonly string[], signal: Signal): string[] {
  const found = new Set(from);
  // Iterating a set includes what is added meanwhile.
  for (const component of found) {
    for (const [, next = ''] of forSignal(bodies.get(component) ?? '', signal).matchAll(/([\w.]+)\.(?:input|receiver)\b/g)) {
      found.add(next);
    }
  }
  return [...found];
}

/** A component without its handling of the other signals. */
function forSignal(body: string, signal: Signal): string {
  return body.replace(/^\s*(\w+)\s*=\s*\[.*?\]/gms, (list, name) => (name !== signal && (signals as readonly string[]).includes(name) ? '' : list));
}

function urlsIn(body: string): string[] {
  return [...body.matchAll(/^\s*(?:endpoint|url)\s*=\s*"(https?:[^"]+)"/gm)].map(([, url = '']) => url);
}
