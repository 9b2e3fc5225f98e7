import * as fc from 'fast-check';
import * as tunnel from '../../settings/tunnel-parse';
import { ruleOf } from '../support/broken-rule';
import { rows } from '../support/rows';

const oneLine = 'it is one line of text, and not empty';

const letters = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
const someOf = (characters: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...characters), { minLength, maxLength }).map((all) => all.join(''));
/** Part of a name between dots. */
const label = fc.tuple(someOf(letters + digits, 1, 1), someOf(`${letters + digits}-`, 0, 20), someOf(letters + digits, 1, 1)).map((all) => all.join(''));
const hostname = fc.tuple(fc.array(label, { minLength: 1, maxLength: 4 }), someOf(letters, 2, 10)).map(([labels, last]) => [...labels, last].join('.'));

describe('hostname', () => {
  const rule = 'it is a name such as phoenix.example.com: small letters, digits, dashes and dots, without http:// and without a port';

  rows([
    'example.com',
    'phoenix.example.com',
    'a.b.c.d.example.com',
    'phoenix-2.example.com',
    '1.example.com',
    'xn--bcher-kva.example',
    'phoenix.xn--p1ai',
    'a--b.example.com',
    `${'a'.repeat(63)}.example.com`,
    `example.${'a'.repeat(63)}`,
    `${'a.'.repeat(125)}com`,
  ])('%s is taken as it is', (raw) => expect(tunnel.hostname(raw)).toBe(raw));

  rows([
    '',
    'phoenix',
    'localhost',
    'Phoenix.example.com',
    'phoenix.example.com.',
    '.example.com',
    'phoenix..example.com',
    ' phoenix.example.com',
    'phoenix.example.com\n',
    'phoenix_1.example.com',
    '-phoenix.example.com',
    'phoenix-.example.com',
    'phoenix.example.c',
    'phoenix.example.com-',
    'phoenix.example.1st',
    '*.example.com',
    'bücher.example',
    '192.0.2.7',
    '[2001:db8::1]',
    'http://phoenix.example.com',
    'phoenix.example.com:443',
    'phoenix.example.com/',
    'a.example.com,b.example.com',
    `${'a'.repeat(64)}.example.com`,
    `example.${'a'.repeat(64)}`,
    `${'a.'.repeat(125)}comm`,
  ])("'%s' is none", (raw) => expect(ruleOf(tunnel.hostname, raw)).toBe(rule));

  test('labels between dots come back as they are, and with anything else in them are refused', () => {
    fc.assert(fc.property(hostname, (name) => tunnel.hostname(name) === name));
    fc.assert(
      fc.property(hostname, fc.nat(), fc.constantFrom(...'ABZ_/:@ *?#,=%ä\n'), (name, at, odd) => {
        const cut = at % (name.length + 1);
        expect(ruleOf(tunnel.hostname, name.slice(0, cut) + odd + name.slice(cut))).toBe(rule);
      }),
    );
  });
});

describe('accountId', () => {
  rows(['0123456789abcdef0123456789abcdef', '0'.repeat(32)])('%s is taken as it is', (raw) => expect(tunnel.accountId(raw)).toBe(raw));

  rows([
    '', 'example', '0123456789abcdef0123456789abcde', '0123456789abcdef0123456789abcdef0', '0123456789ABCDEF0123456789ABCDEF', '0123456789abcdef0123456789abcdeg',
    ' 0123456789abcdef0123456789abcdef', '01234567-89ab-cdef-0123-456789abcdef', '0123456789abcdef0123456789abcdef\n',
  ])("'%s' is none", (raw) => {
    expect(ruleOf(tunnel.accountId, raw)).toBe("an account ID is 32 hexadecimal digits, the ones in the URL of the account's page at dash.cloudflare.com");
  });
});

