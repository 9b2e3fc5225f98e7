/**
 * Which host ports of a stack are in use, by what, and the command that avoids the conflict.
 */
import { shortName } from '../components/names';
import { describe, isCollector, isOf, isOfStack, isPhoenix, nameOf, type Container } from './found';
import { holderOf, isHeld } from '../engine/host-ports';
import type { Problem } from '../settings/problem';
import { bindOf, freePorts, otherOffsets, portAsSet, publishedPorts } from '../settings/ports';
import type { SettingKey, Settings } from '../settings/keys';
import { isWildcard } from '../components/address';

const loopback = '127.0.0.1';

export interface PortSurvey {
  readonly settings: Settings;
  /** Addresses for Alloy, `auto` resolved. */
  readonly bind: readonly string[];
  readonly owner: string;
  readonly containers: readonly Container[];
  /** Whether processes on this machine share the ports with the engine. */
  readonly processes: boolean;
}

/** @returns a problem for each port that something else holds */
export async function heldPorts(survey: PortSurvey): Promise<Problem[]> {
  const { settings } = survey;
  const offset = settings['ports:offset'];
  const holders = new Map<SettingKey, Holder>();
  for (const key of publishedPorts(settings)) {
    const holder = await holderOn(addressesOf(key, survey), settings[key] as number, survey);
    if (holder) {
      holders.set(key, holder);
    }
  }
  // Several at once belong to another stack or an earlier setup: one command avoids all conflicts.
  const together = holders.size > 1 ? await firstFreeOffset(survey) : undefined;
  return Promise.all([...holders].map(async ([key, { name, takenOverBy }]) => ({
    key,
    value: String(portAsSet(key, settings)),
    rule: `${name} holds ${offset === 0 ? 'that port' : `port ${String(settings[key])} (ports:offset is ${offset})`} on the Docker host; stop it, or choose ${together === undefined ? 'a different port' : 'different ports'}`,
    mend: [
      together === undefined ? `pulumi config set ${key} ${await firstFree(key, survey)}` : `pulumi config set ports:offset ${together}`,
      ...(takenOverBy !== undefined && settings['edge:central'] === undefined ? [`npm run adopt -- --stack ${shortName(survey.owner)}${takenOverBy}   # takes over from it, with its data`] : []),
    ],
  })));
}

interface Holder {
  readonly name: string;
  /** Set for a Phoenix or an Alloy that a stack can take over: the arguments that `npm run adopt` needs besides the stack. */
  readonly takenOverBy?: string;
}

/** If there is no collector, applications send to Phoenix directly. */
function takeOver(holder: Container, containers: readonly Container[]): string | undefined {
  if (isOfStack(holder) || !(isPhoenix(holder.Image) || isCollector(holder.Image))) {
    return undefined;
  }
  return containers.some((one) => isCollector(one.Image) && !isOfStack(one)) ? '' : ` --alloy ${nameOf(holder)}`;
}

/** Host addresses on which a port is published. */
function addressesOf(key: SettingKey, { settings, bind }: PortSurvey): readonly string[] {
  const bindKey = bindOf[key];
  return bindKey ? { 'phoenix:bind': settings['phoenix:bind'], 'alloy:bind': bind }[bindKey] : [loopback];
}

/** What, other than the stack itself, uses a port on one of these addresses; undefined if it is free. */
async function holderOn(wanted: readonly string[], port: number, { owner, containers, processes }: PortSurvey): Promise<Holder | undefined> {
  const publishers = containers.filter(({ Ports }) =>
    Ports.some(({ IP, PublicPort }) => PublicPort === port && wanted.some((address) => overlap(address, IP ?? '0.0.0.0'))));
  const other = publishers.find((one) => !isOf(owner, one));
  if (other) {
    return { name: describe(other), takenOverBy: takeOver(other, containers) };
  }
  // Docker's own proxy listens on the ports that the stack's containers publish: this is no conflict.
  const name = publishers.length > 0 || !processes ? undefined : await processOn(wanted, port);
  return name === undefined ? undefined : { name };
}

/** A value for the setting that gives a free port. */
async function firstFree(key: SettingKey, survey: PortSurvey): Promise<number | undefined> {
  for (const port of freePorts(key, survey.settings)) {
    if (!(await holderOn(addressesOf(key, survey), port + survey.settings['ports:offset'], survey))) {
      return port;
    }
  }
  return undefined;
}

/** A value for `ports:offset` that makes all ports free. */
async function firstFreeOffset(survey: PortSurvey): Promise<number | undefined> {
  const { settings } = survey;
  const ports = publishedPorts(settings);
  for (const offset of otherOffsets(settings)) {
    const held = await Promise.all(ports.map((key) => holderOn(addressesOf(key, survey), portAsSet(key, settings) + offset, survey)));
    if (held.every((holder) => holder === undefined)) {
      return offset;
    }
  }
  return undefined;
}

function overlap(a: string, b: string): boolean {
  return a === b || isWildcard(a) || isWildcard(b);
}

async function processOn(addresses: readonly string[], port: number): Promise<string | undefined> {
  for (const address of addresses) {
    if (await isHeld(address, port)) {
      return (await holderOf(port)) ?? 'a process';
    }
  }
  return undefined;
}
