/**
 * The only reader of configuration. Everything after it works with plain, frozen, checked values.
 */
import { distance } from 'fastest-levenshtein';
import { keptMiB } from '../components/prometheus-room';
import { withoutPassword } from '../engine';
import { BrokenRule } from './broken-rule';
import { databaseProblems } from './database';
import { destinationProblems } from './destinations';
import { edgeProblems, notAtEdge } from './edge';
import { secretsOf } from './edge-access';
import { exampleProblems } from './example';
import { isSecretKey, keyed, keys, providerKeys, type SettingKey, type Settings } from './keys';
import { grafanaProblems } from './grafana';
import { loginProblems } from './login';
import { nearestKey } from './meant-key';
import { halvesOf } from './network';
import { holdsKey, moved, offers } from './offer';
import { hostPortKeys, movePorts, portClashes } from './ports';
import { prometheusProblems } from './prometheus';
import type { Problem } from './problem';
import { redactProblems } from './redact';
import { setCommand, shellQuoted } from './setting';
import { storeProblems } from './store';
import { certificateText, keyText } from './tls';
import { tunnelProblems } from './tunnel';
import { hoursOf } from './tunnel-parse';
import { victorialogsProblems } from './victorialogs';

/** The rule that a setting breaks whose value a person has to supply. */
export const standsEmpty = 'it is empty in the stack file; set a value';

/** Values that services are given in a different unit or form. */
const asTold: { readonly [K in SettingKey]?: (value: NonNullable<Settings[K]>) => unknown } = {
  'alloy:queue': (mebibytes) => mebibytes * 2 ** 20,
  'network:subnet': halvesOf,
  'phoenix:storage': (mebibytes) => mebibytes / 1024,
  'prometheus:retentionDays': (days) => `${days}d`,
  'prometheus:storage': (mebibytes) => `${keptMiB(mebibytes)}MB`,
  'victorialogs:retentionDays': (days) => `${days}d`,
  'victorialogs:storage': (mebibytes) => `${mebibytes}MiB`,
  'tls:certificate': certificateText,
  'tls:key': keyText,
  'tunnel:tokenDuration': (duration) => hoursOf(duration) || undefined,
};

const told = <K extends SettingKey>(name: K, value: Settings[K]): unknown => (value === undefined || value === null ? undefined : asTold[name]?.(value));

/**
 * Values that are stored with `--secret`: as set, as parsed, and as services are given them; without those that everybody finds
 * in the README, because they are the default.
 */
export function secretValues(settings: Settings, config: Readonly<Record<string, string>>, isSecret: (key: string) => boolean): unknown[] {
  const known = Object.keys(keys) as SettingKey[];
  // A port that is moved by a secret offset would reveal it.
  const moved = isSecret('ports:offset') ? hostPortKeys : [];
  return [...known.filter((name) => isSecret(name) && config[name] !== keys[name].fallback), ...moved]
    .flatMap((name) => [config[name], secretPart(name, settings), told(name, settings[name])]);
}

/** The parts of a value that are secret: others, as the name of a host, are in plain sight, and often parts of other texts. */
function secretPart(name: SettingKey, settings: Settings): unknown {
  if (name === 'edge:access') {
    return settings[name] && secretsOf(settings[name]);
  }
  return name === 'phoenix:database' ? settings[name]?.password : settings[name];
}

/**
 * Turns the stack's configuration into settings.
 * @param config full keys (`namespace:key`) and their text, as Pulumi stores them
 * @param project name of the Pulumi project, whose own namespace holds no settings
 * @param isSecret selects the keys that are stored encrypted, as a command must do again
 * @returns the settings (an invalid one has its default, an invalid `edge:central` an empty name) and every problem found
 */
