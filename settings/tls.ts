/**
 * Settings of TLS for what is published beyond this machine, and the rules between them.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import * as net from 'node:net';
import { day, warnedDays } from './ending';
import { fromFile, key, optional, secret, setCommand, shellQuoted, unknownSecret } from './setting';
import { inWords, type Problem } from './problem';
import type { Settings } from './keys';
import { negatedBoolean, pem, pemExample } from './parse';
import { beyondThisMachine, isWildcard } from '../components/address';

/** Text of a PEM file, or its placeholder in a preview that may not read it. */
const pemOrUnknown = (raw: string): string => (raw === unknownSecret ? raw : pem(raw));

/** A part of the settings: `keys.ts` has all of them. */
export const tlsKeys = {
  'tls:certificate': fromFile('certificate.pem', optional(pemExample, 'Certificate as text, with its chain, for what `phoenix:bind` and `alloy:bind` publish beyond this machine', pemOrUnknown)),
  'tls:key': fromFile('key.pem', secret('Private key of `tls:certificate` as text, not encrypted', pemOrUnknown)),
  'tls:plain': key('false', 'Whether that is published without TLS: anyone on the network can read passwords, API keys and prompts', negatedBoolean, 'true'),
} as const;

const material = ['tls:certificate', 'tls:key'] as const;
const binds = ['phoenix:bind', 'alloy:bind'] as const;

/** What is published beyond this machine, by the setting that publishes it. */
type Beyond = Readonly<Record<(typeof binds)[number], readonly string[]>>;

export interface Findings {
  readonly problems: readonly Problem[];
  /** Warnings that do not stop a deployment. */
  readonly warnings: readonly string[];
}

/**
 * Problems and warnings about TLS.
 * @param bridge gateway of Docker's bridge, which is not beyond this machine
 * @param broken keys that already have a problem: they are set, and have their default value
 */
export function tlsFindings(settings: Settings, bridge: readonly string[], broken: ReadonlySet<string>, now = Date.now()): Findings {
  const chosen = settings['alloy:bind'];
  const beyond: Beyond = {
    'phoenix:bind': beyondThisMachine(settings['phoenix:bind'], bridge),
    'alloy:bind': chosen === 'auto' ? [] : beyondThisMachine(chosen, bridge),
  };
  const by = binds.filter((name) => beyond[name].length > 0);
  const where = `${inWords(by)} ${by.length === 1 ? 'publishes' : 'publish'} beyond this machine, on ${[...new Set(by.flatMap((name) => beyond[name]))].join(', ')}`;
  const isSet = (name: (typeof material)[number]): boolean => settings[name] !== undefined || broken.has(name);
  const set = material.filter(isSet);
  const plain = settings['tls:plain'];

  if (set.length === 0) {
    const open = by.length > 0;
    return {
      problems: open && !plain && !broken.has('tls:plain') ? [{
        key: 'tls:certificate',
        rule: `${where}, and without TLS anyone on the network can read passwords, API keys and prompts`,
        mend: [...renew, 'pulumi config set tls:plain true   # without TLS'],
      }] : [],
      warnings: plain ? [open
        ? `${where}, over plain HTTP (tls:plain): anyone on the network can read passwords, API keys and prompts`
        : 'tls:plain does nothing: nothing is published beyond this machine (phoenix:bind, alloy:bind)'] : [],
    };
  }
  const pair = [
    ...material.filter((name) => !isSet(name)).map((name) => ({ key: name, rule: 'TLS needs the certificate and its key together', mend: [setCommand(name, tlsKeys[name])] })),
    ...(plain ? [{ key: 'tls:plain', value: 'true', rule: `${inWords(set)} ${set.length === 1 ? 'says' : 'say'} the opposite`, mend: ['pulumi config rm tls:plain', ...set.map((name) => `pulumi config rm ${name}`)] }] : []),
  ];
  const { certificate, problems } = read(settings);
  const used: Findings = certificate === undefined ? { problems: [], warnings: [] }
    : by.length === 0 ? { problems: [], warnings: [`${inWords(set)} ${set.length === 1 ? 'does' : 'do'} nothing: nothing is published beyond this machine (phoenix:bind, alloy:bind)`] }
    : join(inTime(certificate, now), forServers(certificate), named(certificate, settings, beyond));
  return join({ problems: [...pair, ...problems], warnings: [] }, used);
}

