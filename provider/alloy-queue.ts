/**
 * What waits on Alloy's disk, from its own metrics.
 */
import { alloyDirectories } from '../components/catalog';
import { engineRequest, type Engine } from '../engine';
import { pause } from './cancellation';
import { samplesOf } from './metrics';
import type { Reach } from './reach';

/** The queue of an exporter, in bytes. */
export interface AlloyQueue {
  readonly held: number;
  readonly capacity: number;
}

/**
 * An exporter has a queue for each kind of telemetry; this is the one of traces.
 * @param alloyUi base URL of Alloy's page
 * @param component such as `otelcol.exporter.otlphttp.phoenix`
 * @returns undefined when it cannot be read
 */
export async function queueOf(reach: Reach, alloyUi: string, component: string): Promise<AlloyQueue | undefined> {
  const { status, text } = await reach.ask(`${alloyUi}/metrics`);
  const valueOf = (metric: string): number | undefined => samplesOf(text, metric, `component_id="${component}"`, 'data_type="traces"')[0];
  const [held, capacity] = [valueOf('otelcol_exporter_queue_size'), valueOf('otelcol_exporter_queue_capacity')];
  return status === 200 && held !== undefined && capacity !== undefined ? { held, capacity } : undefined;
}

/** Whether Alloy has set queue files aside because it could not read them; false if the engine does not respond. */
export async function hasDamaged(engine: Engine, container: string): Promise<boolean> {
  const looked = await engineRequest(engine, 'HEAD', `/containers/${container}/archive?path=${encodeURIComponent(alloyDirectories.damaged)}`, { timeoutMs: 10_000 }).catch(() => undefined);
  return looked?.status === 200;
}

/**
 * What an operator should know about Alloy's queue although spans arrive.
 * @param betweenMs milliseconds between two reads of a queue that is half full, to predict when it will be full
 */
export async function queueWarnings(
  { reach, engine, alloyUi, component, container }: { readonly reach: Reach; readonly engine: Engine; readonly alloyUi: string; readonly component: string; readonly container: string },
  betweenMs = 5_000,
): Promise<string[]> {
  const warnings: string[] = [];
  const queue = await queueOf(reach, alloyUi, component);
  if (queue && queue.held >= queue.capacity / 2) {
    const looked = Date.now();
    await pause(betweenMs);
    const later = (await queueOf(reach, alloyUi, component)) ?? queue;
    const left = fullIn(queue, later, Date.now() - looked);
    warnings.push(`Alloy's queue on disk holds ${fillOf(later)}${left ? ` and is full in ${left} at this rate` : ''}; when it is full, Alloy tells senders to try again.`);
  }
  if (await hasDamaged(engine, container)) {
    warnings.push(`Alloy could not read a file of its queue and put it aside: docker exec ${container} ls -l ${alloyDirectories.damaged} lists it. What waited in it was not delivered.`);
  }
  return warnings;
}

/** `12 MiB of 2 GiB`. */
export const fillOf = ({ held, capacity }: AlloyQueue): string => `${inWords(held)} of ${inWords(capacity)}`;

/**
 * When it will be full at the rate between two reads, in words; undefined while it does not grow.
 * @param ms milliseconds between the reads
 */
export function fullIn(before: AlloyQueue, now: AlloyQueue, ms: number): string | undefined {
  const rate = (now.held - before.held) / ms;
  if (rate <= 0) {
    return undefined;
  }
  const minutes = (now.capacity - now.held) / rate / 60_000;
  const [amount, unit] = minutes < 90 ? [minutes, 'minute'] : minutes < 48 * 60 ? [minutes / 60, 'hour'] : [minutes / 60 / 24, 'day'];
  const whole = Math.max(1, Math.floor(amount));
  return `about ${whole} ${unit}${whole === 1 ? '' : 's'}`;
}

function inWords(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power]}`;
}