describe('apiToken', () => {
  rows(['a'.repeat(40), 'Z'.repeat(80), 'abcXYZ_-0123456789abcXYZ_-0123456789abcX'])('%s is taken as it is', (raw) => expect(tunnel.apiToken(raw)).toBe(raw));

  rows(['', 'a'.repeat(39), 'a'.repeat(81), `${'a'.repeat(40)} `, `Bearer ${'a'.repeat(40)}`, `${'a'.repeat(39)}.`, `${'a'.repeat(39)}é`, `${'a'.repeat(40)}\n`, '0123456789abcdef0123456789abcdef01234'])(
    "'%s' is none",
    (raw) => expect(ruleOf(tunnel.apiToken, raw)).toBe('an API token is 40 to 80 letters, digits, - and _; the Global API Key is not a token and grants too much'),
  );
});

describe('apiUrl', () => {
  rows([
    ['https://api.cloudflare.com/client/v4', 'https://api.cloudflare.com/client/v4'],
    ['https://api.cloudflare.com/client/v4/', 'https://api.cloudflare.com/client/v4'],
    ['HTTPS://API.Cloudflare.com:443/client/v4', 'https://api.cloudflare.com/client/v4'],
    ['http://127.0.0.1:8787', 'http://127.0.0.1:8787'],
    ['http://localhost:8787/', 'http://localhost:8787'],
  ])('%s is %s', (raw, url) => expect(tunnel.apiUrl(raw)).toBe(url));

  rows([
    ['', 'it is not a URL; write http://host:port or https://host'],
    ['api.cloudflare.com/client/v4', 'it is not a URL; write http://host:port or https://host'],
    ['ftp://api.cloudflare.com', 'the URL must begin with http:// or https://'],
    ['https://me:pass@api.cloudflare.com', 'a URL that holds a password would show it in previews and state'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(tunnel.apiUrl, raw)).toBe(rule));
});

describe('tunnelName', () => {
  rows(['a', '7', 'llm-observability-dev', 'Prod_1.eu', 'a'.repeat(100)])('%s is taken as it is', (raw) => expect(tunnel.tunnelName(raw)).toBe(raw));

  rows(['', '-a', '_a', '.a', 'a b', 'a/b', 'ä', 'a'.repeat(101), 'a\n'])("'%s' is none", (raw) => {
    expect(ruleOf(tunnel.tunnelName, raw)).toBe('a tunnel is named with up to 100 letters, digits, . _ and -');
  });
});

describe('connectors', () => {
  const rule = 'it is a whole number from 1 to 25';

  rows(['', '0', '26', '-1', '+2', '1.0', '1e1', '0x2', ' 2', '2 ', 'two', '２'])("'%s' is none", (raw) => expect(ruleOf(tunnel.connectors, raw)).toBe(rule));

  test('from 1 to 25 every number comes back as itself, every other is refused', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 25 }), (count) => tunnel.connectors(String(count)) === count));
    fc.assert(fc.property(fc.oneof(fc.integer({ max: 0 }), fc.integer({ min: 26 })), (count) => ruleOf(tunnel.connectors, String(count)) === rule));
  });
});

