import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { unknownSecret } from '../../settings/setting';
import { readSettings, secretValues } from '../../settings/settings';
import { tlsOn } from '../../stack/tls';
import { certificateText, keyText, tlsFindings, tlsKeys, type Findings } from '../../settings/tls';
import { engineAuthority } from '../support/engine-authority';
import { tempDir } from '../support/temp';

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const pairIn = (folder: string): Pair => ({ cert: fs.readFileSync(path.join(folder, 'cert.pem'), 'utf8'), key: fs.readFileSync(path.join(folder, 'key.pem'), 'utf8') });
const authority = engineAuthority();
const issued = (...hosts: readonly string[]): Pair => pairIn(authority.server(...hosts));
/** One that signs itself, by arguments of `openssl req`. */
function selfSigned(...args: readonly string[]): Pair {
  const dir = tempDir();
  execFileSync('openssl', ['req', '-x509', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2', '-subj', '/CN=phoenix.lan', ...args], { cwd: dir, stdio: 'pipe' });
  return pairIn(dir);
}
const ec = (curve: string): string[] => ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`];
const forLan = ['-addext', 'subjectAltName=DNS:phoenix.lan'];

const lan = issued('phoenix.lan', '192.0.2.7');
const other = issued('phoenix.lan', '192.0.2.7');
const commands = ['pulumi config set tls:certificate < certificate.pem', 'pulumi config set --secret tls:key < key.pem'];
const [setCertificate, setKey] = commands;
const bind = { 'phoenix:auth': 'true', 'phoenix:bind': '127.0.0.1,192.0.2.7' };
const withPair = ({ cert, key }: Pair): Record<string, string> => ({ 'tls:certificate': cert, 'tls:key': key });

function find(config: Record<string, string>, bridge: readonly string[] = [], now = Date.now()): Findings {
  const { settings, problems } = readSettings(config, 'llm-observability', () => true);
  expect(problems).toEqual([]);
  const findings = tlsFindings(settings, bridge, new Set(), now);
  const lines = Object.entries(config).filter(([name]) => name === 'tls:key').flatMap(([, text]) => text.split('\n')).filter((line) => line.length > 20 && !line.startsWith('-----'));
  // Whatever is said, nothing of a key is.
  expect(lines.filter((line) => JSON.stringify(findings).includes(line))).toEqual([]);
  return findings;
}
const rules = (config: Record<string, string>): [string, string][] => find(config).problems.map(({ key, rule }) => [key, rule]);
const nothing = { problems: [], warnings: [] };

describe('what is published beyond this machine', () => {
  const open = (where: string): object => ({
    problems: [{
      key: 'tls:certificate',
      rule: `${where}, and without TLS anyone on the network can read passwords, API keys and prompts`,
      mend: [...commands, 'pulumi config set tls:plain true   # without TLS'],
    }],
    warnings: [],
  });

  test.each<[Record<string, string>, string]>([
    [bind, 'phoenix:bind publishes beyond this machine, on 192.0.2.7'],
    [{ 'phoenix:auth': 'true', 'phoenix:bind': '0.0.0.0' }, 'phoenix:bind publishes beyond this machine, on 0.0.0.0'],
    [{ 'alloy:bind': '::' }, 'alloy:bind publishes beyond this machine, on ::'],
    [{ 'alloy:bind': '172.18.0.1' }, 'alloy:bind publishes beyond this machine, on 172.18.0.1'],
    [{ ...bind, 'alloy:bind': '192.0.2.7,2001:db8::7' }, 'phoenix:bind and alloy:bind publish beyond this machine, on 192.0.2.7, 2001:db8::7'],
    [{ 'edge:central': 'prod', 'alloy:bind': '192.0.2.7' }, 'alloy:bind publishes beyond this machine, on 192.0.2.7'],
  ])('%j is refused without a word on TLS, and goes on with the explicit one, which is told', (config, where) => {
    expect(find(config, ['172.17.0.1'])).toEqual(open(where));
    expect(find({ ...config, 'tls:plain': 'true' }, ['172.17.0.1'])).toEqual({
      problems: [], warnings: [`${where}, over plain HTTP (tls:plain): anyone on the network can read passwords, API keys and prompts`],
    });
  });

  test.each<Record<string, string>>([
    {}, { 'alloy:bind': 'auto' }, { 'alloy:bind': '127.0.0.1,172.17.0.1' }, { 'phoenix:auth': 'true', 'phoenix:bind': '127.0.0.1,127.0.0.9,::1,172.17.0.1' }, { 'edge:central': 'prod' },
  ])('not %j: loopback, and what only containers reach', (config) => expect(find(config, ['172.17.0.1'])).toEqual(nothing));

  test("the gateway of Docker's bridge counts where it is not known", () =>
    expect(find({ 'alloy:bind': '172.17.0.1' })).toEqual(open('alloy:bind publishes beyond this machine, on 172.17.0.1')));

  test.each(Object.keys(tlsKeys))('of a broken %s nothing more is said', (broken) => {
    const { settings } = readSettings({ ...bind }, 'llm-observability');
    expect(tlsFindings(settings, [], new Set([broken])).problems.filter(({ key }) => key === broken)).toEqual([]);
    expect(tlsFindings(settings, [], new Set(['tls:certificate', 'tls:key']))).toEqual(nothing);
    expect(tlsFindings(settings, [], new Set(['tls:plain']))).toEqual(nothing);
  });
});

describe('settings that say too little, or too much', () => {
  test.each([['tls:certificate', 'tls:key', setKey], ['tls:key', 'tls:certificate', setCertificate]] as const)('%s without %s', (name, missing, command) => {
    const config = { ...bind, [name]: withPair(lan)[name] ?? '' };
    expect(find(config).problems).toEqual([{ key: missing, rule: 'TLS needs the certificate and its key together', mend: [command] }]);
  });

  test('a certificate and the word for none', () => {
    expect(find({ ...bind, ...withPair(lan), 'tls:plain': 'true' }).problems).toEqual([
      { key: 'tls:plain', value: 'true', rule: 'tls:certificate and tls:key say the opposite', mend: ['pulumi config rm tls:plain', 'pulumi config rm tls:certificate', 'pulumi config rm tls:key'] },
    ]);
  });

  test('what does nothing is told, whatever else could be said of it', () => {
    const unused = 'nothing is published beyond this machine (phoenix:bind, alloy:bind)';
    expect(find(withPair(issued('elsewhere.lan')), [], Date.now() + 1e12)).toEqual({ problems: [], warnings: [`tls:certificate and tls:key do nothing: ${unused}`] });
    expect(find({ 'tls:plain': 'true' })).toEqual({ problems: [], warnings: [`tls:plain does nothing: ${unused}`] });
  });
});

test('what makes a key that can be used of one that cannot', () => {
  const mends = (pair: Pair): readonly string[] => find(withPair(pair)).problems[0]?.mend ?? [];
  const key = createPrivateKey(lan.key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'of somebody' }).toString();
  expect(mends({ cert: lan.cert, key })).toEqual(['openssl pkey -in key.pem -out plain.pem', 'pulumi config set --secret tls:key < plain.pem']);
  expect(mends({ ...lan, cert: `${lan.key}${lan.cert}` })).toEqual([
    'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem   # a new key: this one was stored in plain text',
    'pulumi config set tls:certificate < certificate.pem', 'pulumi config set --secret tls:key < key.pem',
  ]);
});

describe('a certificate and a key that cannot be used', () => {
  const encrypted = (type: 'pkcs8' | 'sec1'): Pair =>
    ({ cert: lan.cert, key: createPrivateKey(lan.key).export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'of somebody' }).toString() });
  const isRejected = 'nginx, Alloy and their clients do not accept its key: use RSA of at least 2048 bits, or ECDSA with P-256, P-384 or P-521';

  test.each<[string, () => Pair, [string, string][]]>([
    ['text that only looks like a certificate', () => ({ ...lan, cert: '-----BEGIN CERTIFICATE-----\n…' }), [['tls:certificate', 'no certificate can be read from it']]],
    ['one that was cut off', () => ({ ...lan, cert: lan.cert.replace(/\n.{30}/, '\n') }), [['tls:certificate', 'no certificate can be read from it']]],
    ['a request in the place of one', () => ({ ...lan, cert: lan.cert.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST') }), [['tls:certificate', 'no certificate can be read from it']]],
    ['its key in the same file', () => ({ ...lan, cert: `${lan.key}${lan.cert}` }), [['tls:certificate', 'it holds a private key, too, which the stack file must not have in plain text']]],
    ['text that only looks like a key', () => ({ ...lan, key: '-----BEGIN PRIVATE KEY-----\n…' }), [['tls:key', 'no private key can be read from it']]],
    ['a certificate in the place of the key', () => ({ ...lan, key: lan.cert }), [['tls:key', 'no private key can be read from it']]],
    ['an encrypted key', () => encrypted('pkcs8'), [['tls:key', 'it is encrypted, and a deployment cannot ask for its passphrase']]],
    ['an encrypted key of the older form', () => encrypted('sec1'), [['tls:key', 'it is encrypted, and a deployment cannot ask for its passphrase']]],
    ['the key of another one', () => ({ ...lan, key: other.key }), [['tls:certificate', 'tls:key is not its key']]],
    ['a chain that begins with the authority', () => ({ ...lan, cert: `${other.cert}${lan.cert}` }), [['tls:certificate', 'the certificate of tls:key has to be the first in it, before its chain']]],
    ['a short RSA key', () => selfSigned('-newkey', 'rsa:1024', ...forLan), [['tls:certificate', isRejected]]],
    ['a curve that Go does not have', () => selfSigned(...ec('secp256k1'), ...forLan), [['tls:certificate', isRejected]]],
    ['a signature over SHA-1', () => selfSigned('-newkey', 'rsa:2048', '-sha1', ...forLan), [['tls:certificate', 'it is signed with SHA-1, which clients no longer trust']]],
    ['a signature over SHA-1 with ECDSA', () => selfSigned(...ec('prime256v1'), '-sha1', ...forLan), [['tls:certificate', 'it is signed with SHA-1, which clients no longer trust']]],
    ['one for clients alone', () => selfSigned(...ec('prime256v1'), ...forLan, '-addext', 'extendedKeyUsage=clientAuth'), [['tls:certificate', 'it is not for servers (serverAuth), so clients refuse it']]],
  ])('%s', (_, made, expected) => {
    const config = { ...bind, 'phoenix:hosts': 'phoenix.lan', ...withPair(made()) };
    expect(rules(config)).toEqual(expected);
    expect(find(config).problems.flatMap(({ mend }) => mend).filter((command) => !commands.includes(command) && !/^openssl |plain\.pem$/.test(command))).toEqual([]);
  });

  test.each<[string, () => Pair]>([
    ['RSA', () => selfSigned('-newkey', 'rsa:2048', ...forLan)],
    ...['prime256v1', 'secp384r1', 'secp521r1'].map((curve): [string, () => Pair] => [curve, () => selfSigned(...ec(curve), ...forLan)]),
    ['Ed25519', () => selfSigned('-newkey', 'ed25519', ...forLan)],
    ['a chain', () => ({ ...lan, cert: `${lan.cert}${other.cert}` })],
    ['a chain without a line break in between', () => ({ ...lan, cert: `${lan.cert.trimEnd()}${other.cert}` })],
    ['line ends of Windows, and words around it', () => ({ key: lan.key.replaceAll('\n', '\r\n'), cert: `Bag Attributes\r\n${lan.cert.replaceAll('\n', '\r\n')}` })],
    ['for servers and clients', () => selfSigned(...ec('prime256v1'), ...forLan, '-addext', 'extendedKeyUsage=clientAuth,serverAuth')],
    ['for everything', () => selfSigned(...ec('prime256v1'), ...forLan, '-addext', 'extendedKeyUsage=anyExtendedKeyUsage')],
  ])('%s can be', (_, made) => expect(rules({ ...bind, 'phoenix:hosts': 'phoenix.lan', ...withPair(made()) })).toEqual([]));

  test.each<[string, (pair: Pair) => Pair]>([
    ['as it is', (pair) => pair],
    ['without a line break in between', ({ cert, key }) => ({ cert: cert.replace('-----\n-----', '----------'), key: key.trimEnd() })],
    ['with line ends of Windows, and words around it', ({ cert, key }) => ({ cert: `Bag Attributes\r\n${cert.replaceAll('\n', '\r\n')}`, key: `Bag Attributes\r\n${key.replaceAll('\n', '\r\n')}` })],
    ['with the key in its older form', ({ cert, key }) => ({ cert, key: String(createPrivateKey(key).export({ type: 'pkcs1', format: 'pem' })) })],
  ])('services are told one form of it: %s', (_, written) => {
    const pair = selfSigned('-newkey', 'rsa:2048', ...forLan);
    const chain = { cert: `${pair.cert}${other.cert}`, key: pair.key };
    const { cert, key } = written(chain);
    expect(certificateText(cert)).toBe(chain.cert);
    expect(keyText(key)).toBe(String(createPrivateKey(pair.key).export({ type: 'pkcs8', format: 'pem' })));
    const { settings } = readSettings({ ...bind, ...withPair({ cert, key }) }, 'llm-observability', () => true);
    expect(tlsOn(settings, ['127.0.0.1', '192.0.2.7'], [])).toEqual({ certificate: chain.cert, key: keyText(key), addresses: ['192.0.2.7'] });
    // As much a secret as what was set.
    expect(secretValues(settings, { 'tls:key': key }, (name) => name === 'tls:key')).toContain(keyText(key));
  });

  test('what cannot be read stays as it is', () => {
    for (const text of ['', unknownSecret, '-----BEGIN CERTIFICATE-----\n…', '-----BEGIN PRIVATE KEY-----\n…']) {
      expect([certificateText(text), keyText(text)]).toEqual([text, text]);
    }
  });

  test('of what a preview may not read, nothing is said, and nothing of the rest is missed', () => {
    const unknown = { cert: unknownSecret, key: unknownSecret };
    expect(find({ ...bind, ...withPair(unknown) })).toEqual(nothing);
    expect(find({ ...bind, ...withPair({ ...issued('198.51.100.1'), key: unknownSecret }) }).problems).toMatchObject([{ key: 'tls:certificate', value: '198.51.100.1' }]);
    expect(rules({ ...bind, ...withPair({ ...lan, cert: unknownSecret }) })).toEqual([]);
  });

  test('all of it at once, with the names that it is for', () => {
    const { problems } = find({ ...bind, ...withPair({ ...issued('elsewhere.lan', '198.51.100.1'), key: other.key }) }, [], Date.now() + 10 * 86_400_000);
    expect(problems.map(({ key, value, rule }) => [key, value, rule])).toEqual([
      'tls:key is not its key', expect.stringMatching(/^it expired on \d{4}-\d\d-\d\d$/), expect.stringMatching(/^it is for no name or address /),
    ].map((rule) => ['tls:certificate', 'elsewhere.lan, 198.51.100.1', rule]));
  });
});

describe('its time', () => {
  const { validFrom, validTo } = new X509Certificate(lan.cert);
  const [from, to] = [validFrom, validTo].map((date) => new Date(date).getTime()) as [number, number];
  const date = (time: number): string => new Date(time).toISOString().slice(0, 10);
  const at = (now: number): Findings => find({ ...bind, ...withPair(lan) }, [], now);
  const day = 86_400_000;
  const refused = (rule: string): object => ({ problems: [{ key: 'tls:certificate', value: 'phoenix.lan, 192.0.2.7', rule, mend: commands }], warnings: [] });

  test('before it begins, and after its end', () => {
    expect(at(from - 1)).toEqual(refused(`it is not valid before ${date(from)}`));
    expect(at(to)).toEqual(refused(`it expired on ${date(to)}`));
  });

  test('in its last 30 days', () => {
    expect(at(to - 1)).toEqual({ problems: [], warnings: [`tls:certificate expires on ${date(to)}, in 0 days: ${commands.join(' && ')}`] });
    expect(at(from).warnings).toEqual([expect.stringContaining('in 2 days')]);
    const long = selfSigned(...ec('prime256v1'), '-days', '60', '-addext', 'subjectAltName=IP:192.0.2.7');
    const end = new Date(new X509Certificate(long.cert).validTo).getTime();
    const warned = (left: number): number => find({ ...bind, ...withPair(long) }, [], end - left).warnings.length;
    expect([warned(30 * day), warned(30 * day - 1)]).toEqual([0, 1]);
  });
});

describe('the names that it is for', () => {
  const names = (pair: Pair, config: Record<string, string>): Findings => {
    const { problems, warnings } = find({ 'phoenix:auth': 'true', ...config, ...withPair(pair) });
    return { problems, warnings: warnings.filter((warning) => !warning.includes(' expires on ')) };
  };
  const missing = (list: string, one = list.includes(' and ') ? 'one of these' : 'that'): string[] => [`tls:certificate is not for ${list}: clients that use ${one} refuse it`];

  test.each<[string, string[], Record<string, string>, string[]]>([
    ['the address', ['192.0.2.7'], { 'phoenix:bind': '127.0.0.1,192.0.2.7' }, []],
    ['an IPv6 address, however it is written', ['2001:db8::7'], { 'phoenix:bind': '2001:db8:0::7' }, []],
    ['one of two addresses', ['192.0.2.7'], { 'phoenix:bind': '192.0.2.7,192.0.2.8' }, missing('192.0.2.8')],
    ['the address of the one and not of the other', ['192.0.2.8'], { 'phoenix:bind': '192.0.2.7', 'alloy:bind': '192.0.2.8' }, missing('192.0.2.7')],
    ['a name, and no address', ['phoenix.lan'], { 'phoenix:bind': '192.0.2.7', 'phoenix:hosts': 'phoenix.lan,build-7' }, missing('192.0.2.7 and build-7')],
    ['a pattern', ['*.home.lan'], { 'phoenix:bind': '0.0.0.0', 'phoenix:hosts': 'phoenix.home.lan' }, []],
    ['the public URL', ['phoenix.lan'], { 'phoenix:bind': '0.0.0.0', 'phoenix:rootUrl': 'https://phoenix.lan:6006' }, []],
    ['some address, where all are published', ['198.51.100.1'], { 'phoenix:bind': '0.0.0.0' }, []],
    // Nobody says by which name Alloy is reached.
    ["a name of Alloy's own", ['otlp.lan'], { 'alloy:bind': '192.0.2.7' }, missing('192.0.2.7')],
    ['the same, on all addresses', ['otlp.lan'], { 'alloy:bind': '0.0.0.0' }, []],
  ])('%s', (_, hosts, config, warnings) => expect(names(issued(...hosts), config)).toEqual({ problems: [], warnings }));

  const hosts = (list: string): string => `pulumi config set phoenix:hosts ${list}`;
  test.each<[string, () => Pair, Record<string, string>, string, string[]]>([
    ['another address', () => issued('198.51.100.1'), { 'phoenix:bind': '192.0.2.7' }, '192.0.2.7', []],
    ['a name to which Phoenix does not answer', () => issued('phoenix.lan'), { 'phoenix:bind': '192.0.2.7' }, '192.0.2.7', [hosts('phoenix.lan')]],
    ['the same, on all addresses', () => issued('phoenix.home.lan', '*.home.lan', '*.lab.lan'), { 'phoenix:bind': '0.0.0.0' }, 'the addresses of this host', [hosts('phoenix.home.lan,phoenix.lab.lan')]],
    ['other names than those that are set', () => issued('other.lan'), { 'phoenix:bind': '192.0.2.7', 'phoenix:hosts': 'phoenix.lan' }, '192.0.2.7, phoenix.lan', [hosts('phoenix.lan,other.lan')]],
    ['a subject, at which nobody looks', () => selfSigned(...ec('prime256v1')), { 'phoenix:bind': '0.0.0.0', 'phoenix:hosts': 'phoenix.lan' }, 'phoenix.lan', []],
    ['nothing, of Alloy alone', () => selfSigned(...ec('prime256v1')), { 'alloy:bind': '0.0.0.0' }, 'the addresses of this host', []],
    ['another address, of Alloy alone', () => issued('198.51.100.1'), { 'alloy:bind': '192.0.2.7' }, '192.0.2.7', []],
  ])('none that is reached: %s', (_, made, config, known, more) => {
    expect(names(made(), config)).toEqual({
      problems: [{ key: 'tls:certificate', value: expect.any(String), rule: `it is for no name or address by which the ports are reached beyond this machine (${known})`, mend: [...more, ...commands] }],
      warnings: [],
    });
  });
});

test('what is typed under the wrong key is in no message where it is a private key', () => {
  for (const name of ['tls:plain', 'phoenix:hosts', 'docker:certPath']) {
    const { problems } = readSettings({ [name]: lan.key }, 'llm-observability');
    expect(problems.map(({ key, value }) => [key, value])).toEqual([[name, undefined]]);
  }
});