const renew = material.map((name) => setCommand(name, tlsKeys[name]));

const join = (...all: readonly Findings[]): Findings => ({ problems: all.flatMap(({ problems }) => problems), warnings: all.flatMap(({ warnings }) => warnings) });

const refused = (certificate: X509Certificate, rule: string, mend: readonly string[] = renew): Problem =>
  ({ key: 'tls:certificate', value: namesOf(certificate).join(', ') || '(no names)', rule, mend });

/** The certificate itself, which is the first of its chain, and what is wrong with it and its key in any use. */
function read(settings: Settings): { readonly certificate?: X509Certificate; readonly problems: readonly Problem[] } {
  const [text, keyText] = material.map((name) => (settings[name] === unknownSecret ? undefined : settings[name]));
  const chain = text === undefined ? [] : certificatesIn(text);
  const [certificate] = chain ?? [];
  const privateKey = keyText === undefined ? undefined : keyIn(keyText);
  const problems = [
    ...(text?.includes('PRIVATE KEY-----') ? [{ key: 'tls:certificate', rule: 'it holds a private key, too, which the stack file must not have in plain text', mend: ['openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem   # a new key: this one was stored in plain text', ...renew] }]
      : text !== undefined && certificate === undefined ? [{ key: 'tls:certificate', rule: 'no certificate can be read from it', mend: [setCommand('tls:certificate', tlsKeys['tls:certificate'])] }] : []),
    ...(typeof privateKey === 'string' ? [{ key: 'tls:key', rule: privateKey, mend: privateKey === encrypted ? ['openssl pkey -in key.pem -out plain.pem', 'pulumi config set --secret tls:key < plain.pem'] : [setCommand('tls:key', tlsKeys['tls:key'])] }] : []),
    ...(certificate ? weak(certificate) : []),
    ...(certificate && typeof privateKey === 'object' && !certificate.checkPrivateKey(privateKey)
      ? [refused(certificate, chain?.some((other) => other.checkPrivateKey(privateKey)) ? 'the certificate of tls:key has to be the first in it, before its chain' : 'tls:key is not its key')] : []),
  ];
  return { ...(certificate ? { certificate } : {}), problems };
}

/** @returns undefined if one of them is invalid */
function certificatesIn(text: string): X509Certificate[] | undefined {
  try {
    return text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g)?.map((one) => new X509Certificate(one));
  } catch {
    return undefined;
  }
}

const encrypted = 'it is encrypted, and a deployment cannot ask for its passphrase';

/** @returns the key, or why it is invalid */
function keyIn(text: string): KeyObject | string {
  if (text.includes('ENCRYPTED')) {
    return encrypted;
  }
  try {
    return createPrivateKey(text);
  } catch {
    return 'no private key can be read from it';
  }
}

/**
 * Certificate and chain as services are given them: rewritten, because OpenSSL and Go accept less than is read here, such as a
 * file that was concatenated without a line break in between.
 */
export const certificateText = (text: string): string => certificatesIn(text)?.map(String).join('') ?? text;

/** The same of the key. */
export function keyText(text: string): string {
  const found = keyIn(text);
  return typeof found === 'string' ? text : String(found.export({ type: 'pkcs8', format: 'pem' }));
}

/** Curves that both OpenSSL, used by nginx, and Go, in which Alloy is written, support. */
const curves = ['prime256v1', 'secp384r1', 'secp521r1'];
/** Object identifiers of a signature over SHA-1, with RSA and ECDSA. */
const sha1 = ['06092a864886f70d010105', '06072a8648ce3d0401'].map((hex) => Buffer.from(hex, 'hex'));