describe('emails', () => {
  rows([
    ['ada@example.com', ['ada@example.com']],
    [' ada@example.com , Grace.Hopper+x@mail.example.org ', ['ada@example.com', 'Grace.Hopper+x@mail.example.org']],
  ])("'%s'", (raw, list) => expect(tunnel.emails(raw)).toEqual(list));

  const none = 'not every part is an email address; commas separate them';
  rows([
    ['', oneLine],
    [' ', oneLine],
    ['ada@example.com\ngrace@example.com', oneLine],
    ['ada', none],
    ['@example.com', none],
    ['ada@example', none],
    ['ada@.com', none],
    ['ada@example.', none],
    ['ada@eve@example.com', none],
    ['ada @example.com', none],
    ['Ada <ada@example.com> x', none],
    ['ada@example.com,', none],
    ['ada@example.com grace@example.com', none],
    ['ada@example.com;grace@example.com', none],
    ['ada@example.com, example.com', none],
    ['ada@example.com,ada@example.com', 'an address is listed twice'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(tunnel.emails, raw)).toBe(rule));
});

describe('emailDomains', () => {
  rows([
    ['example.com', ['example.com']],
    ['example.com, eu.example.org', ['example.com', 'eu.example.org']],
  ])("'%s'", (raw, list) => expect(tunnel.emailDomains(raw)).toEqual(list));

  const none = 'not every part is a domain such as example.com, without the @; commas separate them';
  rows([
    ['', oneLine],
    ['@example.com', none],
    ['ada@example.com', none],
    ['example', none],
    ['Example.com', none],
    ['*.example.com', none],
    ['example.com,', none],
    ['example.com example.org', none],
    ['example.com,example.org,example.com', 'a domain is listed twice'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(tunnel.emailDomains, raw)).toBe(rule));
});

describe('groupIds', () => {
  const [one, two] = ['f174e90a-fafe-4643-bbbc-4a0ed4fc8415', '00000000-1111-2222-3333-444444444444'];

  rows([
    [one, [one]],
    [` ${one} , ${two} `, [one, two]],
  ])("'%s'", (raw, list) => expect(tunnel.groupIds(raw)).toEqual(list));

  const none = 'not every part is the ID of an Access group, such as f174e90a-fafe-4643-bbbc-4a0ed4fc8415; commas separate them';
  rows([
    ['', oneLine],
    ['engineering', none],
    [`${one},engineering`, none],
    [one.toUpperCase(), none],
    [one.replaceAll('-', ''), none],
    [`${one}0`, none],
    [`0${one}`, none],
    [`{${one}}`, none],
    [`${one},`, none],
    [`${one} ${two}`, none],
    [`${one},${two},${one}`, 'a group is listed twice'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(tunnel.groupIds, raw)).toBe(rule));
});

describe('tokenNames', () => {
  rows([
    ['', []],
    [' ', []],
    ['edge', ['edge']],
    ['edge, host-2,c', ['edge', 'host-2', 'c']],
    ['a'.repeat(39), ['a'.repeat(39)]],
    // Only the whole name is taken.
    ['alloy-2', ['alloy-2']],
    ['secret-2,my-secret,admin', ['secret-2', 'my-secret', 'admin']],
  ])("'%s'", (raw, list) => expect(tunnel.tokenNames(raw)).toEqual(list));

  const none = 'a name is a small letter and up to 38 small letters, digits and dashes, and none of alloy, secret, admin-secret; commas separate names';
  rows([
    ['Edge', none],
    ['2nd', none],
    ['-edge', none],
    ['edge_1', none],
    ['edge.1', none],
    ['a'.repeat(40), none],
    ['edge,', none],
    [',', none],
    ['edge host', none],
    ['alloy', none],
    ['secret', none],
    ['admin-secret', none],
    ['edge, alloy', none],
    ['secret,edge', none],
    ['edge, admin-secret ', none],
    ['edge\nhost', oneLine],
    ['edge,host,edge', 'a name is listed twice'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(tunnel.tokenNames, raw)).toBe(rule));
});

describe('tokenDuration', () => {
  rows([['1h', 1], ['8760h', 8760], ['999999h', 999999], ['forever', 0]])('%s in hours', (raw, hours) => expect(tunnel.hoursOf(tunnel.tokenDuration(raw))).toBe(hours));

  rows(['1h', '8760h', '999999h', 'forever'])('%s is taken as it is', (raw) => expect(tunnel.tokenDuration(raw)).toBe(raw));

  rows(['', '0h', '08h', '8760', '365d', '30m', '1h30m', '1.5h', '-1h', '1000000h', ' 8760h', '8760H', 'Forever', 'forever ', '8760h\n'])("'%s' is none", (raw) => {
    expect(ruleOf(tunnel.tokenDuration, raw)).toBe('it is hours, such as 8760h for a year, or forever');
  });
});

const grpc = 'gRPC does not pass a public hostname of Cloudflare; send OTLP over HTTP, which Alloy takes on port 4318 and Phoenix on 6006';
const path = 'a service is a host and a port; the path of a request is passed on as it is';
const itself = "inside the connector's container that is the container itself; the Docker host is host.docker.internal";
const noUrl = 'it is not a URL; write http://host:port or https://host';

describe('originUrl', () => {
  rows([
    ['http://alloy:4318', 'http://alloy:4318'],
    ['http://phoenix:6006/', 'http://phoenix:6006'],
    ['HTTP://Grafana:3000', 'http://grafana:3000'],
    ['http://grafana', 'http://grafana'],
    ['https://grafana:443', 'https://grafana'],
    ['https://grafana:8443', 'https://grafana:8443'],
    ['http://host.docker.internal:3000', 'http://host.docker.internal:3000'],
    ['http://192.0.2.7:3000', 'http://192.0.2.7:3000'],
    ['http://[2001:db8::1]:3000', 'http://[2001:db8::1]:3000'],
    // These look like the ports of gRPC, and are others.
    ['http://grafana:43170', 'http://grafana:43170'],
    ['http://phoenix:14318', 'http://phoenix:14318'],
    ['http://grafana:24317', 'http://grafana:24317'],
    ['http://[2001:db8::4317]', 'http://[2001:db8::4317]'],
    // A name is no scheme.
    ['http://grpc:3000', 'http://grpc:3000'],
  ])('%s is %s', (raw, origin) => expect(tunnel.originUrl(raw)).toBe(origin));

  rows([
    ['grpc://alloy:4317', grpc],
    ['grpcs://alloy:4317', grpc],
    ['GRPC://alloy', grpc],
    ['grpc:alloy', grpc],
    ['http://alloy:4317', grpc],
    ['http://alloy:4317/', grpc],
    ['https://phoenix:4317/v1/traces', grpc],
    ['http://localhost:4317', grpc],
    ['http://phoenix:14317', grpc],
    ['https://host.docker.internal:14317/', grpc],
    ['http://phoenix:14317/v1/traces', grpc],
    // However the port is written, and whatever comes after it.
    ['http://alloy:04317', grpc],
    ['http://alloy:4317?x=1', grpc],
    ['http://alloy:4317#x', grpc],
    ['http://[2001:db8::1]:4317', grpc],
    ['', noUrl],
    ['grafana', noUrl],
    ['http://grafana:99999', noUrl],
    ['grafana:3000', 'the URL must begin with http:// or https://'],
    ['tcp://grafana:3000', 'the URL must begin with http:// or https://'],
    ['ssh://grafana', 'the URL must begin with http:// or https://'],
    ['unix:/run/grafana.sock', 'the URL must begin with http:// or https://'],
    ['http://me:pass@grafana:3000', 'a URL that holds a password would show it in previews and state'],
    ['http://me:4317@grafana:3000', 'a URL that holds a password would show it in previews and state'],
    ['http://grafana:3000/login', path],
    // That is no port.
    ['http://grafana/:4317', path],
    ['http://grafana:3000?to=http://alloy:4317', path],
    ['http://grafana:3000//', path],
    ['http://grafana:3000?', path],
    ['http://grafana:3000/?orgId=1', path],
    ['http://grafana:3000/#', path],
    ['http://localhost:3000', itself],
    ['http://127.0.0.1:3000', itself],
    ['http://0.0.0.0:3000', itself],
    ['http://[::]:3000', itself],
    ['http://127.8.9.10:3000', itself],
    ['http://[::1]:3000', itself],
    ['http://grafana.localhost:3000', itself],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(tunnel.originUrl, raw)).toBe(rule));

  test('whatever the host, gRPC is refused by its scheme and by its port', () => {
    fc.assert(
      fc.property(hostname, fc.constantFrom('http', 'https'), fc.constantFrom(4317, 14317), fc.constantFrom('', '/', '/v1/traces'), (host, scheme, port, rest) => {
        expect(ruleOf(tunnel.originUrl, `${scheme}://${host}:${port}${rest}`)).toBe(grpc);
        expect(ruleOf(tunnel.originUrl, `${scheme.replace('http', 'grpc')}://${host}:443${rest}`)).toBe(grpc);
      }),
    );
  });
});

describe('routes', () => {
  const grafana = { hostname: 'grafana.example.com', service: 'http://host.docker.internal:3000' };

  rows([
    ['grafana.example.com=http://host.docker.internal:3000', [grafana]],
    [' grafana.example.com = http://host.docker.internal:3000/ ', [grafana]],
    ['grafana.example.com=http://host.docker.internal:3000, wiki.example.com=https://wiki', [grafana, { hostname: 'wiki.example.com', service: 'https://wiki' }]],
    // Two names may lead to one place.
    ['grafana.example.com=http://host.docker.internal:3000,g.example.com=http://host.docker.internal:3000', [grafana, { ...grafana, hostname: 'g.example.com' }]],
  ])("'%s'", (raw, list) => expect(tunnel.routes(raw)).toEqual(list));

  const written = 'a route is written HOSTNAME=http://SERVICE:PORT; commas separate routes';
  const name = 'it is a name such as phoenix.example.com: small letters, digits, dashes and dots, without http:// and without a port';
  rows([
    ['', written],
    ['grafana.example.com', written],
    ['grafana.example.com=', written],
    ['grafana.example.com= ', written],
    ['http://grafana:3000', written],
    ['grafana.example.com=http://grafana:3000,', written],
    ['grafana.example.com=http://grafana:3000,wiki.example.com', written],
    ['=http://grafana:3000', name],
    ['grafana=http://grafana:3000', name],
    ['https://grafana.example.com=http://grafana:3000', name],
    ['grafana.example.com/x=http://grafana:3000', name],
    ['grafana.example.com=grafana', noUrl],
    ['grafana.example.com=grafana:3000', 'the URL must begin with http:// or https://'],
    ['grafana.example.com=http://me:pass@grafana', 'a URL that holds a password would show it in previews and state'],
    ['grafana.example.com=http://grafana:3000/?x=1', path],
    ['grafana.example.com=http://localhost:3000', itself],
    ['otlp.example.com=grpc://alloy:4317', grpc],
    ['otlp.example.com=http://alloy:4317', grpc],
    ['grafana.example.com=http://grafana:3000,otlp.example.com=http://phoenix:4317', grpc],
    ['otlp.example.com=http://host.docker.internal:14317', grpc],
    ['grafana.example.com=http://grafana:3000,grafana.example.com=http://wiki', 'a hostname is listed twice'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(tunnel.routes, raw)).toBe(rule));

  test('every list of hostnames and services comes back, in its order', () => {
    const port = fc.integer({ min: 1, max: 65535 }).filter((one) => ![80, 4317, 14317].includes(one));
    const route = fc.tuple(hostname, label.filter((one) => /^[a-z]/.test(one) && !one.startsWith('xn--')), port);
    const list = fc.uniqueArray(route, { selector: ([name]) => name, minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(list, (all) => {
        const routes = all.map(([name, service, at]) => ({ hostname: name, service: `http://${service}:${at}` }));
        expect(tunnel.routes(routes.map((one) => `${one.hostname}=${one.service}`).join(', '))).toEqual(routes);
      }),
    );
  });
});

test('no rule quotes the value, which may be a secret', () => {
  const parsers = [
    tunnel.hostname, tunnel.accountId, tunnel.apiToken, tunnel.apiUrl, tunnel.tunnelName, tunnel.connectors, tunnel.emails, tunnel.emailDomains,
    tunnel.groupIds, tunnel.tokenNames, tunnel.tokenDuration, tunnel.routes, tunnel.originUrl,
  ];
  const shapes = ['MARK ', 'mark@', 'mark,mark', 'http://MARK@host', 'MARK://host', 'grpc://mark', 'mark.example.com=MARK', 'mark.example.com=http://mark/mark', 'http://mark.localhost'];
  const rules = parsers.flatMap((parse) => shapes.map((shape) => ruleOf(parse, shape)).filter((rule) => !rule.endsWith(' was accepted')));
  expect(rules.length).toBeGreaterThan(parsers.length);
  expect(rules.filter((rule) => /mark/i.test(rule))).toEqual([]);
});
