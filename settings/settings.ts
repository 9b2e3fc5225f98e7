/**
 * The only reader of configuration. Everything after it works with plain, frozen, checked values.
 */
import { distance } from 'fastest-levenshtein';
import { images } from '../components/catalog';
import { destinationProblems, destinations } from './destinations';
import { dockerKeys } from './docker';
import { secretsOf } from './edge-access';
import { edgeKeys, edgeProblems, notAtEdge } from './edge';
import { askCommand, key, mending, optional, setCommand, shellQuoted, valueCommand, type Key } from './setting';
import { mayBeSecret, nearestKey, sense } from './meant-key';
import { loginKeys, loginProblems } from './login';
import { origins } from './origins';
import { halvesOf, networkKeys } from './network';
import * as values from './parse';
import { highestOffset, lastPort } from './parse';
import type { Problem } from './problem';
import { storeKeys, storeProblems } from './store';
import { certificateText, keyText, tlsKeys } from './tls';
import { withoutPassword } from '../engine';
import { tunnelKeys, tunnelProblems } from './tunnel';
import { hoursOf } from './tunnel-parse';

/** Every setting there is. The README's table is held against this. */
export const keys = {
  'phoenix:uiPort': key('6006', 'Host port of the Phoenix page and REST API', values.port),
  'phoenix:otlpGrpcPort': key('14317', 'Host port for OTLP over gRPC straight to Phoenix', values.port),
  'phoenix:otlpHttpPort': key('14318', 'Host port for OTLP over HTTP straight to Phoenix', values.port),
  'phoenix:bind': key('127.0.0.1', 'Host addresses of these three ports, separated by commas; beyond loopback only with `phoenix:auth`, and over TLS (`tls:certificate`)', values.addresses),
  'phoenix:hosts': optional(
    'phoenix.lan',
    'Further host names by which Phoenix is reached, separated by commas. Without them it answers to `localhost`, its addresses, `phoenix:rootUrl` and the hostnames of the tunnel, and to anything else with 421',
    values.hostNames,
  ),
  'phoenix:egress': optional(
    'api.openai.com',
    'Servers that Phoenix may connect to, separated by commas: `name`, or `name:port` for a port other than 443. The servers of its login and mail are included; models in the playground need theirs, and `host.docker.internal` is the Docker host',
    destinations,
  ),
  'phoenix:retentionDays': optional('0', 'Days after which Phoenix deletes traces; 0 keeps them for ever; without it what is set in Phoenix stays, which in a new database is for ever', values.days),
  'phoenix:projects': key('1000', 'Projects that senders can create in Phoenix; spans of further ones go to the project `beyond-limit`', values.projects),
  'phoenix:storage': optional('20GiB', "Size that Phoenix's database may have, at least 256MiB. From 95 % on Phoenix takes no more spans, and they wait in Alloy's queue; without it the disk is the bound", values.disk(256, 'a database')),
  'phoenix:memory': key('2GiB', 'Memory limit of Phoenix, at least 768MiB', values.memory(768)),
  'phoenix:cpus': key('1', 'CPU limit of Phoenix, whose one process uses one core', values.cpus),
  'phoenix:metrics': key('true', 'Whether Phoenix has metrics on the private network, by which a change waits until everything is stored; `false` for a remote host whose kernel has no IPv6, where Phoenix does not start with them', values.boolean),
  'phoenix:journal': key('false', 'Whether what Phoenix has accepted is kept on disk until it is stored, and sent again when Phoenix is killed or cannot store it; [its price](docs/journal.md#price) is 128MiB of memory and at most 1GiB of disk', values.boolean),
  'phoenix:image': key(images.phoenix, 'Image of Phoenix, with a version', values.image('phoenix')),
  ...loginKeys,
  'alloy:otlpGrpcPort': key('4317', 'Host port on which Alloy takes OTLP over gRPC', values.port),
  'alloy:otlpHttpPort': key('4318', 'Host port on which Alloy takes OTLP over HTTP', values.port),
  'alloy:uiPort': key('12345', "Host port of Alloy's own page (loopback)", values.port),
  'alloy:bind': key(
    'auto',
    'Host addresses on which Alloy takes OTLP, separated by commas; `auto` is loopback and the gateway of Docker\'s bridge; beyond these it is over TLS (`tls:certificate`)',
    values.addressesOrAuto,
  ),
  'alloy:auth': optional(
    'true',
    'Whether Alloy asks for a token on addresses of `alloy:bind` beyond this machine, which the output `otlpToken` has. Where there are such addresses it has to be set: to `false` for senders without a token',
    values.boolean,
  ),
  'alloy:cors': optional(
    'https://app.example.com',
    'Websites whose pages may send OTLP over HTTP to Alloy, as origins separated by commas: `https://*.example.com` is every name below that domain, `http://localhost:*` every port. Without it browsers send nothing',
    origins,
  ),
  'alloy:memory': key('1GiB', 'Memory limit of Alloy, at least 384MiB. The largest OTLP request is a sixteenth of it, at most 64 MiB, and at most 16 MiB where `phoenix:memory` is below 2GiB', values.memory(384)),
  'alloy:queue': key('2GiB', 'Telemetry that waits on disk while a backend does not take it, for each kind and backend, at least 128MiB. Full, Alloy answers 503, and senders try again', values.disk(128, 'what waits on disk')),
  'alloy:cpus': key('1', 'CPU limit of Alloy', values.cpus),
  'alloy:image': key(images.alloy, 'Image of Alloy, with a version', values.image('alloy')),
  'gate:image': key(images.gate, 'Image of the gates in front of Phoenix, of the stores of metrics and logs, and of what an edge stack sends to: nginx, with a version', values.image('gate')),
  ...storeKeys,
  ...networkKeys,
  ...tlsKeys,
  ...tunnelKeys,
  ...edgeKeys,
  'ports:offset': key('0', 'Added to every host port of the stack, which moves all of them past those of another stack', values.offset, '100'),
  'data:protect': key('false', 'Whether the volumes with traces and undelivered spans are protected: they can be neither destroyed nor replaced, not by `npm run down -- --purge` either', values.boolean),
  ...dockerKeys,
} as const;

