/**
 * Host ports: those of the old containers become those of the stack, and a rehearsal temporarily needs others.
 */
import { ports } from '../../../components/catalog';
import { chooseEngine } from '../../../engine';
import { inspectHost } from '../../../stack/preflight';
import type { Problem } from '../../../settings/problem';
import { readSettings } from '../../../settings/settings';
import { otherOffsets, portKeys } from '../../../settings/ports';
import type { SettingKey, Settings } from '../../../settings/keys';
import { projectName } from '../project';
import type { Receivers } from './alloy-config';
import type { OldContainer, Published } from './old-container';
import { isAlone, portOf, type OldSetup } from './old-setup';

const usual: Receivers = { grpc: [ports.alloy.otlpGrpc], http: [ports.alloy.otlpHttp], special: [] };

interface Served {
  readonly service: 'phoenix' | 'alloy';
  readonly internal: readonly number[];
  /** Whether the setting stays unchanged if the port is a different one. */
  readonly onlyAsItIs?: boolean;
}

/** Container ports of the old services, by the setting that takes over their host port. Applications send to the last two. */
function servedBy(setup: OldSetup): Readonly<Partial<Record<SettingKey, Served>>> {
  const { phoenix, receivers = usual } = setup;
  const page = Number(portOf(phoenix));
  const grpc = Number(grpcPortOf(phoenix));
  if (isAlone(setup)) {
    // The port that applications send to becomes Alloy's, unless the stack's Phoenix has that port anyway.
    return {
      'phoenix:uiPort': { service: 'phoenix', internal: [page] },
      'phoenix:otlpGrpcPort': { service: 'phoenix', internal: [grpc], onlyAsItIs: true },
      'phoenix:otlpHttpPort': { service: 'phoenix', internal: [page], onlyAsItIs: true },
      'alloy:otlpGrpcPort': { service: 'phoenix', internal: [grpc] },
      'alloy:otlpHttpPort': { service: 'phoenix', internal: [page], onlyAsItIs: true },
    };
  }
  return {
    'phoenix:uiPort': { service: 'phoenix', internal: [page] },
    'phoenix:otlpGrpcPort': { service: 'phoenix', internal: [grpc] },
    // Many publish it at 4318, though nothing listens there.
    'phoenix:otlpHttpPort': { service: 'phoenix', internal: [ports.alloy.otlpHttp, page] },
    'alloy:uiPort': { service: 'alloy', internal: [ports.alloy.ui] },
    'alloy:otlpGrpcPort': { service: 'alloy', internal: receivers.grpc },
    'alloy:otlpHttpPort': { service: 'alloy', internal: receivers.http },
  };
}

/** Host ports of a Phoenix to which applications send, and that remain Phoenix's. */
export function keptByPhoenix(setup: OldSetup, settings: Settings): number[] {
  const alloys = [settings['alloy:otlpGrpcPort'], settings['alloy:otlpHttpPort']];
  return [...new Set(publishedBy(setup, 'phoenix').map(({ external }) => external))].filter((port) => !alloys.includes(port)).sort((a, b) => a - b);
}

/**
 * Host ports on which the old Alloy receives OTLP and the stack's does not: it receives each protocol on one. If the ports of
 * the old one are unknown, each may be one.
 */
export function givenUp(setup: OldSetup, settings: Settings): { port: number; instead: number }[] {
  const { receivers } = setup;
  if (isAlone(setup)) {
    return [];
  }
  if (receivers === undefined) {
    const taken = [settings['alloy:otlpGrpcPort'], settings['alloy:otlpHttpPort'], settings['alloy:uiPort']];
    return publishedBy(setup, 'alloy').filter(({ external, internal }) => !taken.includes(external) && internal !== ports.alloy.ui).map(({ external }) => ({ port: external, instead: settings['alloy:otlpHttpPort'] }));
  }
  return (['grpc', 'http'] as const).flatMap((protocol) => {
    const instead = settings[protocol === 'grpc' ? 'alloy:otlpGrpcPort' : 'alloy:otlpHttpPort'];
    return publishedBy(setup, 'alloy').filter(({ internal, external }) => receivers[protocol].includes(internal) && external !== instead).map(({ external }) => ({ port: external, instead }));
  });
}

