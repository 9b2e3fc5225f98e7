/**
 * Describes what will be different after a stack has taken over.
 */
import { firstAdmin } from '../../../components/catalog';
import { engineGet, type Engine } from '../../../engine';
import type { Settings } from '../../../settings/keys';
import { inWords } from '../../../settings/problem';
import { leftBehind, uncertain } from './alloy-config';
import type { Measured } from './data';
import type { Login } from './login';
import { isAlone, type OldSetup } from './old-setup';
import { givenUp, keptByPhoenix, publishedBy } from './takeover';

/** `port 6006`, `ports 6006 and 14317` */
const portsInWords = (ports: readonly number[]): string => `port${ports.length === 1 ? '' : 's'} ${inWords(ports.map(String))}`;

/** Environment variables of Phoenix that the stack sets itself, or that say where the old one has its data. */
const known = ['PHOENIX_WORKING_DIR', 'PHOENIX_PORT', 'PHOENIX_GRPC_PORT', 'PHOENIX_HOST', 'PHOENIX_ENABLE_AUTH', 'PHOENIX_ENABLE_PROMETHEUS', 'PHOENIX_SQL_DATABASE_URL'];

export interface Known {
  readonly engine: Engine;
  readonly setup: OldSetup;
  readonly settings: Settings;
  /** Configuration of the old Alloy, if it can be read. */
  readonly config: string | undefined;
  readonly login: Login | undefined;
  readonly measured: Measured;
}

/** Features of a receiver that the stack's has only for other machines, in words. */
const receiving: Readonly<Record<string, string>> = { auth: 'asks senders for credentials', tls: 'takes OTLP over TLS' };

/** What will be different, and what a person has to do about it. */
export async function notesOn({ engine, setup, settings, config, login, measured }: Known): Promise<string[]> {
  const { phoenix, alloy, receivers } = setup;
  const others = config === undefined ? [] : leftBehind(config, settings, phoenix);
  const forOthers = (receivers?.special ?? []).flatMap((name) => receiving[name] ?? []);
  const variables = Object.keys(phoenix.env).filter((name) => name.startsWith('PHOENIX_') && phoenix.env[name] !== '' && ![...known, ...(login?.carried ?? [])].includes(name)).sort();
  const neighbours = await neighboursOf(engine, setup);
  const everywhere = (service: 'phoenix' | 'alloy'): boolean => publishedBy(setup, service).some(({ address }) => ['', '0.0.0.0', '::'].includes(address));
  const bound = (['phoenix', 'alloy'] as const).filter((service) => everywhere(service) && !String(settings[`${service}:bind`]).includes('0.0.0.0'));
  return [
    ...(isAlone(setup)
      ? [`Applications that send to ${portsInWords(keptByPhoenix(setup, settings))} get no answer from when ${phoenix.name} stops until the stack's Phoenix is ready: change them to send to ports ${settings['alloy:otlpGrpcPort']} (gRPC) or ${settings['alloy:otlpHttpPort']} (HTTP) afterwards, where what they send waits on disk.`]
      : []),
    ...loginNotes(setup, settings, login, measured),
    ...(config === undefined && !isAlone(setup) ? [`The configuration of ${alloy.name} could not be read: what it does besides sending traces to Phoenix ends with it.`] : []),
    ...(config === undefined ? [] : uncertain(phoenix, config).map((endpoint) => `${alloy.name} sends traces to ${endpoint} today; after the adoption they go only to the stack's Phoenix.`)),
    ...(others.length > 0
      ? [`${alloy.name} does more than the stack's Alloy will, and this ends with it: ${others.join(', ')}. Metrics and logs that applications send continue with prometheus:url and loki:url; for the rest, keep your own Alloy on other ports.`]
      : []),
    ...(receivers?.special.includes('cors') && settings['alloy:cors'] === undefined ? [`${alloy.name} takes telemetry from websites (CORS); the stack's Alloy takes none until alloy:cors names them.`] : []),
    ...(forOthers.length > 0 ? [`${alloy.name} ${forOthers.join(', and ')}; the stack's Alloy does not on this machine: it takes OTLP from every program here, without TLS.`] : []),
    ...givenUp(setup, settings).map(({ port, instead }) => `Port ${port} of ${alloy.name} closes: change applications that send there to port ${instead}.`),
    ...(bound.length > 0
      ? [`${[...new Set(bound.map((service) => setup[service].name))].join(' and ')} took requests from other machines; the stack's Alloy takes them from this one and its containers, its Phoenix from this one alone, unless ${bound.map((service) => `${service}:bind`).join(' and ')} say otherwise.`]
      : []),
    ...(neighbours.length > 0
      ? [`${neighbours.join(', ')} share a network with the old ones: where they send to ${[...new Set([alloy.name, phoenix.name])].join(' or ')} by name, change them to send to host.docker.internal.`]
      : []),
    ...(!settings['phoenix:retentionDays'] ? [] : [`phoenix:retentionDays is ${settings['phoenix:retentionDays']}: the stack's Phoenix deletes traces that are older.`]),
    ...(variables.length > 0 ? [`Settings of ${phoenix.name} that the stack does not take over: ${variables.join(', ')}.`] : []),
  ];
}

function loginNotes(setup: OldSetup, settings: Settings, login: Login | undefined, { defaultPassword }: Measured): string[] {
  const { name } = setup.phoenix;
  if (login === undefined) {
    return settings['phoenix:auth'] ? [`${name} requires no login, and phoenix:auth is on: after the adoption people log in as ${firstAdmin}, and programs that call Phoenix need an API key.`] : [];
  }
  return [
    ...(isAlone(setup) ? [`${name} asks senders for an API key; the stack's Alloy does not on this machine: it takes OTLP from every program here.`] : []),
    ...(defaultPassword ? [`${firstAdmin} has the default password, and gets the first password of the stack.`] : []),
    ...login.notes,
  ];
}

/** Running containers that reach the old ones by name. */
async function neighboursOf(engine: Engine, { phoenix, alloy }: OldSetup): Promise<string[]> {
  const names = [...new Set([...phoenix.networks, ...alloy.networks])].filter((name) => !['bridge', 'host', 'none'].includes(name));
  const networks = await Promise.all(names.map((name) => engineGet<{ Containers: Readonly<Record<string, { Name: string }>> | null }>(engine, `/networks/${encodeURIComponent(name)}`)));
  const all = networks.flatMap(({ Containers }) => Object.values(Containers ?? {}).map(({ Name }) => Name));
  return [...new Set(all)].filter((name) => name !== phoenix.name && name !== alloy.name).sort();
}