/** With these nginx does not start, or no sender trusts it. */
function weak(certificate: X509Certificate): Problem[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0, namedCurve = '' } = {} } = certificate.publicKey;
  const fits = type === 'rsa' ? modulusLength >= 2048 : type === 'ec' ? curves.includes(namedCurve) : type === 'ed25519';
  return [
    ...(fits ? [] : [refused(certificate, 'nginx, Alloy and their clients do not accept its key: use RSA of at least 2048 bits, or ECDSA with P-256, P-384 or P-521')]),
    ...(sha1.some((identifier) => certificate.raw.includes(identifier)) ? [refused(certificate, 'it is signed with SHA-1, which clients no longer trust')] : []),
  ];
}

function inTime(certificate: X509Certificate, now: number): Findings {
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  const date = (of: Date): string => of.toISOString().slice(0, 10);
  const left = Math.floor((to.getTime() - now) / day);
  return {
    problems: now < from.getTime() ? [refused(certificate, `it is not valid before ${date(from)}`)]
      : now >= to.getTime() ? [refused(certificate, `it expired on ${date(to)}`)] : [],
    warnings: now >= from.getTime() && now < to.getTime() && left < warnedDays ? [`tls:certificate expires on ${date(to)}, in ${left} ${left === 1 ? 'day' : 'days'}: ${renew.join(' && ')}`] : [],
  };
}

const serverAuth = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

function forServers(certificate: X509Certificate): Findings {
  // Node's types say that it is always there; a certificate without the extension is for everything.
  const uses = certificate.keyUsage as readonly string[] | undefined;
  return { problems: uses === undefined || uses.some((use) => serverAuth.includes(use)) ? [] : [refused(certificate, 'it is not for servers (serverAuth), so clients refuse it')], warnings: [] };
}

/** Host names and addresses that a certificate is for; clients no longer read its subject. */
const namesOf = ({ subjectAltName = '' }: X509Certificate): string[] =>
  [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,"]+)/g)].map(([, name = '']) => name.trim());

const covers = (certificate: X509Certificate, name: string): boolean =>
  (net.isIP(name) === 0 ? certificate.checkHost(name, { subject: 'never' }) : certificate.checkIP(name)) !== undefined;

/** Whether it is for a name or address in use. The names by which Alloy is reached are unknown; Phoenix accepts only names that are set. */
function named(certificate: X509Certificate, settings: Settings, beyond: Beyond): Findings {
  const addresses = [...beyond['phoenix:bind'], ...beyond['alloy:bind']];
  const phoenix = beyond['phoenix:bind'].length > 0;
  const hosts = phoenix ? settings['phoenix:hosts'] ?? [] : [];
  const known = [...new Set([...addresses.filter((address) => !isWildcard(address)), ...hosts])];
  // A proxy may have that name, and its own certificate.
  const url = phoenix ? settings['phoenix:rootUrl']?.hostname.replace(/^\[|\]$/g, '') : undefined;
  const names = namesOf(certificate);
  const domains = names.filter((name) => net.isIP(name) === 0);
  const isUsable = [...known, ...(url === undefined ? [] : [url])].some((name) => covers(certificate, name))
    || (addresses.some(isWildcard) && names.length > domains.length)
    || (!phoenix && domains.length > 0);
  const missing = known.filter((name) => !covers(certificate, name));
  if (!isUsable) {
    const more = phoenix && domains.length > 0 ? [`pulumi config set phoenix:hosts ${shellQuoted([...new Set([...hosts, ...domains.map((name) => name.replace('*', 'phoenix'))])].join(','))}`] : [];
    return { problems: [refused(certificate, `it is for no name or address by which the ports are reached beyond this machine (${known.join(', ') || 'the addresses of this host'})`, [...more, ...renew])], warnings: [] };
  }
  return { problems: [], warnings: missing.length === 0 ? [] : [`tls:certificate is not for ${inWords(missing)}: clients that use ${missing.length === 1 ? 'that' : 'one of these'} refuse it`] };
}