export type SettingKey = keyof typeof keys;

/**
 * Checked values under the keys of the stack file: ports as numbers, `ports:offset` added, memory in MiB, CPUs as the
 * provider spells them.
 */
export type Settings = { readonly [K in SettingKey]: ReturnType<(typeof keys)[K]['parse']> };

const keyed: Readonly<Record<string, Key<unknown>>> = keys;

/** The rule that a setting breaks whose value is for a person to fill in. */
export const standsEmpty = 'it is empty in the stack file; set a value';

/** Keys that belong to the providers themselves; they check their values. */
const providerKeys = [
  'cloudflare:apiKey', 'cloudflare:apiUserServiceKey', 'cloudflare:email', 'cloudflare:userAgentOperatorSuffix',
];

/** Those of them that no message may show. */
const providerSecrets = ['cloudflare:apiKey', 'cloudflare:apiUserServiceKey'];

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

/** What services are told in a unit, or a form, of their own. */
const asTold: { readonly [K in SettingKey]?: (value: NonNullable<Settings[K]>) => unknown } = {
  'alloy:queue': (mebibytes) => mebibytes * 2 ** 20,
  'network:subnet': halvesOf,
  'phoenix:storage': (mebibytes) => mebibytes / 1024,
  'tls:certificate': certificateText,
  'tls:key': keyText,
  'tunnel:tokenDuration': (duration) => hoursOf(duration) || undefined,
};

const told = <K extends SettingKey>(name: K, value: Settings[K]): unknown => (value === undefined || value === null ? undefined : asTold[name]?.(value));

/**
 * Values that are stored with `--secret`, as they are set, as they were parsed and as services are told them; without those that everybody finds in
 * the README, because they are the default.
 */
export function secretValues(settings: Settings, config: Readonly<Record<string, string>>, isSecret: (key: string) => boolean): unknown[] {
  const known = Object.keys(keys) as SettingKey[];
  // Moved by an offset that nobody may know, a port would give it away.
  const moved = isSecret('ports:offset') ? portKeys : [];
  return [...known.filter((name) => isSecret(name) && config[name] !== keys[name].fallback), ...moved]
    .flatMap((name) => [config[name], name === 'edge:access' ? settings[name] && secretsOf(settings[name]) : settings[name], told(name, settings[name])]);
}

/** Those of them that a stack publishes: at the edge it has no Phoenix. */
export function publishedPorts(settings: Settings): SettingKey[] {
  return portsOf(settings['edge:central'] !== undefined);
}

function portsOf(atEdge: boolean): SettingKey[] {
  return atEdge ? portKeys.filter((name) => !notAtEdge(name)) : portKeys;
}

/** The port as the stack file has it, before `ports:offset`. */
export function portAsSet(name: SettingKey, settings: Settings): number {
  return Number(settings[name]) - settings['ports:offset'];
}

