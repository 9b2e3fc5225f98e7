/**
 * Whether the disk has room for everything a stack may store: Alloy's queues, the metrics that wait beside them, Phoenix's
 * database, and what the stores that it deploys hold.
 */
import { statfs } from 'node:fs/promises';
import type { Problem } from '../settings/problem';
import type { Settings } from '../settings/keys';
import { keepsMetrics } from '../settings/prometheus';
import { keepsLogs } from '../settings/victorialogs';

const mebibyte = 2 ** 20;

/** Metrics are limited only by age: the size of 10,000 series with one sample a minute while their store is away for 96 hours. */
const metricsMiB = 512;

/** Stores that a stack can deploy, by the namespace of their settings. */
const stores = { prometheus: { title: 'Prometheus', data: 'metrics' }, victorialogs: { title: 'VictoriaLogs', data: 'logs' } } as const;

/** How many queues of `alloy:queue` a stack has: one for each kind of telemetry and OTLP backend. */
export function queuesOf(settings: Settings): number {
  const [metrics, logs] = [keepsMetrics(settings) ? 1 : 0, keepsLogs(settings) ? 1 : 0];
  // Signals with a store beside an Alloy at the edge skip the tunnel; a log store uses OTLP, a metrics store does not.
  const through = settings['edge:central'] !== undefined && settings['edge:sendTo'] === 'alloy' ? 3 - metrics - logs : 1;
  return through + logs;
}

/**
 * @param root folder of the engine's volumes, on this machine
 * @param running whether the stack already has its volumes: these may be what fills the disk, so its total size counts
 * @returns a problem if the disk has less room than may be used; none if it cannot be checked
 */
export async function diskRoom(settings: Settings, root: string, running: boolean): Promise<Problem[]> {
  const disk = await statfs(root).catch(() => undefined);
  // Some file systems of sandboxes report a size of zero.
  if (!disk || disk.blocks === 0) {
    return [];
  }
  const room = Math.floor(((running ? disk.blocks : disk.bavail) * disk.bsize) / mebibyte);
  // A PostgreSQL has a disk of its own.
  const [queues, storage = 0] = [queuesOf(settings), settings['phoenix:database'] === undefined ? settings['phoenix:storage'] : 0];
  const metrics = keepsMetrics(settings) ? metricsMiB : 0;
  const queued = settings['alloy:queue'] * queues + metrics;
  const besides = metrics === 0 ? '' : `, metrics that wait for their store about ${inWords(metrics)}`;
  const has = `the disk of ${root} has ${inWords(room)}${running ? '' : ' free'}`;
  const look = ['docker system df', `df -h ${root}`];
  const setting = (key: 'alloy:queue' | 'phoenix:storage' | `${keyof typeof stores}:storage`, rule: string, fits: number, least: number): Problem =>
    ({ key, value: inWords(settings[key] ?? 0), rule, mend: fits >= least ? [`pulumi config set ${key} ${rounded(fits)}`] : look });
  if (queued > room) {
    return [setting('alloy:queue', `${queues === 1 ? 'the queue' : `each of ${queues} queues`} may take that much${besides}, and ${has}`, (room * 0.8 - metrics) / queues, 128)];
  }
  let [used, others] = [queued, `${queues === 1 ? "Alloy's queue" : `Alloy's ${queues} queues`} ${inWords(queued - metrics)}${besides}`];
  for (const [store, { title, data }] of Object.entries(stores) as [keyof typeof stores, (typeof stores)[keyof typeof stores]][]) {
    const stored = settings[`${store}:enabled`] ? settings[`${store}:storage`] : 0;
    if (stored > 0 && used + stored > room) {
      return [setting(`${store}:storage`, `the ${data} may take that much and ${others}, and ${has}`, room * 0.8 - used, 512)];
    }
    [used, others] = [used + stored, stored > 0 ? `${others}, ${title} ${inWords(stored)}` : others];
  }
  return used + storage > room ? [setting('phoenix:storage', `the database may take that much and ${others}, and ${has}`, room * 0.8 - used, 256)] : [];
}

const rounded = (mebibytes: number): string => (mebibytes >= 1024 ? `${Math.floor(mebibytes / 1024)}GiB` : `${Math.floor(mebibytes)}MiB`);

const inWords = (mebibytes: number): string => (mebibytes % 1024 === 0 || mebibytes >= 10_240 ? `${Math.floor(mebibytes / 1024)}GiB` : `${mebibytes}MiB`);
