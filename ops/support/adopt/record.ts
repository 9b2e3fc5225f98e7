/**
 * The progress of the adoption of a compose setup. Kept on the Docker host, beside the data: as the labels of an empty volume,
 * because every checkout finds it there and the engine creates one atomically.
 */
import { hostName, takingOver } from '../../../components/names';
import { engineGet, engineMessage, engineRequest, type Engine } from '../../../engine';
import type { Networks } from './containers';
import type { OldData } from './data';
import { Failure } from '../say';
import { removeVolume } from '../volumes';

/**
 * - rehearsing: everything new can be thrown away;
 * - switching: applications send to the new Alloy, and what they send waits there;
 * - copied: the new volume holds everything, and must not be overwritten any more;
 * - adopted: the old containers are a backup.
 */
export const phases = ['rehearsing', 'switching', 'copied', 'adopted'] as const;
export type Phase = (typeof phases)[number];

export interface Adoption {
  readonly phase: Phase;
  /** Host ports of the stack's Alloy in the rehearsal, by port of its container. */
  readonly rehearsal: Readonly<Record<number, number>>;
  /** Names of the old containers. */
  readonly phoenix: string;
  readonly alloy: string;
  /** Port of Phoenix's page and of OTLP over HTTP, in its container. */
  readonly port: string;
  readonly data: OldData;
  /** Networks of a Phoenix to which applications send directly: it is disconnected from them before it is stopped. */
  readonly networks?: Networks;
}

const label = 'llm-observability.adoption';

/** @param stack name of the stack that takes over; an engine has only one of each name */
export async function readRecord(engine: Engine, stack: string): Promise<Adoption | undefined> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  const { Volumes } = await engineGet<{ Volumes: { Name: string; Labels: Record<string, string> }[] | null }>(engine, `/volumes?filters=${filters}`);
  // The previous one is removed after the next exists: a run may have been killed in between.
  const [last] = phases.flatMap((phase) => (Volumes ?? []).filter(({ Name }) => Name === volumeOf(stack, phase))).reverse();
  return last && (JSON.parse(last.Labels[label] ?? '') as Adoption);
}

export async function writeRecord(engine: Engine, stack: string, adoption: Adoption): Promise<void> {
  const name = volumeOf(stack, adoption.phase);
  // For an existing name, the engine returns the existing volume, whatever its labels.
  await removeRecords(engine, stack, [adoption.phase]);
  const answer = await engineRequest(engine, 'POST', '/volumes/create', { body: { Name: name, Labels: { [label]: JSON.stringify(adoption) } } });
  if (answer.status >= 400) {
    throw new Failure(`Volume ${name}, which records the progress of the adoption, could not be created: ${engineMessage(answer)}.`, ['docker system df']);
  }
  await removeRecords(engine, stack, phases.filter((phase) => phase !== adoption.phase));
}

export async function removeRecords(engine: Engine, stack: string, which: readonly Phase[] = phases): Promise<void> {
  await Promise.all(which.map((phase) => removeVolume(engine, volumeOf(stack, phase), ', which records the progress of an adoption,')));
}

const volumeOf = (stack: string, phase: Phase): string => (phase === 'switching' ? takingOver(stack) : hostName('adoption', stack, phase));