/**
 * Turns the stack's configuration into settings.
 * @param config full keys (`namespace:key`) and their text, as Pulumi stores them
 * @param project name of the Pulumi project, whose own namespace holds no settings
 * @param isSecret tells the keys that are stored encrypted, which a command must then do again
 * @returns the settings (a broken one stands at its default, a broken `edge:central` as an empty name) and every problem found
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
      if (!(error instanceof values.BrokenRule)) {
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
    // Wrong or still empty, it makes a stack at the edge all the same: nothing may be said of a Phoenix that it has not.
    settings['edge:central'] ??= '';
  }
  problems.push(...movePorts(settings, atEdge));
  const checked = Object.freeze(settings) as Settings;
  const broken = new Set(problems.map(({ key }) => key));
  problems.push(
    ...portClashes(checked, broken),
    ...storeProblems(checked, broken, isSecret),
    ...(atEdge
      ? edgeProblems(Object.keys(config))
      : [
          // Who gets at the tunnel's page is a matter of the tunnel's own rules.
          ...destinationProblems(checked, broken),
          ...('edge:access' in config && !broken.has('edge:access') ? [{ key: 'edge:access', rule: 'it is for a stack at the edge, and edge:central, the name of the stack that it is of, is not set', mend: ['pulumi config set edge:central prod', 'pulumi config rm edge:access'] }] : []),
          ...loginProblems(checked, broken, page === undefined ? [] : [checked['tunnel:hostname'] ?? '']),
          ...tunnelProblems(checked, broken, process.env),
        ]),
  );
  return { settings: checked, problems };
}

/** Commands that set the key that is meant, which is not set, to what stands under one that is none. What may be a secret is shown in none of them. */
function moved(from: string, value: string, to: string, secret: boolean): string[] {
  const entry = keyed[to];
  const says = sense(from, to);
  if (secret || isSecretKey(to)) {
    return says === 'opposite' ? [] : [entry?.file === undefined ? askCommand(to) : setCommand(to, entry)];
  }
  if (entry === undefined) {
    return [valueCommand(to, value)];
  }
  if (isSwitch(entry)) {
    // Whether `off` is clear is a matter of the name that was typed.
    const negated = (entry.parse === values.negatedBoolean) !== (says === 'opposite');
    const answer = clearly(value, negated ? values.negatedBoolean : values.boolean);
    return answer === undefined || says === 'unclear' ? choices(to, ['true', 'false']) : [valueCommand(to, says === 'same' ? answer : String(answer === 'false'))];
  }
  const clear = clearly(value, entry.parse);
  if (says === 'opposite' || mayBeSecret(from, to, value)) {
    return [];
  }
  // To remove what is not set helps nobody.
  return clear === undefined
    ? offers(to, entry, value).filter((command) => !command.startsWith('pulumi config rm '))
    : [...mending(to, entry, clear), ...besides(ruleOf(entry.parse, value))];
}

const isSecretKey = (name: string): boolean => providerSecrets.includes(name) || keyed[name]?.secret === true;

/** Whether a text is a private key or has one in it, wherever it was put: no message may show it. */
const holdsKey = (raw: string): boolean => raw.includes('PRIVATE KEY-----');

const isSwitch = ({ parse }: Key<unknown>): boolean => parse === values.boolean || parse === values.negatedBoolean;

/** Which of them is for whoever has typed it to say. */
const choices = (name: string, all: readonly string[]): string[] => all.map((value) => valueCommand(name, value));

/**
 * Commands for a value that breaks the rule of its key.
 * @param hidden whether it was set with `--secret`: then no part of it is shown
 */
function offers(name: string, entry: Key<unknown>, raw: string, hidden = false): string[] {
  const broken = ruleOf(entry.parse, raw);
  if (broken && broken.besides.length > 0 && hidden) {
    return [name, ...broken.besides.map(([key]) => key)].map(askCommand);
  }
  const meant = meantBy(raw, entry.parse);
  const { fallback, secret } = entry;
  if (meant === undefined && fallback === undefined && !secret && !isSwitch(entry) && /^(none|no|off|false|null|nil|undefined|disabled?|0|-)$/i.test(raw.trim())) {
    return [`pulumi config rm ${name}`];
  }
  const all = meant === undefined ? broken?.choices ?? [] : [];
  return all.length > 0 ? choices(name, all) : [...mending(name, entry, meant), ...besides(broken)];
}

