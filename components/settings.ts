/**
 * The only reader of configuration. Everything after it works with plain, frozen, checked values.
 */
import { distance } from 'fastest-levenshtein';
import { images } from './catalog';
import { edgeKeys, edgeProblems, notAtEdge } from './edge-settings';
import { askCommand, key, mending, optional, shellQuoted, type Key } from './key';
import { loginKeys, loginProblems } from './login-settings';
import * as values from './values';
import type { Problem } from './problem';
import { tunnelKeys, tunnelProblems } from './tunnel-settings';

/** Every setting there is. The README's table is held against this. */
export const keys = {
  'phoenix:uiPort': key('6006', 'Host port of the Phoenix page and REST API', values.port),
  'phoenix:otlpGrpcPort': key('14317', 'Host port for OTLP over gRPC straight to Phoenix', values.port),
  'phoenix:otlpHttpPort': key('14318', 'Host port for OTLP over HTTP straight to Phoenix', values.port),
  'phoenix:bind': key('127.0.0.1', 'Host addresses of these three ports, separated by commas; beyond loopback only with `phoenix:auth`', values.addresses),
  'phoenix:retentionDays': key('0', 'Days after which Phoenix deletes traces; 0 keeps them for ever', values.days),
  'phoenix:memory': key('2GiB', 'Memory limit of Phoenix, at least 768MiB', values.memory(768)),
  'phoenix:cpus': key('1', 'CPU limit of Phoenix, whose one process uses one core', values.cpus),
  'phoenix:image': key(images.phoenix, 'Image of Phoenix, with a version', values.image('phoenix')),
  ...loginKeys,
  'alloy:otlpGrpcPort': key('4317', 'Host port on which Alloy takes OTLP over gRPC', values.port),
  'alloy:otlpHttpPort': key('4318', 'Host port on which Alloy takes OTLP over HTTP', values.port),
  'alloy:uiPort': key('12345', "Host port of Alloy's own page (loopback)", values.port),
  'alloy:bind': key(
    'auto',
    'Host addresses on which Alloy takes OTLP, separated by commas; `auto` is loopback and the gateway of Docker\'s bridge',
    values.addressesOrAuto,
  ),
  'alloy:memory': key('1GiB', 'Memory limit of Alloy, at least 384MiB', values.memory(384)),
  'alloy:cpus': key('1', 'CPU limit of Alloy', values.cpus),
  'alloy:image': key(images.alloy, 'Image of Alloy, with a version', values.image('alloy')),
  'gate:image': key(images.gate, 'Image of the gate between Alloy and what it sends spans to: nginx, with a version', values.image('gate')),
  'prometheus:url': optional(
    'http://host.docker.internal:9090/api/v1/write',
    'Where Alloy sends metrics (Prometheus remote write); without it metrics are accepted and discarded',
    values.httpUrl,
  ),
  'loki:url': optional(
    'http://host.docker.internal:3100',
    'Loki to which Alloy sends logs (OTLP); without it logs are accepted and discarded',
    values.httpUrl,
  ),
  ...tunnelKeys,
  ...edgeKeys,
  'docker:host': optional(
    'unix:///var/run/docker.sock',
    'Docker Engine to deploy to, as the docker provider takes it; without it `DOCKER_HOST`, then the local socket',
    values.dockerHost,
  ),
} as const;

export type SettingKey = keyof typeof keys;

/** Checked values under the keys of the stack file: ports as numbers, memory in MiB, CPUs as the provider spells them. */
export type Settings = { readonly [K in SettingKey]: ReturnType<(typeof keys)[K]['parse']> };

const keyed: Readonly<Record<string, Key<unknown>>> = keys;

/** Keys that belong to the providers themselves; they check their values. */
const providerKeys = [
  'cloudflare:apiKey', 'cloudflare:apiUserServiceKey', 'cloudflare:email', 'cloudflare:userAgentOperatorSuffix',
  'docker:caMaterial', 'docker:certMaterial', 'docker:certPath', 'docker:context', 'docker:disableDockerDaemonCheck',
  'docker:keyMaterial', 'docker:registryAuth', 'docker:sshOpts',
];

/** Those of them that no message may show. */
const providerSecrets = ['cloudflare:apiKey', 'cloudflare:apiUserServiceKey', 'docker:keyMaterial', 'docker:registryAuth'];

/** The setting that says on which addresses a port is published; all others are on loopback. */
export const bindOf: Partial<Record<SettingKey, 'phoenix:bind' | 'alloy:bind'>> = {
  'phoenix:uiPort': 'phoenix:bind',
  'phoenix:otlpGrpcPort': 'phoenix:bind',
  'phoenix:otlpHttpPort': 'phoenix:bind',
  'alloy:otlpGrpcPort': 'alloy:bind',
  'alloy:otlpHttpPort': 'alloy:bind',
};

/** Host ports of the stack, by key. */
export const portKeys = (Object.keys(keys) as SettingKey[]).filter((name) => keys[name].parse === values.port);

