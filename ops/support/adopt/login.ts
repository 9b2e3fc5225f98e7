/**
 * The login configuration of a Phoenix, as settings of the stack: with a different secret all of its API keys would be invalid.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isSecretKey, keyed } from '../../../settings/keys';
import { loginKeys } from '../../../settings/login';
import { loginEnvironment } from '../../../stack/phoenix-env';
import type { Problem } from '../../../settings/problem';
import { readSettings } from '../../../settings/settings';
import type { Engine } from '../../../engine';
import { output } from '../../../provider/container-reach';
import { projectName } from '../project';
import { databaseOf } from './data';
import { portOf, type OldSetup } from './old-setup';

type Variables = Readonly<Record<string, string>>;
type Config = Readonly<Record<string, string>>;

const script = ['credentials.py', 'login.py'].map((file) => fs.readFileSync(path.join(__dirname, file), 'utf8')).join('\n');

/** The login configuration of a Phoenix. */
export interface Told {
  /** Its environment variables as it sees them, including secrets. */
  readonly env: Variables;
  /** Whether its credentials work, or nobody has an API key. */
  readonly opens: boolean;
}

/** @throws Error if it cannot be queried */
export async function toldOf(engine: Engine, setup: OldSetup): Promise<Told> {
  const said = await output(engine, setup.phoenix.name, ['python3', '-c', script, portOf(setup.phoenix), databaseOf(setup)]);
  return JSON.parse(said.trim().split('\n').at(-1) ?? '') as Told;
}

/** The part of it that the stack takes over. */
export interface Login {
  readonly config: Config;
  readonly secrets: Config;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
  /** Variables that the stack's Phoenix gets as well. */
  readonly carried: readonly string[];
}

/** Settings that are taken over all together or not at all: the prefix of their names, and the group's name in messages. */
const groups: Readonly<Record<string, string>> = { oidc: 'OIDC', ldap: 'LDAP', smtp: 'mail' };
const groupOf = (key: string): string => Object.keys(groups).find((group) => key.startsWith(`phoenix:${group}`)) ?? key;

/** The Phoenix variable of a setting; undefined if it has none. @param provider name of the identity provider in its variables */
const variableOf = (key: string, provider: string): string | undefined => keyed[key]?.variable?.replace('{NAME}', provider);

/** Names of the identity providers in the variables, in capitals. */
const providersOf = (env: Variables): string[] => Object.keys(env).flatMap((name) => /^PHOENIX_OAUTH2_(\w+)_CLIENT_ID$/.exec(name)?.[1] ?? []).sort();

/** Settings that correspond to the variables. */
function settingsOf(env: Variables, provider: string): Config {
  const told = Object.keys(loginKeys).flatMap((key) => {
    const value = asSet(key, env[variableOf(key, provider) ?? ''] ?? '');
    return value === '' ? [] : [[key, value] as const];
  });
  return { ...Object.fromEntries(told), ...(provider === '' ? {} : { 'phoenix:oidcName': provider.toLowerCase() }), 'phoenix:auth': 'true' };
}

/** Phoenix accepts a switch in any spelling; one variable is the opposite of its setting. */
function asSet(key: string, value: string): string {
  const lower = value.toLowerCase();
  if (!['true', 'false'].includes(fallbackOf(key) ?? '') || !['true', 'false'].includes(lower)) {
    return value;
  }
  return String((lower === 'true') !== (key === 'phoenix:basicAuth'));
}

const fallbackOf = (key: string): string | undefined => keyed[key]?.fallback;

/**
 * @param name of the old Phoenix's container
 * @param start command that starts it again
 * @param config settings of the stack, as they are set
 * @param set its secrets
 */