/** Commands for the other keys that take a part of a value. */
const besides = (broken: values.BrokenRule | undefined): string[] =>
  (broken?.besides ?? []).map(([key, value]) => (value === undefined ? askCommand(key) : valueCommand(key, value)));

/** The rule that a value breaks. */
function ruleOf(parse: (raw: string) => unknown, value: string): values.BrokenRule | undefined {
  try {
    parse(value);
    return undefined;
  } catch (error) {
    if (error instanceof values.BrokenRule) {
      return error;
    }
    throw error;
  }
}

/** The value as it is where the key takes it, and else as it is meant. */
const clearly = (value: string, parse: (raw: string) => unknown): string | undefined => (ruleOf(parse, value) === undefined ? value : meantBy(value, parse));

/** What somebody means by a value that breaks the rule of its key, where that is clear: without quotes and spaces around it, or as its kind is spelt here. */
function meantBy(raw: string, parse: (raw: string) => unknown): string | undefined {
  let text: string | undefined = raw.trim().replace(/^(["'`])(.*)\1$/s, '$2').trim();
  // One correction may be what another needs: an address without http://, which is one of this machine.
  for (let corrections = 0; text !== undefined && text !== '' && corrections < 3; corrections += 1) {
    const broken = ruleOf(parse, text);
    if (broken === undefined) {
      return text === raw ? undefined : text;
    }
    text = broken.meant;
  }
  return undefined;
}

/** Adds `ports:offset` to every port. One that would run past the last port moves none. */
function movePorts(settings: Record<string, unknown>, atEdge: boolean): Problem[] {
  const offset = settings['ports:offset'] as number;
  const published = portsOf(atEdge);
  const highest = published.reduce((best, name) => (Number(settings[name]) > Number(settings[best]) ? name : best));
  const room = lastPort - Number(settings[highest]);
  if (offset > room) {
    settings['ports:offset'] = 0;
    return [{
      key: 'ports:offset',
      value: String(offset),
      rule: `it moves ${highest} from ${String(settings[highest])} to ${Number(settings[highest]) + offset}, and ${lastPort} is the last port`,
      mend: [`pulumi config set ports:offset ${Math.floor(room / 100) * 100}`],
    }];
  }
  for (const name of published) {
    settings[name] = Number(settings[name]) + offset;
  }
  return [];
}

/** Two services cannot share a host port; their addresses nearly always include loopback, so any two clash. */
function portClashes(settings: Settings, broken: ReadonlySet<string>): Problem[] {
  // A port that is none stands at its default here, where it can clash only by accident.
  const sound = publishedPorts(settings).filter((name) => !broken.has(name));
  return sound.flatMap((name, index) => {
    const earlier = sound.slice(0, index).find((other) => settings[other] === settings[name]);
    return earlier
      ? [{
          key: name,
          value: String(portAsSet(name, settings)),
          rule: `${earlier} claims the same port; every service needs one of its own`,
          mend: [`pulumi config set ${name} ${freePorts(name, settings).next().value}`],
        }]
      : [];
  });
}

/**
 * Values to offer for `name`, of ports that no setting claims; `ports:offset` is added to them. Each key has a series
 * of its own, so that following two offers does not make the next clash.
 */
export function* freePorts(name: SettingKey, settings: Settings): Generator<number, undefined> {
  const offset = settings['ports:offset'];
  const claimed = new Set<unknown>(portKeys.map((other) => settings[other]));
  for (let port = 16006 + portKeys.indexOf(name); port + offset <= lastPort; port += portKeys.length) {
    if (!claimed.has(port + offset)) {
      yield port;
    }
  }
}

/** Offsets that move every port that is published somewhere else, in steps that a person remembers. */
export function* otherOffsets(settings: Settings): Generator<number, undefined> {
  const highest = Math.max(...publishedPorts(settings).map((name) => portAsSet(name, settings)));
  for (let offset = 100; offset <= Math.min(highestOffset, lastPort - highest); offset += 100) {
    if (offset !== settings['ports:offset']) {
      yield offset;
    }
  }
}

/** Whether a key that is none was meant for this program, and not for something else that the stack file serves. */
function isOurs(name: string, project: string): boolean {
  const [namespace = ''] = name.split(':');
  const namespaces = [...new Set([...Object.keys(keys), ...providerKeys].map((other) => other.split(':')[0] ?? ''))];
  // One slip in a short name, two in a longer one: the provider `oci` is not a misspelt `loki`.
  return namespace === project || namespaces.some((other) => distance(namespace.toLowerCase(), other) <= (other.length < 6 ? 1 : 2));
}
