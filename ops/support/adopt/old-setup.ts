/**
 * The two services of a setup that a stack takes over from: found by image, environment and mounts, because the names of
 * containers and projects are arbitrary.
 */
import * as path from 'node:path';
import { ports } from '../../../components/catalog';
import { isCollector, isPhoenix } from '../../../stack/found';
import type { Problem } from '../../../settings/problem';
import { decoded } from '../../../settings/address-parse';
import type { Receivers } from './alloy-config';
import { npmRun } from '../project';
import type { OldContainer, Mount } from './old-container';

/** The containers that were named on the command line. */
export interface Named {
  readonly phoenix: string | undefined;
  readonly alloy: string | undefined;
}

export interface OldSetup {
  readonly phoenix: OldContainer;
  /** The collector to which applications send; Phoenix's own container if they send to Phoenix. */
  readonly alloy: OldContainer;
  /** How Alloy receives OTLP. Default: on the usual ports, as if its configuration cannot be read. */
  readonly receivers?: Receivers;
  /** Where Phoenix keeps its data, the folder of its database there, and its file if the name is not Phoenix's own. */
  readonly mount: Mount;
  readonly directory: string;
  readonly database?: string;
}

/** Whether applications send directly to Phoenix. */
export const isAlone = ({ phoenix, alloy }: Pick<OldSetup, 'phoenix' | 'alloy'>): boolean => phoenix.name === alloy.name;

/** Port of Phoenix's page and of OTLP over HTTP, in its container. */
export const portOf = ({ env }: OldContainer): string => env['PHOENIX_PORT'] || String(ports.phoenix.ui);

const roles = {
  phoenix: {
    title: 'Phoenix',
    is: ({ image, env }: OldContainer): boolean => 'PHOENIX_WORKING_DIR' in env || isPhoenix(image),
  },
  alloy: { title: 'Alloy', is: ({ image }: OldContainer): boolean => isCollector(image) },
} as const;
type Role = keyof typeof roles;

/**
 * Selects the two among the containers of an engine.
 * @param stack the one that takes over
 * @returns the parts of the setup that exist, and everything that is wrong with it
 */
export function oldSetup(containers: readonly OldContainer[], named: Named, stack: string): { setup?: OldSetup; problems: Problem[] } {
  // If `--alloy` names a Phoenix, that Phoenix is meant.
  const itself = containers.find(({ name }) => name === named.alloy);
  const phoenixNamed = { ...named, phoenix: named.phoenix ?? (itself && roles.phoenix.is(itself) && !roles.alloy.is(itself) ? named.alloy : undefined) };
  const found = { phoenix: candidates(containers, 'phoenix', phoenixNamed), alloy: candidates(containers, 'alloy', named) };
  if (found.phoenix.length + found.alloy.length === 0) {
    const asked = named.phoenix ?? named.alloy;
    return {
      problems: [{
        key: 'the old setup',
        ...(asked === undefined ? {} : { value: asked }),
        rule: asked === undefined ? 'no container on this engine is your own Phoenix or Alloy' : 'there are no such containers',
        mend: ['docker ps --all', `${npmRun('up', stack)}   # where there is nothing to take over`],
      }],
    };
  }
  const same = found.phoenix.length === 1 && found.phoenix[0]?.name === found.alloy[0]?.name;
  const problems = (same ? (['phoenix'] as const) : (['phoenix', 'alloy'] as const)).flatMap((role) => problemsOf(role, found, (over) => adoptCommand(stack, { ...named, ...over })));
  const [phoenix, alloy] = [found.phoenix[0], found.alloy[0]];
  const place = phoenix && dataOf(phoenix);
  if (phoenix && found.phoenix.length === 1) {
    problems.push(...problemsOfData(phoenix, place));
  }
  return phoenix && alloy && place && problems.length === 0 ? { setup: { phoenix, alloy, ...place }, problems } : { problems };
}

function candidates(containers: readonly OldContainer[], role: Role, named: Named): readonly OldContainer[] {
  const name = named[role];
  return containers.filter((one) => (name === undefined ? roles[role].is(one) : one.name === name));
}

/** `npm run adopt` with the containers that were named. */
export const adoptCommand = (stack: string, { phoenix, alloy }: Named): string =>
  npmRun('adopt', stack, ...(phoenix ? ['--phoenix', phoenix] : []), ...(alloy ? ['--alloy', alloy] : []));

