/**
 * Host ports of a stack among its settings: what `ports:offset` adds to them, and conflicts between them.
 */
import { notAtEdge } from './edge';
import { keys, type SettingKey, type Settings } from './keys';
import { highestOffset, lastPort, port } from './port-parse';
import type { Problem } from './problem';

/** The setting for the addresses on which a port is published; all others are on loopback. */
export const bindOf: Partial<Record<SettingKey, 'phoenix:bind' | 'alloy:bind'>> = {
  'phoenix:uiPort': 'phoenix:bind',
  'phoenix:otlpGrpcPort': 'phoenix:bind',
  'phoenix:otlpHttpPort': 'phoenix:bind',
  'alloy:otlpGrpcPort': 'alloy:bind',
  'alloy:otlpHttpPort': 'alloy:bind',
};

/** Ports that are published only while another setting is `true`, and that setting. */
export const portsWith: Partial<Record<SettingKey, SettingKey>> = { 'prometheus:port': 'prometheus:enabled', 'victorialogs:port': 'victorialogs:enabled', 'grafana:port': 'grafana:enabled', 'example:port': 'example:enabled' };

/** Host ports that a stack may publish, by key. */
export const hostPortKeys = (Object.keys(keys) as SettingKey[]).filter((name) => keys[name].parse === port);

/** Those that every stack with Phoenix publishes. */
export const portKeys = hostPortKeys.filter((name) => portsWith[name] === undefined);

/** Those that this stack publishes: an edge stack has no Phoenix. */
export function publishedPorts(settings: Settings): SettingKey[] {
  return portsOf(settings, settings['edge:central'] !== undefined);
}

function portsOf(settings: Readonly<Record<string, unknown>>, atEdge: boolean): SettingKey[] {
  return hostPortKeys.filter((name) => !(atEdge && notAtEdge(name)) && (portsWith[name] === undefined || settings[portsWith[name]] === true));
}

/** The port as the stack file has it, before `ports:offset`. */
export function portAsSet(name: SettingKey, settings: Settings): number {
  return Number(settings[name]) - settings['ports:offset'];
}

/** Adds `ports:offset` to every port. If one would exceed the last port, none is moved. */
export function movePorts(settings: Record<string, unknown>, atEdge: boolean): Problem[] {
  const offset = settings['ports:offset'] as number;
  const published = portsOf(settings, atEdge);
  const highest = published.reduce((best, name) => (Number(settings[name]) > Number(settings[best]) ? name : best));
  const room = lastPort - Number(settings[highest]);
  if (offset > room) {
    settings['ports:offset'] = 0;
    return [{
      key: 'ports:offset',
      value: String(offset),
      rule: `it moves ${highest} from ${String(settings[highest])} to ${Number(settings[highest]) + offset}, and ${lastPort} is the last port`,
      mend: [`pulumi config set ports:offset ${Math.floor(room / 100) * 100}`],
    }];
  }
  for (const name of published) {
    settings[name] = Number(settings[name]) + offset;
  }
  return [];
}

/** Two services cannot share a host port; their addresses nearly always include loopback, so any two clash. */
export function portClashes(settings: Settings, broken: ReadonlySet<string>): Problem[] {
  // An invalid port has its default here, where it can clash only by accident.
  const sound = publishedPorts(settings).filter((name) => !broken.has(name));
  return sound.flatMap((name, index) => {
    const earlier = sound.slice(0, index).find((other) => settings[other] === settings[name]);
    return earlier
      ? [{
          key: name,
          value: String(portAsSet(name, settings)),
          rule: `${earlier} claims the same port; every service needs its own port`,
          mend: [`pulumi config set ${name} ${freePorts(name, settings).next().value}`],
        }]
      : [];
  });
}

/**
 * Values to offer for `name`, of ports that no setting uses; `ports:offset` is added to them. Each key has its own series, so
 * that following two offers does not cause the next clash.
 */
export function* freePorts(name: SettingKey, settings: Settings): Generator<number, undefined> {
  const offset = settings['ports:offset'];
  const claimed = new Set<unknown>(hostPortKeys.map((other) => settings[other]));
  // Below those of the ports that every stack has: what a message offers for these does not depend on how many others there are.
  const { series, from, to } = portKeys.includes(name)
    ? { series: portKeys, from: 16_006, to: lastPort }
    : { series: hostPortKeys.filter((other) => !portKeys.includes(other)), from: 10_006, to: 16_005 };
  for (let port = from + series.indexOf(name); port <= to && port + offset <= lastPort; port += series.length) {
    if (!claimed.has(port + offset)) {
      yield port;
    }
  }
}

/** Offsets that move every published port to a different one, in steps that are easy to remember. */
export function* otherOffsets(settings: Settings): Generator<number, undefined> {
  const highest = Math.max(...publishedPorts(settings).map((name) => portAsSet(name, settings)));
  for (let offset = 100; offset <= Math.min(highestOffset, lastPort - highest); offset += 100) {
    if (offset !== settings['ports:offset']) {
      yield offset;
    }
  }
}
