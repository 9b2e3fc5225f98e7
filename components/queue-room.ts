/**
 * Whether what may wait on disk has room there.
 */
import { statfs } from 'node:fs/promises';
import type { Problem } from './problem';
import type { Settings } from './settings';

const mebibyte = 2 ** 20;

/** How many queues of `alloy:queue` a stack has: one for each kind of telemetry and backend that takes OTLP. */
export function queuesOf(settings: Settings): number {
  const [metrics, logs] = [settings['prometheus:url'], settings['loki:url']].map((url) => (url === undefined ? 0 : 1)) as [number, number];
  // What has a store beside an Alloy at the edge does not go through the tunnel; a store of logs takes OTLP, one of metrics does not.
  const through = settings['edge:central'] !== undefined && settings['edge:sendTo'] === 'alloy' ? 3 - metrics - logs : 1;
  return through + logs;
}

/**
 * @param root folder of the engine's volumes, on this machine
 * @param running whether the stack has its queues already: then they may be what fills the disk, and nothing is refused that the disk could hold
 * @returns a problem where the disk has less room than the queues may take; none where it cannot be looked at
 */
export async function queueRoom(settings: Settings, root: string, running: boolean): Promise<Problem[]> {
  const disk = await statfs(root).catch(() => undefined);
  if (!disk) {
    return [];
  }
  const room = Math.floor(((running ? disk.blocks : disk.bavail) * disk.bsize) / mebibyte);
  const queues = queuesOf(settings);
  if (settings['alloy:queue'] * queues <= room) {
    return [];
  }
  const fits = Math.floor((room * 0.8) / queues);
  const size = fits >= 1024 ? `${Math.floor(fits / 1024)}GiB` : `${fits}MiB`;
  return [{
    key: 'alloy:queue',
    value: inWords(settings['alloy:queue']),
    rule: `${queues === 1 ? 'the queue' : `each of ${queues} queues`} may take that much, and the disk of ${root} has ${inWords(room)}${running ? '' : ' free'}`,
    mend: fits >= 128 ? [`pulumi config set alloy:queue ${size}`] : ['docker system df', `df -h ${root}`],
  }];
}

const inWords = (mebibytes: number): string => (mebibytes % 1024 === 0 || mebibytes >= 10_240 ? `${Math.floor(mebibytes / 1024)}GiB` : `${mebibytes}MiB`);
