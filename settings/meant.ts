/**
 * What was meant by a value that is written as in Docker, Kubernetes, Helm, YAML or a browser's address bar. Each function
 * returns the spelling that the settings accept, or undefined if it could mean more than one thing. A message offers it only if
 * the rule accepts it, and never for a secret.
 */
import { slips } from './slips';

/** YAML 1.1's words, and those of environment variables. */
export function truth(raw: string): string | undefined {
  const [, negated] = /^(?:!|not\b) *(.+)$/i.exec(raw) ?? [];
  if (negated !== undefined) {
    return { true: 'false', false: 'true' }[truth(negated) ?? ''];
  }
  if (/^(true|yes|y|on|1|enabled?|t)$/i.test(raw)) {
    return 'true';
  }
  return /^(false|no|n|off|0|disabled?|f)$/i.test(raw) ? 'false' : word(raw, ['true', 'false']);
}

/** The same without the words for whether a thing is present: if the name of a setting negates, `off` may mean either. */
export function plainTruth(raw: string): string | undefined {
  return /^(?:(?:!|not\b) *)*(on|off|no?|enabled?|disabled?)$/i.test(raw) ? undefined : truth(raw);
}

/** The one of these words that differs only in case, in what is between its parts, or by one slip; `none` is also a negation. */
export function word(raw: string, words: readonly string[]): string | undefined {
  const bare = (text: string): string => text.toLowerCase().replace(/(?<=[a-z\d])[\s_-]+(?=[a-z\d])/g, '');
  const [nearest, ...more] = words.filter((each) => bare(each) === bare(raw));
  if (nearest !== undefined && more.length === 0) {
    return nearest;
  }
  if (words.includes('none') && truth(raw) === 'false') {
    return 'none';
  }
  // A sign is not a slip: `!phoenix`, `-true`.
  const [like, ...others] = words.filter((each) => each.length > 3 && /^[a-z\d]+$/.test(bare(raw)) && slips(bare(each), bare(raw)) === 1);
  return others.length === 0 ? like : undefined;
}

/** `:6006`, `6006/tcp`, `6006:6006` as Docker publishes it, `6,006`. An address before it is another setting's. */
export function port(raw: string): string | undefined {
  const [, number, inside] = /^:?(\d{1,5})(?::(\d{1,5}))?(?:\/tcp)?$/i.exec(raw) ?? [];
  if (number !== undefined && (inside === undefined || inside === number)) {
    return String(Number(number));
  }
  return /^\d{1,2}[,_. ]\d{3}$/.test(raw) ? raw.replace(/\D/g, '') : undefined;
}

/** Hours of a unit of time. A month is no number of days. */
const hoursIn: Readonly<Record<string, number>> = { h: 1, d: 24, w: 7 * 24, y: 365 * 24 };

function hoursOf(raw: string): number | undefined {
  const [, amount, unit] = /^(?:\+?(?=\d)|P(?=\d+[DWY]$)|PT(?=\d+H$))(\d+) *(h|d|w|y|hours?|hrs?|days?|weeks?|years?|yrs?)$/i.exec(raw.replace(/^(\d+h)0m0s$/, '$1')) ?? [];
  return amount === undefined ? undefined : Number(amount) * (hoursIn[unit?.charAt(0).toLowerCase() ?? ''] ?? NaN);
}

const forEver = /^(never|infinite(ly)?|infinity|unlimited|unbounded|no ?limit|for ?ever|always|eternal(ly)?|endless(ly)?|permanent(ly)?|indefinite(ly)?|∞)$/i;

/** Words for keeping everything; with a number of days they mean something else. */
const keep = /^keep( +(it|them|all|everything|traces|data))*$|^(all|everything)$/i;

/** `90d`, `90 days`, `90.0`, `P90D`, `12w`, `1y`, `2160h`; a word for "forever" is 0, and so is -1, as in Loki and Kafka. */
export function days(raw: string): string | undefined {
  if (forEver.test(raw) || keep.test(raw) || forEver.test(raw.replace(/^(?:keep|retain)( +(it|them|all|everything|traces|data))* +/i, '')) || /^-1 *(d|days?)?$/i.test(raw)) {
    return '0';
  }
  const [, whole] = /^(\d+)\.0+$/.exec(raw) ?? [];
  const hours = whole === undefined ? hoursOf(raw) : Number(whole) * 24;
  return hours !== undefined && hours % 24 === 0 ? String(hours / 24) : undefined;
}

/** The same as hours: `8760h`, or `forever`. A number alone may be days or seconds, unless it is whole days and no whole hours in seconds. */
export function hours(raw: string): string | undefined {
  if (/^[1-9]\d*$/.test(raw)) {
    return Number(raw) % 24 === 0 && Number(raw) % 3600 !== 0 ? `${raw}h` : undefined;
  }
  const found = hoursOf(raw);
  return forEver.test(raw) ? 'forever' : found !== undefined && found > 0 ? `${found}h` : undefined;
}

/** Powers of 1024 from a byte on. `8g` means these in Docker, and `8GB` usually does for a memory limit. */
const unitsOfMemory = ['', 'k', 'm', 'g', 't'];