export function readSettings(
  config: Readonly<Record<string, string>>,
  project: string,
  isSecret: (key: string) => boolean = () => false,
): { settings: Settings; problems: Problem[] } {
  const problems: Problem[] = [];
  const known = Object.keys(keys);

  const atEdge = 'edge:central' in config;
  for (const name of Object.keys(config)) {
    if (known.includes(name) || (atEdge && notAtEdge(name)) || providerKeys.includes(name)) {
      continue;
    }
    if (!isOurs(name, project)) {
      continue;
    }
    const nearest = nearestKey(name, project, [...known, ...providerKeys], isSecretKey);
    problems.push({
      key: name,
      rule: nearest === undefined ? 'unknown setting' : `unknown setting; the nearest is ${nearest}`,
      mend: [`pulumi config rm ${shellQuoted(name)}`, ...(nearest === undefined || nearest in config ? [] : moved(name, config[name] ?? '', nearest, isSecret(name)))],
    });
  }

  const settings: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(keyed)) {
    const { fallback, secret, parse } = entry;
    const raw = (atEdge && notAtEdge(name) ? undefined : config[name]) ?? fallback;
    if (raw === undefined) {
      continue;
    }
    if (secret && !isSecret(name)) {
      problems.push({ key: name, rule: 'it is a secret, and the stack file has it in plain text', mend: [setCommand(name, entry)] });
    }
    if (raw.trim() === '' && fallback === undefined && !secret) {
      problems.push({ key: name, rule: standsEmpty, mend: [setCommand(name, entry), `pulumi config rm ${name}`] });
      continue;
    }
    try {
      settings[name] = parse(raw);
    } catch (error) {
      if (!(error instanceof BrokenRule)) {
        throw error;
      }
      problems.push({
        key: name,
        ...(secret || holdsKey(raw) ? {} : { value: withoutPassword(raw) }),
        rule: error.message,
        mend: offers(name, entry, raw, isSecret(name)),
      });
      settings[name] = fallback === undefined ? undefined : parse(fallback);
    }
  }

  const page = settings['tunnel:hostname'];
  if (page !== undefined && settings['phoenix:rootUrl'] === undefined) {
    settings['phoenix:rootUrl'] = new URL(`https://${String(page)}`);
  }

  if (atEdge) {
    // Even an invalid or empty edge:central makes this an edge stack: report nothing about a Phoenix that it does not have.
    settings['edge:central'] ??= '';
  }
  problems.push(...movePorts(settings, atEdge));
  const checked = Object.freeze(settings) as Settings;
  const broken = new Set(problems.map(({ key }) => key));
  problems.push(
    ...portClashes(checked, broken),
    ...storeProblems(checked, broken, isSecret),
    ...prometheusProblems(checked, broken),
    ...victorialogsProblems(checked, broken),
    ...redactProblems(checked, broken),
    ...(atEdge
      ? edgeProblems(Object.keys(config))
      : [
          // Access to the tunnel's page is decided by the tunnel's own rules.
          ...destinationProblems(checked, broken),
          ...databaseProblems(checked, broken),
          ...('edge:access' in config && !broken.has('edge:access') ? [{ key: 'edge:access', rule: 'it is for a stack at the edge, and edge:central, the name of its central stack, is not set', mend: ['pulumi config set edge:central prod', 'pulumi config rm edge:access'] }] : []),
          ...grafanaProblems(checked, broken),
          ...loginProblems(checked, broken, page === undefined ? [] : [checked['tunnel:hostname'] ?? '']),
          ...tunnelProblems(checked, broken, process.env),
          ...exampleProblems(checked, broken),
        ]),
  );
  return { settings: checked, problems };
}

/** Whether an unknown key was meant for this program, and not for something else that the stack file serves. */
function isOurs(name: string, project: string): boolean {
  const [namespace = ''] = name.split(':');
  const namespaces = [...new Set([...Object.keys(keys), ...providerKeys].map((other) => other.split(':')[0] ?? ''))];
  // One slip in a short name, two in a longer one: the provider `oci` is not a misspelled `loki`.
  return namespace === project || namespaces.some((other) => distance(namespace.toLowerCase(), other) <= (other.length < 6 ? 1 : 2));
}
