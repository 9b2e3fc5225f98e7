/**
 * Settings of a VictoriaLogs that the stack deploys as its store of logs, and the rules between them.
 */
import { images } from '../components/catalog';
import { disk, limitedDays, memory } from './amount-parse';
import { image } from './image-parse';
import { boolean } from './parse';
import { port } from './port-parse';
import type { Problem } from './problem';
import { key } from './setting';

/** A part of the settings: `keys.ts` has all of them. */
export const victorialogsKeys = {
  'victorialogs:enabled': key('false', 'Whether the stack deploys VictoriaLogs as its store of logs, instead of `loki:url`: [docs/logs.md](docs/logs.md)', boolean),
  'victorialogs:port': key('9428', 'Host port of its page (loopback)', port),
  'victorialogs:retentionDays': key('30', 'Days after which it deletes log records; it does not accept older ones', limitedDays),
  'victorialogs:storage': key('4GiB', 'Disk space for its logs, at least 512MiB. If they need more, it deletes the oldest days earlier, but not the last two', disk(512, 'a store of logs')),
  'victorialogs:memory': key('512MiB', 'Memory limit of VictoriaLogs, at least 256MiB', memory(256)),
  'victorialogs:image': key(images.victorialogs, 'Image of VictoriaLogs, with a version', image('victorialogs')),
} as const;

/** The settings that the rules look at. */
export interface VictoriaLogsSettings {
  readonly 'victorialogs:enabled': boolean;
  readonly 'loki:url': URL | undefined;
}

/** Whether a store gets logs: a deployed one, or one of somebody else. */
export const keepsLogs = (settings: VictoriaLogsSettings): boolean => settings['victorialogs:enabled'] || settings['loki:url'] !== undefined;

/** @param broken keys that already have a problem */
export function victorialogsProblems(settings: VictoriaLogsSettings, broken: ReadonlySet<string>): Problem[] {
  return settings['victorialogs:enabled'] && (settings['loki:url'] !== undefined || broken.has('loki:url'))
    ? [{ key: 'victorialogs:enabled', value: 'true', rule: 'the stack deploys a store of logs, and loki:url names a different one; logs go to one of them', mend: ['pulumi config rm victorialogs:enabled', 'pulumi config rm loki:url   # for the one that the stack deploys'] }]
    : [];
}
