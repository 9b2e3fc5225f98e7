import * as places from '../../settings/address-parse';
import { brokenRule, quoting, ruleOf } from '../support/broken-rule';
import { rows } from '../support/rows';

describe('httpUrl', () => {
  rows([
    ['http://host.docker.internal:9090', 'http://host.docker.internal:9090/'],
    ['https://metrics.example.com/api/v1/write', 'https://metrics.example.com/api/v1/write'],
    ['HTTP://Example.com', 'http://example.com/'],
    ['http://192.0.2.7:3100/otlp/', 'http://192.0.2.7:3100/otlp/'],
    ['http://[2001:db8::1]:3100', 'http://[2001:db8::1]:3100/'],
  ])('%s', (raw, href) => expect(places.httpUrl(raw).href).toBe(href));

  const itself = "inside Alloy's container that is the container itself; the Docker host is host.docker.internal";
  rows([
    ['', 'it is not a URL; write http://host:port or https://host'],
    ['prometheus', 'it is not a URL; write http://host:port or https://host'],
    ['http://', 'it is not a URL; write http://host:port or https://host'],
    ['http://host:99999', 'it is not a URL; write http://host:port or https://host'],
    ['prometheus:9090', 'the URL must begin with http:// or https://'],
    ['grpc://loki:9096', 'the URL must begin with http:// or https://'],
    ['http://me:pass@host', 'a URL that holds a password would show it in previews and state'],
    ['http://token@host', 'a URL that holds a password would show it in previews and state'],
    ['http://localhost:9090', itself],
    ['http://127.0.0.1:9090', itself],
    ['http://127.0.0.9:9090', itself],
    ['http://[::1]:9090', itself],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(places.httpUrl, raw)).toBe(rule));
});

describe('addresses', () => {
  const lists: [string, string[]][] = [
    ['127.0.0.1', ['127.0.0.1']],
    ['127.0.0.1,192.0.2.7', ['127.0.0.1', '192.0.2.7']],
    [' 127.0.0.1 , ::1 ', ['127.0.0.1', '::1']],
    ['0.0.0.0', ['0.0.0.0']],
    ['0.0.0.0,::', ['0.0.0.0', '::']],
    ['::,192.0.2.7', ['::', '192.0.2.7']],
  ];
  rows(lists)("'%s', with auto or without", (raw, list) => {
    expect(places.addresses(raw)).toEqual(list);
    expect(places.addressesOrAuto(raw)).toEqual(list);
  });

  test('auto is one only where it may be', () => {
    expect(places.addressesOrAuto('auto')).toBe('auto');
    expect(ruleOf(places.addresses, 'auto')).toBe('not every part is an IP address; write addresses of the Docker host separated by commas');
  });

  rows(['host.docker.internal', '127.0.0.1,host.docker.internal'])("'%s'", (raw) => {
    const rule = 'host.docker.internal is a name that containers send to, not an address of this host to listen on';
    expect(ruleOf(places.addresses, raw)).toBe(rule);
    expect(ruleOf(places.addressesOrAuto, raw)).toBe(`${rule}; auto already serves those containers`);
  });

  rows(['', 'localhost', 'Auto', 'auto,127.0.0.1', '127.0.0.1,', '127.0.0.1 192.0.2.7', '127.0.0.1:4317', '256.0.0.1'])("'%s' is none", (raw) => {
    expect(ruleOf(places.addresses, raw)).toBe('not every part is an IP address; write addresses of the Docker host separated by commas');
    expect(ruleOf(places.addressesOrAuto, raw)).toBe('not every part is an IP address; write auto, or addresses of the Docker host separated by commas');
  });

  rows([
    ['127.0.0.1,127.0.0.1', 'an address is listed twice'],
    ['0.0.0.0,127.0.0.1', '0.0.0.0 already includes every IPv4 address, and Docker refuses to publish a port on one of them twice'],
    ['::1,::', ':: already includes every IPv6 address, and Docker refuses to publish a port on one of them twice'],
  ])("'%s': %s", (raw, rule) => {
    expect(ruleOf(places.addresses, raw)).toBe(rule);
    expect(ruleOf(places.addressesOrAuto, raw)).toBe(rule);
  });
});

describe('host names', () => {
  rows<[string, string[]]>([
    ['phoenix.lan', ['phoenix.lan']],
    ['phoenix.lan, build-7,192.0.2.1,2001:db8::1', ['phoenix.lan', 'build-7', '192.0.2.1', '2001:db8::1']],
    ['xn--bcher-kva.example', ['xn--bcher-kva.example']],
    ['7.example', ['7.example']],
  ])("'%s'", (raw, list) => expect(places.hostNames(raw)).toEqual(list));

  const rule = 'not every part is a host name such as phoenix.lan: small letters, digits, dashes and dots, without http:// and without a port; commas separate names';
  const pattern = 'a pattern also accepts a website that has chosen a matching name; write every name';

  rows<[string, string, string | undefined]>([
    ['http://phoenix.lan', rule, 'phoenix.lan'],
    ['https://Phoenix.lan:6006/traces', rule, 'phoenix.lan'],
    ['phoenix.lan:6006', rule, 'phoenix.lan'],
    ['[2001:db8::1]:6006', rule, '2001:db8::1'],
    ['Phoenix.lan', rule, 'phoenix.lan'],
    ['a.lan, http://b.lan', rule, 'a.lan,b.lan'],
    ['phoenix_lan', rule, undefined],
    ['-a.lan', rule, undefined],
    ['a..lan', rule, undefined],
    ['a.lan,', rule, undefined],
    ['300.1.1.1', rule, undefined],
    ['a.lan"; return 200', rule, undefined],
    [`${'a'.repeat(64)}.lan`, rule, undefined],
    ['*', pattern, undefined],
    ['*.lan', pattern, undefined],
    ['a.lan,a.lan', 'a name is listed twice', undefined],
  ])("'%s': %s", (raw, said, meant) => {
    const broken = brokenRule(places.hostNames, raw);
    expect(broken.rule).toBe(said);
    if (meant !== undefined) {
      expect(broken.meant).toBe(meant);
      expect(() => places.hostNames(meant)).not.toThrow();
    }
  });
});

test('no rule quotes the value, which may be a secret', () => expect(quoting([places.webUrl, places.httpUrl, places.addresses, places.addressesOrAuto, places.hostNames])).toEqual([]));
