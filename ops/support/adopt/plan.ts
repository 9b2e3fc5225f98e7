/**
 * The messages of an adoption.
 */
import * as path from 'node:path';
import { shellQuoted } from '../../../settings/setting';
import { loginKeys } from '../../../settings/login';
import type { Outputs } from '../outputs';
import { npmRun } from '../project';
import type { Counts, OldData } from './data';
import { isAlone } from './old-setup';
import type { Adoption } from './record';
import { mebibytes, type Plan } from './survey';

const numbers = new Intl.NumberFormat('en');

export const amount = ({ traces, spans }: Counts): string => `${numbers.format(traces)} traces (${numbers.format(spans)} spans)`;

/** What will be taken over, and how, before anything is changed. */
export function planText(stack: string, { setup: { phoenix, alloy, mount }, measured, version, config, secrets, settings, data, notes }: Plan): string {
  return [
    `Stack ${stack} takes over from:`,
    `  Phoenix  ${phoenix.name} (${version}): ${amount(measured)}, ${mebibytes(measured.bytes)} in ${mount.source}, which are copied to volume ${data.volume}`,
    isAlone({ phoenix, alloy })
      ? `  OTLP     ${phoenix.name}, to which applications send: alloy-${stack} takes it on ports ${settings['alloy:otlpGrpcPort']} and ${settings['alloy:otlpHttpPort']} after that`
      : `  Alloy    ${alloy.name}: its ports ${settings['alloy:otlpGrpcPort']} and ${settings['alloy:otlpHttpPort']} go to alloy-${stack}`,
    ...(config['phoenix:auth'] || secrets['phoenix:secret']
      ? [`  Login    its users with their passwords, and its API keys, as ${[...Object.keys(config), ...Object.keys(secrets)].filter((key) => key in loginKeys).join(', ')} of the stack`]
      : []),
    '',
    'First the stack runs beside them, on other ports and with a copy of the data, until a trace has come through it.',
    'Then the stack takes the ports: for about a second applications cannot send, and their exporters try again. What comes',
    `in afterwards waits on disk until the rest of the data is copied; until then Phoenix's own ports do not answer.`,
    `The old containers stay, stopped, and ${mount.source} stays as it is: the backup.`,
    ...(notes.length > 0 ? ['', 'What changes for you:', ...notes.map((note) => `  - ${note}`)] : []),
  ].join('\n');
}

/** The old containers; only one if applications sent directly to Phoenix. */
export const namesOf = ({ phoenix, alloy }: Pick<Adoption, 'phoenix' | 'alloy'>): string[] => [...new Set([phoenix, alloy])];

/** How to remove the old setup, and how to go back to it. */
export function leftText(stack: string, { phoenix, alloy, data }: Adoption): string {
  const { mount } = data;
  return [
    `The old containers are stopped, and ${mount.source} was not changed. When you no longer need them, remove both services from their compose files, if there are any:`,
    `    docker rm ${namesOf({ phoenix, alloy }).join(' ')}`,
    `    ${removal(data)}`,
    'To go back instead, without the data received since:',
    `    ${npmRun('down', stack)} && docker start ${namesOf({ phoenix, alloy }).join(' ')}`,
  ].join('\n');
}

/**
 * Only what is Phoenix's: its folder may be deeper in a mount that holds other things as well, and a file with a custom name
 * among others.
 */
function removal({ mount, directory, database }: OldData): string {
  const inside = path.posix.relative(mount.path, directory);
  if (database !== undefined) {
    return `# in ${mount.kind === 'bind' ? '' : 'volume '}${mount.source}, which may contain other data, too: the files ${path.posix.join(inside, database)}*`;
  }
  if (mount.kind === 'bind') {
    return `rm -r ${shellQuoted(path.posix.join(mount.source, inside))}`;
  }
  return inside === '' ? `docker volume rm ${mount.source}` : `# in volume ${mount.source}, which may contain other data, too: the folder ${inside}`;
}

export interface Outcome {
  readonly counts: Counts;
  /** Milliseconds for which applications could not send, if that was in this run. */
  readonly gapMs: number | undefined;
  readonly endpoints: Outputs['endpoints'];
}

export function outcomeText(stack: string, { phoenix, alloy }: Adoption, { counts, gapMs, endpoints }: Outcome): string {
  const gap = gapMs === undefined ? '' : ` Applications could not send for ${(gapMs / 1000).toFixed(1)} s.`;
  return [
    '',
    `Stack ${stack} has taken over from ${namesOf({ phoenix, alloy }).join(' and ')}: ${amount(counts)}, all of them there.${gap}`,
    '',
    `  Phoenix    ${endpoints.phoenixUi}`,
    `  OTLP       ${endpoints.otlpHttp} (HTTP)   ${endpoints.otlpGrpc} (gRPC)`,
    `  Alloy      ${endpoints.alloyUi}`,
    '',
  ].join('\n');
}
