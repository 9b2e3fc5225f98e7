/**
 * What the containers of a stack report: their state, and the log lines about a refusal.
 */
import { engineMessage, engineRequest } from '../engine';
import { componentOf, type Exporter, type Route } from './route';

export const logsOf = (container: string): string => `docker logs --tail 30 ${container}`;

/** "running", "exited with 137", "not there", or why it is unknown. */
export async function containerState(route: Route, name: string): Promise<string> {
  try {
    const found = await inspected(route, name);
    if (found === undefined) {
      return 'not there';
    }
    const { State } = found;
    return State.Status === 'exited' ? `exited with ${State.ExitCode}` : [State.Status, State.Health?.Status].filter(Boolean).join(', ');
  } catch (error) {
    return `unknown: ${(error as Error).message}`;
  }
}

interface Inspected {
  readonly State: { readonly Status: string; readonly ExitCode: number; readonly Health?: { readonly Status: string } };
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> };
}

/** A container as the engine sees it; undefined if it does not exist. Rejects if the engine does not respond. */
export async function inspected({ engine }: Route, name: string): Promise<Inspected | undefined> {
  const { status, body } = await engineRequest(engine, 'GET', `/containers/${name}/json`, { timeoutMs: 10_000 }).catch((error: unknown) => {
    throw new Error(`the Docker Engine does not answer (${(error as Error).message})`);
  });
  if (status >= 400 && status !== 404) {
    throw new Error(`the Docker Engine answers ${engineMessage({ status, body })}`);
  }
  return status === 404 ? undefined : (JSON.parse(body.toString()) as Inspected);
}

/** Lines of a container's log since a time in milliseconds; none if the engine does not respond. */
export async function logSince({ engine }: Route, container: string, since: number): Promise<readonly string[]> {
  const query = `stdout=1&stderr=1&tail=500&since=${Math.floor(since / 1000)}`;
  const log = await engineRequest(engine, 'GET', `/containers/${container}/logs?${query}`, { timeoutMs: 10_000 }).catch(() => undefined);
  return log?.status === 200 ? log.body.toString().split('\n') : [];
}

/**
 * The backend's last response to the gate that was no success, or that it was not asked; undefined if the gate has refused
 * nothing since.
 */
export async function lastRefusal(route: Route, since: number, paths = 'traces|metrics|logs'): Promise<number | 'closed' | undefined> {
  // Without an upstream only a closed gate returns 503; other lines are about senders that hung up, and unknown names.
  const refused = new RegExp(`refused upstream=(\\d{3}|-(?= answered=503)) answered=\\d{3} uri=/v1/(?:${paths})(?:[/?]|$)`);
  const refusals = (await logSince(route, route.containers.gate, since)).flatMap((line) => refused.exec(line)?.[1] ?? []);
  const last = refusals.at(-1);
  return last === '-' ? 'closed' : last === undefined ? undefined : Number(last);
}

/** nginx's last error since a time in milliseconds: an unknown name, a certificate, a connection. */
export async function lastGateError(route: Route, since: number): Promise<string | undefined> {
  // nginx also logs an error when an empty request is refused like the one before it.
  const errors = (await logSince(route, route.containers.gate, since)).flatMap((line) => /\[(?:error|crit)\] \d+#\d+: (?!\*\d+ auth request )(?:\*\d+ )?(.*?)(?:, client: .*)?$/.exec(line)?.[1] ?? []);
  return errors.at(-1);
}

/** The newest error of an exporter in Alloy's log since a time in milliseconds, or undefined. */
export async function lastExportError(route: Route, since: number, exporter: Exporter): Promise<string | undefined> {
  const lines = (await logSince(route, route.containers.alloy, since)).filter((line) => line.includes(`component_id=${componentOf(exporter)}`) && /level=(warn|error|info).*error=/.test(line));
  return /error="?(.*?)"?(?: rejected_items| dropped_items| interval|$)/.exec(lines.at(-1) ?? '')?.[1]?.replaceAll('\\"', '"');
}