/** Host ports of the stack's Alloy, by port of its container. */
export const alloyPorts = (settings: Settings): Readonly<Record<number, number>> => ({
  [ports.alloy.otlpGrpc]: settings['alloy:otlpGrpcPort'],
  [ports.alloy.otlpHttp]: settings['alloy:otlpHttpPort'],
  [ports.alloy.ui]: settings['alloy:uiPort'],
});

/** Ports of one of the two as they are published; on the host's network that is where it listens. */
export function publishedBy(setup: OldSetup, service: 'phoenix' | 'alloy'): readonly Published[] {
  const { onHostNetwork, published } = setup[service];
  return onHostNetwork ? listeningOn(setup)[service].map((port) => ({ internal: port, external: port, address: '' })) : published;
}

function listeningOn(setup: OldSetup): Readonly<Record<'phoenix' | 'alloy', readonly number[]>> {
  const { phoenix: container, receivers = usual } = setup;
  const phoenix = [Number(portOf(container)), Number(grpcPortOf(container))];
  return { phoenix, alloy: isAlone(setup) ? phoenix : [...receivers.grpc, ...receivers.http, ports.alloy.ui] };
}

const grpcPortOf = ({ env }: OldContainer): string => env['PHOENIX_GRPC_PORT'] || String(ports.phoenix.otlpGrpc);

/**
 * Settings with which the stack takes over the ports of the old setup, except those that it would use anyway.
 * @param config settings of the stack, as they are set
 * @returns the settings to add, and a problem for each port of applications that is set to a different one
 */
export function portsOf(setup: OldSetup, config: Readonly<Record<string, string>>, settings: Settings): { config: Record<string, string>; problems: Problem[] } {
  const taken: Record<string, string> = {};
  const problems: Problem[] = [];
  const used = new Set<number>();
  for (const [key, { service, internal, onlyAsItIs = false }] of Object.entries(servedBy(setup)) as [SettingKey, Served][]) {
    const offered = internal.flatMap((port) => publishedBy(setup, service).filter((one) => one.internal === port).map(({ external }) => external));
    const wanted = Number(settings[key]);
    const old = offered.find((port) => port === wanted && !used.has(port)) ?? (onlyAsItIs ? undefined : offered.find((port) => !used.has(port)));
    if (old === undefined || old === wanted) {
      used.add(wanted);
      continue;
    }
    const value = String(old - settings['ports:offset']);
    if (!(key in config)) {
      taken[key] = value;
      used.add(old);
    } else if (key === 'alloy:otlpGrpcPort' || key === 'alloy:otlpHttpPort') {
      problems.push({
        key,
        value: config[key] ?? '',
        rule: `applications send to port ${old} of ${setup.alloy.name}, and the stack would not listen there`,
        mend: [`pulumi config set ${key} ${value}`, `pulumi config rm ${key}`],
      });
    }
  }
  return { config: taken, problems };
}

/**
 * Conflicts of the stack on its Docker host, except with the old setup, whose ports it takes over.
 * @param owner `project/stack`
 */
export async function hostProblems(setup: OldSetup, settings: Settings, owner: string): Promise<Problem[]> {
  const { problems } = await inspectHost(chooseEngine(settings), settings, owner, true);
  const theirs = (['phoenix', 'alloy'] as const).flatMap((service) => publishedBy(setup, service).map(({ external }) => external));
  return problems.filter(({ key }) => !portKeys.includes(key as SettingKey) || !theirs.includes(Number(settings[key as SettingKey])));
}

/** A value for `ports:offset` with which every port of the stack is free; undefined if there is none. */
export async function rehearsalOffset(config: Readonly<Record<string, string>>, owner: string): Promise<number | undefined> {
  const { settings } = readSettings(config, projectName);
  for (const offset of otherOffsets(settings)) {
    const moved = readSettings({ ...config, 'ports:offset': String(offset) }, projectName).settings;
    const { problems } = await inspectHost(chooseEngine(moved), moved, owner, true);
    if (!problems.some(({ key }) => portKeys.includes(key as SettingKey))) {
      return offset;
    }
  }
  return undefined;
}