/** Those of them that a stack publishes: at the edge it has no Phoenix. */
export function publishedPorts(settings: Settings): SettingKey[] {
  return settings['edge:central'] === undefined ? portKeys : portKeys.filter((name) => name.startsWith('alloy:'));
}

/**
 * Turns the stack's configuration into settings.
 * @param config full keys (`namespace:key`) and their text, as Pulumi stores them
 * @param project name of the Pulumi project, whose own namespace holds no settings
 * @param isSecret tells the keys that are stored encrypted, which a command must then do again
 * @returns the settings (a broken one stands at its default) and every problem found
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
    const nearest = nearestKey(name, project, [...known, ...providerKeys]);
    if (nearest) {
      const hidden = isSecret(name) || keyed[nearest]?.secret || providerSecrets.includes(nearest);
      problems.push({
        key: name,
        rule: `there is no such setting; the nearest is ${nearest}`,
        mend: [
          `pulumi config rm ${shellQuoted(name)}`,
          ...(nearest in config ? [] : [hidden ? askCommand(nearest) : `pulumi config set ${nearest} ${shellQuoted(config[name] ?? '')}`]),
        ],
      });
    }
  }

  const settings: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(keyed)) {
    const { fallback, secret, parse } = entry;
    const raw = (atEdge && notAtEdge(name) ? undefined : config[name]) ?? fallback;
    if (raw === undefined) {
      continue;
    }
    if (secret && !isSecret(name)) {
      problems.push({ key: name, rule: 'it is a secret and stands in plain text in the stack file', mend: [askCommand(name)] });
    }
    try {
      settings[name] = parse(raw);
    } catch (error) {
      if (!(error instanceof values.BrokenRule)) {
        throw error;
      }
      problems.push({
        key: name,
        ...(secret ? {} : { value: raw }),
        rule: error.message,
        mend: mending(name, entry),
      });
      settings[name] = fallback === undefined ? undefined : parse(fallback);
    }
  }

  const page = settings['tunnel:hostname'];
  if (page !== undefined && settings['phoenix:rootUrl'] === undefined) {
    settings['phoenix:rootUrl'] = new URL(`https://${String(page)}`);
  }

  const checked = Object.freeze(settings) as Settings;
  const broken = new Set(problems.map(({ key }) => key));
  problems.push(
    ...portClashes(checked, broken),
    ...(atEdge
      ? edgeProblems(Object.keys(config))
      : [
          // Who gets at the tunnel's page is a matter of the tunnel's own rules.
          ...loginProblems(checked, broken, page === undefined ? [] : [checked['tunnel:hostname'] ?? '']),
          ...tunnelProblems(checked, broken, process.env),
        ]),
  );
  return { settings: checked, problems };
}

/** Two services cannot share a host port; their addresses nearly always include loopback, so any two clash. */
function portClashes(settings: Settings, broken: ReadonlySet<string>): Problem[] {
  // A port that is none stands at its default here, where it can clash only by accident.
  const sound = publishedPorts(settings).filter((name) => !broken.has(name) && !(broken.has('edge:central') && notAtEdge(name)));
  return sound.flatMap((name, index) => {
    const earlier = sound.slice(0, index).find((other) => settings[other] === settings[name]);
    return earlier
      ? [{
          key: name,
          value: String(settings[name]),
          rule: `${earlier} claims the same port; every service needs one of its own`,
          mend: [`pulumi config set ${name} ${freePorts(name, settings).next().value}`],
        }]
      : [];
  });
}

/**
 * Ports that no setting claims, to offer for `name`. Each key has a series of its own,
 * so that following two offers does not make the next clash.
 */
export function* freePorts(name: SettingKey, settings: Settings): Generator<number, undefined> {
  const claimed = new Set<unknown>(portKeys.map((other) => settings[other]));
  for (let port = 16006 + portKeys.indexOf(name); port <= 65535; port += portKeys.length) {
    if (!claimed.has(port)) {
      yield port;
    }
  }
}

/** The known key most like an unknown one, or undefined where the key belongs to something else in the stack file. */
function nearestKey(name: string, project: string, known: readonly string[]): string | undefined {
  const [namespace = '', rest = ''] = name.split(/:(.*)/s);
  const namespaces = [...new Set(known.map((other) => other.split(':')[0] ?? ''))];
  // One slip in a short name, two in a longer one: the provider `oci` is not a misspelt `loki`.
  const ours = namespace === project
    || namespaces.some((other) => distance(namespace.toLowerCase(), other) <= (other.length < 6 ? 1 : 2));
  if (!ours) {
    return undefined;
  }
  // A key of the project's own namespace (`pulumi config set uiPort …`) is compared by its last part alone.
  const likeness = (other: string): number =>
    namespace === project ? distance(rest, other.split(':')[1] ?? '') : distance(name.toLowerCase(), other.toLowerCase());
  return known.reduce((best, other) => (likeness(other) < likeness(best) ? other : best));
}