export function loginOf({ env, opens }: Told, name: string, start: string, config: Config, set: Config): Login {
  const all = { ...config, ...set };
  const [provider = ''] = providersOf(env);
  const offered = settingsOf(env, provider);
  // Settings made for the stack are not mixed with those of the old Phoenix. Equal ones may come from an earlier run.
  const isChosen = (key: string): boolean => Object.keys(all).some((one) => groupOf(one) === groupOf(key) && all[one] !== offered[one]);
  const wanted = Object.fromEntries(Object.entries(offered).filter(([key, value]) => !isChosen(key) && !(key in all) && value !== fallbackOf(key)));
  const { taken, notes } = sound(wanted, all, (key) => variableOf(key, provider), name);
  const now: Config = { ...all, ...taken };
  const differently = Object.keys(offered).filter((key) => isChosen(key) && (now[key] ?? fallbackOf(key)) !== offered[key]);
  const same = Object.keys(offered).filter((key) => (now[key] ?? fallbackOf(key)) === offered[key]);
  const { env: told } = loginEnvironment(readSettings(now, projectName).settings);
  return {
    config: Object.fromEntries(Object.entries(taken).filter(([key]) => !isSecretKey(key))),
    secrets: Object.fromEntries(Object.entries(taken).filter(([key]) => isSecretKey(key))),
    problems: [...problemsOf(offered['phoenix:secret'], opens, name, start), ...otherwiseSet(offered, all, name)],
    notes: [...notes, ...(differently.length > 0 ? [`The stack has different values than ${name}, and keeps them: ${differently.join(', ')}.`] : [])],
    carried: [
      ...[...same, ...differently].flatMap((key) => variableOf(key, provider) ?? []),
      // Variables that follow from these settings.
      ...Object.keys(told).filter((variable) => env[variable]?.toLowerCase() === told[variable]?.toLowerCase()),
    ],
  };
}

function problemsOf(secret: string | undefined, opens: boolean, name: string, start: string): Problem[] {
  const problem = (rule: string, comment: string): Problem => ({ key: `PHOENIX_SECRET of ${name}`, rule, mend: [`${start}   # ${comment}`] });
  if (secret === undefined) {
    return [problem('people log in, and its environment does not have the secret that signs API keys', 'with PHOENIX_SECRET in its environment')];
  }
  const broken = readSettings({ 'phoenix:secret': secret }, projectName, isSecretKey).problems.find(({ key }) => key === 'phoenix:secret');
  if (broken) {
    return [problem(broken.rule, 'with a different secret, which makes all of its API keys invalid')];
  }
  return opens ? [] : [problem('none of its API keys is signed with it, so all of them would be invalid', 'so that it uses the secret that its environment has')];
}

/** Settings of the stack that would lock everybody out, or let everybody in. */
function otherwiseSet(offered: Config, all: Config, name: string): Problem[] {
  return [
    ...(all['phoenix:auth'] === 'false'
      ? [{ key: 'phoenix:auth', value: 'false', rule: `people log in at ${name}, and without login anyone who reaches Phoenix may do everything`, mend: ['pulumi config set phoenix:auth true'] }]
      : []),
    ...(all['phoenix:secret'] !== undefined && all['phoenix:secret'] !== offered['phoenix:secret']
      ? [{ key: 'phoenix:secret', rule: `it is not PHOENIX_SECRET of ${name}, and all of its API keys would be invalid`, mend: ['pulumi config rm phoenix:secret'] }]
      : []),
  ];
}

/** The settings that the stack's Phoenix would start with, and remarks about the others. */
function sound(wanted: Config, all: Config, variable: (key: string) => string | undefined, name: string): { taken: Config; notes: string[] } {
  const { problems } = readSettings({ ...all, ...wanted }, projectName, isSecretKey);
  const broken = problems.filter(({ key }) => key in wanted && key !== 'phoenix:secret');
  const out = new Set(broken.map(({ key }) => groupOf(key)));
  return {
    taken: Object.fromEntries(Object.entries(wanted).filter(([key]) => !out.has(groupOf(key)))),
    notes: [...out].map((group) => {
      const rules = broken.filter(({ key }) => groupOf(key) === group).map(({ key, rule }) => (key === group ? rule : `${variable(key)}: ${rule}`)).join('; ');
      return `${groups[group] === undefined ? variable(group) : `What ${name} has for ${groups[group]}`} is not taken over: ${rules}.`;
    }),
  };
}
