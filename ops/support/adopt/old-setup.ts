/**
 * The two services of a compose set-up that a stack takes over from: found by image, environment and mounts, because what
 * people call their containers and projects is theirs.
 */
import { ports } from '../../../components/catalog';
import type { Problem } from '../../../components/problem';
import { npmRun } from '../project';
import { repositoryOf, type ComposeContainer, type Mount } from './compose';

/** Which containers a person has named. */
export interface Named {
  readonly phoenix: string | undefined;
  readonly alloy: string | undefined;
}

export interface OldSetup {
  readonly phoenix: ComposeContainer;
  readonly alloy: ComposeContainer;
  /** Where Phoenix keeps its data, and its working directory there. */
  readonly mount: Mount;
  readonly directory: string;
}

/** Port of Phoenix's page and of OTLP over HTTP, in its container. */
export const portOf = ({ env }: ComposeContainer): string => env['PHOENIX_PORT'] || String(ports.phoenix.ui);

const roles = {
  phoenix: {
    title: 'Phoenix',
    is: ({ image, env }: ComposeContainer): boolean => 'PHOENIX_WORKING_DIR' in env || /(^|\/|-)phoenix$/.test(repositoryOf(image)),
  },
  alloy: { title: 'Alloy', is: ({ image }: ComposeContainer): boolean => /(^|\/|-)alloy$/.test(repositoryOf(image)) },
} as const;
type Role = keyof typeof roles;

/**
 * Picks the two out of the compose containers of an engine.
 * @param stack the one that takes over
 * @returns the set-up as far as it is there, and everything that is wrong with it
 */
export function oldSetup(containers: readonly ComposeContainer[], named: Named, stack: string): { setup?: OldSetup; problems: Problem[] } {
  const found = { phoenix: candidates(containers, 'phoenix', named), alloy: candidates(containers, 'alloy', named) };
  if (found.phoenix.length + found.alloy.length === 0) {
    const asked = named.phoenix ?? named.alloy;
    return {
      problems: [{
        key: 'the old set-up',
        ...(asked === undefined ? {} : { value: asked }),
        rule: asked === undefined ? 'no compose container on this engine is a Phoenix or an Alloy' : 'there are no such compose containers',
        mend: ['docker ps --all --filter label=com.docker.compose.project', `${npmRun('up', stack)}   # where there is nothing to take over`],
      }],
    };
  }
  const problems = (['phoenix', 'alloy'] as const).flatMap((role) => problemsOf(role, found, stack));
  const [phoenix, alloy] = [found.phoenix[0], found.alloy[0]];
  const place = phoenix && dataOf(phoenix);
  if (phoenix && found.phoenix.length === 1) {
    problems.push(...problemsOfData(phoenix, place));
  }
  return phoenix && alloy && place && problems.length === 0 ? { setup: { phoenix, alloy, ...place }, problems } : { problems };
}

function candidates(containers: readonly ComposeContainer[], role: Role, named: Named): readonly ComposeContainer[] {
  const name = named[role];
  return containers.filter((one) => (name === undefined ? roles[role].is(one) : one.name === name));
}

/** What keeps a service from being taken over from. */
function problemsOf(role: Role, found: Readonly<Record<Role, readonly ComposeContainer[]>>, stack: string): Problem[] {
  const { title } = roles[role];
  const [one, ...more] = found[role];
  if (!one) {
    const [other] = found[role === 'phoenix' ? 'alloy' : 'phoenix'];
    return [{
      key: title,
      rule: `no compose container is the ${title} that belongs to ${other?.name}, and nothing is taken over from half a set-up`,
      mend: [`${other?.composeUp}   # if it is in the same compose project`, `${npmRun('adopt', stack, `--${role}`, 'NAME')}   # if it has another image`],
    }];
  }
  if (more.length > 0) {
    const all = found[role].map(({ name, status }) => `${name} (${status})`).join(', ');
    return [{ key: title, rule: `several compose containers could be it: ${all}`, mend: found[role].map(({ name }) => npmRun('adopt', stack, `--${role}`, name)) }];
  }
  if (one.status !== 'running') {
    return [{ key: title, value: one.name, rule: `it is not running but ${one.status}, and nothing is taken over from half a set-up`, mend: [startCommand(one)] }];
  }
  return [];
}

function startCommand({ name, status }: ComposeContainer): string {
  return { paused: `docker unpause ${name}`, restarting: `docker logs --tail 30 ${name}` }[status] ?? `docker start ${name}`;
}

function problemsOfData(phoenix: ComposeContainer, place: object | undefined): Problem[] {
  const { name, env, composeUp } = phoenix;
  const problem = (variable: string, rule: string, mend: readonly string[]): Problem[] => [{ key: `${variable} of ${name}`, rule, mend }];
  const elsewhere = ['PHOENIX_SQL_DATABASE_URL', 'PHOENIX_POSTGRES_HOST'].find((variable) => env[variable]);
  return [
    // Its value may hold a password.
    ...(elsewhere ? problem(elsewhere, 'its database is not the SQLite file in its working directory, and only that is taken over', ['npm run up   # a stack of its own, beside it: stop the old Alloy first, or set other ports']) : []),
    ...(env['PHOENIX_ENABLE_AUTH'] === 'true'
      ? problem('PHOENIX_ENABLE_AUTH', 'only a Phoenix without login is taken over; `phoenix:auth` switches it on again afterwards', [`${composeUp}   # with PHOENIX_ENABLE_AUTH: "false" in the compose file`])
      : []),
    ...(place || elsewhere ? [] : problem('the volume', 'nothing is mounted where it keeps its data, which so goes with the container', [`docker cp ${name}:${workingDirectory(phoenix)} .   # and give it a volume in the compose file`])),
  ];
}

/** Phoenix's own default is below the home directory of its user. */
function workingDirectory({ env, mounts }: ComposeContainer): string {
  return env['PHOENIX_WORKING_DIR'] ?? mounts.map(({ path }) => path).find((path) => path.endsWith('/.phoenix')) ?? '/root/.phoenix';
}

/** The mount in which the working directory lies; the innermost, where mounts lie in each other. */
function dataOf(phoenix: ComposeContainer): { mount: Mount; directory: string } | undefined {
  const directory = workingDirectory(phoenix).replace(/\/$/, '');
  const [mount] = phoenix.mounts.filter(({ path }) => `${directory}/`.startsWith(`${path.replace(/\/$/, '')}/`)).sort((a, b) => b.path.length - a.path.length);
  return mount && { mount, directory };
}