/** `8g`, `8G`, `8Gi`, `8GB`, `8 GiB`, `512m`, or bytes. */
export function memory(raw: string): string | undefined {
  // Three digits after a comma may be thousands.
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+|,\d{1,2})?) *([kmgt]?)(?:i?b|i)?$/i.exec(raw) ?? [];
  const exact = (Number(amount.replace(',', '.')) * 1024 ** unitsOfMemory.indexOf(unit.toLowerCase())) / 2 ** 20;
  // A number alone is bytes in Docker; nobody means only a few of them.
  if (amount === '' || exact < 1) {
    return undefined;
  }
  const mebibytes = Math.round(exact);
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024}GiB` : `${mebibytes}MiB`;
}

/** `500m` as Kubernetes counts, `50%`, `1,5`, `0,5`, `.5`, `2 cores`. `0,1` are the first two cores. */
export function cpus(raw: string): string | undefined {
  const [, amount = '', unit = ''] = /^(\d*\.?\d+|[1-9]\d*,\d{1,2}|0,[5-9]|0,\d{2}) *(m|%|v?cpus?|cores?)?$/i.exec(raw) ?? [];
  const number = Number(amount.replace(',', '.')) / ({ m: 1000, '%': 100 }[unit.toLowerCase()] ?? 1);
  return amount !== '' && Number.isInteger(Math.round(number * 1e6) / 1e4) ? String(Math.round(number * 100) / 100) : undefined;
}

/**
 * A URL without a scheme, or with the name of a transport as its scheme: `loki:3100`, `loki.example.com`, `tcp://loki:3100`. A
 * name on the internet without a port, and port 443, use https. Anything with a password is not offered.
 */
export function webAddress(raw: string): string | undefined {
  const [, scheme = '', host = '', port, path = ''] = /^(?:(https?|tcp|grpc):\/\/)?([a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\])(?::(\d{2,5}))?(\/[^\s@]*)?$/i.exec(raw) ?? [];
  const isName = /[a-z]/i.test(host) && host.includes('.');
  // A word alone, or a number, may be anything.
  if (host === '' || (port === undefined && !isName && !/^localhost$|^\d+(\.\d+){3}$|^\[/i.test(host))) {
    return undefined;
  }
  const secure = /^https$/i.test(scheme) || port === '443' || (isName && port === undefined && !/\.(internal|local|localhost)$/i.test(host));
  return `${secure ? 'https' : 'http'}://${host}${port === undefined ? '' : `:${port}`}${path}`;
}

/** A URL of this machine, as a container reaches it; undefined if it is only the name, at which no backend listens. */
export function fromContainer(raw: string): string | undefined {
  const [, scheme, rest] = /^(https?:\/\/)(?:[^/:?#[\]@]+|\[[^\]]*\])((?::|\/.).*)$/i.exec(raw) ?? [];
  return scheme === undefined ? undefined : `${scheme}host.docker.internal${rest}`;
}

/** Addresses to listen on, as people name them. */
export function addresses(raw: string): string {
  if (/^auto$/i.test(raw)) {
    return 'auto';
  }
  const names: Readonly<Record<string, string>> = { localhost: '127.0.0.1', loopback: '127.0.0.1', '*': '0.0.0.0', any: '0.0.0.0', all: '0.0.0.0' };
  const list = raw.split(/[\s,;]+/).filter(Boolean).map((part) => names[part.toLowerCase()] ?? part.replace(/^\[(.*)\]$/, '$1'));
  return [...new Set(list)].join(',');
}

/** The name in an address line. */
export function hostname(raw: string): string {
  return raw.toLowerCase().replace(/^https?:\/\//, '').replace(/[/?#].*$/, '').replace(/:(443|80)$/, '').replace(/\.$/, '');
}

/** A name of a host, with or without a port. */
export function hostName(raw: string): string {
  return hostname(raw).replace(/^([^:]+):\d+$/, '$1').replace(/^\[(.*)\](:\d+)?$/, '$1');
}

/** A server by its URL: `https://api.openai.com/v1`, `http://ollama.lan:11434`. */
export function server(raw: string): string {
  const [, scheme, host = '', port] = /^(?:(https?):\/\/)?([a-z0-9.-]+?)\.?(?::(\d{1,5}))?(?:[/?#].*)?$/i.exec(raw) ?? [];
  const number = port ?? (/^http$/i.test(scheme ?? '') ? '80' : undefined);
  return host === '' ? raw : `${host.toLowerCase()}${number === undefined || number === '443' ? '' : `:${number}`}`;
}

/** An image as a command line or a transport names it. */
export function image(raw: string): string {
  return raw.replace(/^(docker (pull|run) |docker:\/\/|https?:\/\/)/i, '');
}

/** A Docker Engine by its socket alone, `host:2375`, `http://host:2375`, `user@host`. */
export function engineHost(raw: string): string | undefined {
  const [, socket] = /^(?:unix:)?(\/[^\s,/][^\s,]*)$/.exec(raw) ?? [];
  if (socket !== undefined) {
    return `unix://${socket}`;
  }
  const address = raw.replace(/^https?:\/\//i, '').replace(/\/$/, '');
  return /^[\w.-]+:\d+$/.test(address) ? `tcp://${address}` : /^[\w.-]+@[\w.-]+(:\d+)?$/.test(address) ? `ssh://${address}` : undefined;
}