/** Why a service cannot be taken over from. */
function problemsOf(role: Role, found: Readonly<Record<Role, readonly OldContainer[]>>, again: (named: Partial<Named>) => string): Problem[] {
  const { title } = roles[role];
  const [one, ...more] = found[role];
  if (!one) {
    const [other] = found[role === 'phoenix' ? 'alloy' : 'phoenix'];
    return [{
      key: title,
      rule: `no container is the ${title} that belongs to ${other?.name}, and an adoption needs both`,
      mend: [...(other?.composeUp === undefined ? [] : [`${other.composeUp}   # if it is in the same compose project`]), `${again({ [role]: 'NAME' })}   # if it has a different image`,
        ...(role === 'alloy' && found.phoenix.length === 1 ? [`${again({ alloy: other?.name })}   # if applications send to Phoenix itself`] : [])],
    }];
  }
  if (more.length > 0) {
    const all = found[role].map(({ name, status }) => `${name} (${status})`).join(', ');
    return [{ key: title, rule: `more than one container could be it: ${all}`, mend: found[role].map(({ name }) => again({ [role]: name })) }];
  }
  if (one.status !== 'running') {
    return [{ key: title, value: one.name, rule: `it is ${one.status}, not running, and an adoption needs both`, mend: [startCommand(one)] }];
  }
  if (one.removedAtStop) {
    return [{
      key: title,
      value: one.name,
      rule: 'it was started with --rm: Docker deletes it, and its volumes that have no name, as soon as it stops',
      mend: [...(role === 'phoenix' ? [`docker pause ${one.name} && docker cp ${one.name}:${dataPath(one)} .   # first: its data`] : []), `docker inspect ${one.name}   # start it again without --rm`],
    }];
  }
  return [];
}

function startCommand({ name, status }: OldContainer): string {
  return { paused: `docker unpause ${name}`, restarting: `docker logs --tail 30 ${name}` }[status] ?? `docker start ${name}`;
}

function problemsOfData(phoenix: OldContainer, place: object | undefined): Problem[] {
  const { name, env, composeUp } = phoenix;
  const problem = (variable: string, rule: string, mend: readonly string[]): Problem[] => [{ key: `${variable} of ${name}`, rule, mend }];
  const elsewhere = ['PHOENIX_SQL_DATABASE_URL', 'PHOENIX_POSTGRES_HOST'].find((variable) => env[variable] && placeOf(phoenix) === undefined);
  return [
    // Its value may hold a password.
    ...(elsewhere ? problem(elsewhere, 'its database is not a SQLite file at an absolute path, and only such a file is taken over', ['npm run up   # a separate stack, beside it: stop the old Alloy first, or set other ports']) : []),
    ...(place || elsewhere
      ? []
      : problem('the volume', 'nothing is mounted where it keeps its data, so the data is deleted with the container', [
        `docker stop ${name} && docker cp ${name}:${dataPath(phoenix)} .   # and ${composeUp === undefined ? 'start it again with that in a volume (-v)' : 'give it a volume in the compose file'}`,
      ])),
  ];
}

/** Phoenix's own default is in the home directory of its user. */
function workingDirectory({ env, mounts }: OldContainer): string {
  return env['PHOENIX_WORKING_DIR'] ?? mounts.map(({ path }) => path).find((path) => path.endsWith('/.phoenix')) ?? '/root/.phoenix';
}

/**
 * Folder and file of Phoenix's database; undefined if it is not a file at an absolute path. In a URL of SQLAlchemy, everything
 * after three slashes is a literal path.
 */
function placeOf(phoenix: OldContainer): { directory: string; database?: string } | undefined {
  const { PHOENIX_SQL_DATABASE_URL: url, PHOENIX_POSTGRES_HOST: server } = phoenix.env;
  if (url) {
    const [, file] = /^sqlite(?:\+\w+)?:\/\/\/(\/[^?]+)/.exec(url.trim()) ?? [];
    // Phoenix opens it as a SQLite URI, which SQLite decodes.
    return file === undefined ? undefined : { directory: path.posix.dirname(decoded(file)), database: path.posix.basename(decoded(file)) };
  }
  return server ? undefined : { directory: workingDirectory(phoenix).replace(/\/$/, '') };
}

/** What to copy out of a container: the folder of Phoenix, or the database with a custom name. */
function dataPath(phoenix: OldContainer): string {
  const { directory, database } = placeOf(phoenix) ?? { directory: workingDirectory(phoenix) };
  return database === undefined ? directory : path.posix.join(directory, database);
}

/** The same with the mount that contains it; the innermost, if mounts are nested. */
function dataOf(phoenix: OldContainer): { mount: Mount; directory: string; database?: string } | undefined {
  const place = placeOf(phoenix);
  const [mount] = place === undefined ? [] : phoenix.mounts.filter((one) => `${place.directory}/`.startsWith(`${one.path.replace(/\/$/, '')}/`)).sort((a, b) => b.path.length - a.path.length);
  return place && mount && { mount, ...place };
}
