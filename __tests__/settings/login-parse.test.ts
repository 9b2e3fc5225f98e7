import * as fc from 'fast-check';
import * as login from '../../settings/login-parse';
import { quoting, ruleOf } from '../support/broken-rule';
import { rows } from '../support/rows';

const oneLine = 'it is one line of text, and not empty';

describe('publicUrl', () => {
  rows([
    ['https://phoenix.example.com', 'https://phoenix.example.com/'],
    ['HTTPS://Phoenix.example.com:443', 'https://phoenix.example.com/'],
    ['http://localhost:8080', 'http://localhost:8080/'],
    ['http://192.0.2.7:6006/', 'http://192.0.2.7:6006/'],
    ['https://[2001:db8::1]:8443', 'https://[2001:db8::1]:8443/'],
    ['https://example.com/phoenix', 'https://example.com/phoenix'],
    ['https://example.com/tools/phoenix_1/', 'https://example.com/tools/phoenix_1/'],
  ])('%s', (raw, href) => expect(login.publicUrl(raw).href).toBe(href));

  const path = 'the names in its path are made of letters, digits and . _ ~ -';
  rows([
    ['', 'it is not a URL; write http://host:port or https://host'],
    ['phoenix.example.com', 'it is not a URL; write http://host:port or https://host'],
    ['phoenix.example.com:443', 'the URL must begin with http:// or https://'],
    ['https://me:pass@phoenix.example.com', 'a URL that holds a password would show it in previews and state'],
    ['https://phoenix.example.com/?x=1', 'it is the address of the first page, without ? and #'],
    ['https://phoenix.example.com/?', 'it is the address of the first page, without ? and #'],
    ['https://phoenix.example.com/#/projects', 'it is the address of the first page, without ? and #'],
    ['https://example.com/a//b', path],
    ['https://example.com/a b', path],
    ['https://example.com/%20', path],
    ['https://example.com/phöenix', path],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(login.publicUrl, raw)).toBe(rule));
});

describe('proxies', () => {
  rows([
    ['172.18.0.1', ['172.18.0.1']],
    ['172.16.0.0/12', ['172.16.0.0/12']],
    ['10.0.0.0/8, 192.168.0.0/16,::1', ['10.0.0.0/8', '192.168.0.0/16', '::1']],
    ['192.0.2.7/32', ['192.0.2.7/32']],
    ['2001:db8::/32', ['2001:db8::/32']],
    ['fd00:1:2:3::/64', ['fd00:1:2:3::/64']],
    ['::1/128', ['::1/128']],
    ['::ffff:10.0.0.0/104', ['::ffff:10.0.0.0/104']],
  ])("'%s'", (raw, list) => expect(login.proxies(raw)).toEqual(list));

  const none = 'not every part is an IP address or a network such as 172.16.0.0/12';
  const everybody = 'trusting every proxy lets anyone bypass the login limit with a forged header; name your proxies';
  const inside = 'a network begins at its first address, as 172.16.0.0/12 does; any other is ignored';
  rows([
    ['', none],
    ['nginx', none],
    ['172.16.0.0/12,', none],
    ['172.16.0.0/33', none],
    ['::/129', none],
    ['172.16.0.0/255.240.0.0', none],
    ['172.16.0.0/12/13', none],
    ['172.16/12', none],
    ['fe80::1%eth0', none],
    ['*', everybody],
    ['127.0.0.1,*', everybody],
    ['0.0.0.0/0', everybody],
    ['0.0.0.0/00', everybody],
    ['::/0', everybody],
    ['172.18.0.1/16', inside],
    ['192.0.2.7/31', inside],
    ['2001:db8::1/32', inside],
    ['::1/127', inside],
    ['1::1/128,1:2::/16', inside],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(login.proxies, raw)).toBe(rule));

  test('an IPv4 network is right just when the bits behind its length are none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: 32 }), fc.boolean(), (number, length, whole) => {
        const begins = whole ? Math.floor(number / 2 ** (32 - length)) * 2 ** (32 - length) : number;
        const network = `${[24, 16, 8, 0].map((shift) => Math.floor(begins / 2 ** shift) % 256).join('.')}/${length}`;
        expect(ruleOf(login.proxies, network)).toBe(begins % 2 ** (32 - length) === 0 ? `'${network}' was accepted` : inside);
      }),
    );
  });
});

describe('phoenixSecret', () => {
  rows(['a1'.repeat(16), `${'A'.repeat(30)}1b`, '0a!"#$%&\'()*+,-./:;<=>?@[]^_`{|}~', 'f'.repeat(500).concat('0')])('%s', (raw) => expect(login.phoenixSecret(raw)).toBe(raw));

  rows([
    ['', 'it has 0 characters and needs at least 32; it has no digit; it has no lower-case letter'],
    ['a', 'it has 1 character and needs at least 32; it has no digit'],
    ['secretsecre1', 'it has 12 characters and needs at least 32'],
    ['a1'.repeat(15).concat('a'), 'it has 31 characters and needs at least 32'],
    ['x'.repeat(40), 'it has no digit'],
    ['X1'.repeat(20), 'it has no lower-case letter'],
    ['a1 '.repeat(20), 'it has whitespace in it'],
    ['a1'.repeat(20).concat('\n'), 'it has whitespace in it'],
    ['a1ü'.repeat(20), 'it has characters that are not printable ASCII'],
    ['a1\x1f'.repeat(20), 'it has characters that are not printable ASCII'],
    ['é 1', 'it has 3 characters and needs at least 32; it has whitespace in it; it has characters that are not printable ASCII; it has no lower-case letter'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(login.phoenixSecret, raw)).toBe(rule));
});

describe('password', () => {
  rows(['abcd', 'ADMIN', 'admin1', '!"$`\\'])('%s', (raw) => expect(login.password(raw)).toBe(raw));

  rows([
    ['', 'it has 0 characters and needs at least 4'],
    ['abc', 'it has 3 characters and needs at least 4'],
    ['pass word', 'it has whitespace in it'],
    ['pässwort', 'it has characters that are not printable ASCII'],
    ['admin', 'everyone knows it from the documentation of Phoenix'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(login.password, raw)).toBe(rule));
});

describe('keyNames', () => {
  rows([
    ['', []],
    [' ', []],
    ['reader', ['reader']],
    ['reader, ci-1', ['reader', 'ci-1']],
    ['alloy-2', ['alloy-2']],
    ['a'.repeat(39), ['a'.repeat(39)]],
  ])("'%s'", (raw, list) => expect(login.keyNames(raw)).toEqual(list));

  const name = 'a name is a small letter and up to 38 small letters, digits and dashes; commas separate names';
  rows([
    ['Reader', name],
    ['1st', name],
    ['-a', name],
    ['a_b', name],
    ['a b', name],
    ['a,', name],
    ['a,,b', name],
    ['a'.repeat(40), name],
    ['reader,alloy', "alloy is the name of Alloy's own key"],
    ['reader,secret', 'secret and admin-secret are what `npm run up -- --rotate` calls the secrets of Phoenix itself'],
    ['admin-secret', 'secret and admin-secret are what `npm run up -- --rotate` calls the secrets of Phoenix itself'],
    ['reader,ci,reader', 'a name is listed twice'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(login.keyNames, raw)).toBe(rule));
});

describe('admins', () => {
  rows([
    ['Ada=ada@example.com', 'Ada=ada@example.com'],
    [' Ada Lovelace = Ada@Example.COM ; Doe, J.=j.doe+x@corp.internal; ', 'Ada Lovelace=ada@example.com;Doe, J.=j.doe+x@corp.internal'],
    ['A=B=a@example.com', 'A=B=a@example.com'],
    ['ada@example.com=ada@example.com', 'ada@example.com=ada@example.com'],
    ["Müller=o'n!#$%&*+/?^_`{|}~-@x-y.example", "Müller=o'n!#$%&*+/?^_`{|}~-@x-y.example"],
    ['A=a@xn--bcher-kva.de', 'A=a@xn--bcher-kva.de'],
    [`A=${'a'.repeat(64)}@${'b'.repeat(63)}.de`, `A=${'a'.repeat(64)}@${'b'.repeat(63)}.de`],
  ])("'%s'", (raw, text) => expect(login.admins(raw)).toBe(text));

  const format = 'write Name=email, and ; between one and the next';
  const address = 'not every address is one that mail can be sent to; Phoenix takes name@host.domain';
  const taken = 'Phoenix already has the users admin and system, and would not create a second one of that name';
  rows<[string, string]>([
    ['', oneLine],
    ['A=a@example.com\nB=b@example.com', oneLine],
    [';', format],
    ['ada@example.com', format],
    ['=ada@example.com', format],
    ['A=a@example.com;C', format],
    ['A=a@example.com,B=b@example.com', format],
    ['A=a@example.com, B=b@example.com, C=c@example.com', format],
    ['A=', address],
    ['A=root@localhost', address],
    ...['test', 'local', 'localhost', 'invalid', 'onion', 'home.arpa'].map((domain): [string, string] => [`A=a@x.${domain}`, address]),
    ...['@x.org', '.a@x.org', 'a.@x.org', 'a..b@x.org', 'a b@x.org', '"a"@x.org', 'a@x', 'a@x.org.', 'a@-x.org', 'a@x-.org', 'a@x_y.org', 'a@x.1', 'a@x.org1',
      'a@ab--c.org', 'a@xn--zz.org', 'a@[192.0.2.7]', 'jürgen@x.org', `${'a'.repeat(65)}@x.org`, `a@${'b'.repeat(64)}.org`, 'a@b@x.org'].map((email): [string, string] => [`A=${email}`, address]),
    ['admin=a@example.com', taken],
    ['Ada=a@example.com;system=b@example.com', taken],
    ['Ada=a@example.com;Ada=b@example.com', 'a name is listed twice'],
    ['Ada=a@example.com;Bob=A@example.com', 'an address is listed twice'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(login.admins, raw)).toBe(rule));
});

describe('mailFrom', () => {
  rows(['phoenix@example.com', 'a@b', 'Phoenix <phoenix@example.com>', '<a@b>'].map((raw) => [raw]))('%s', (raw) => expect(login.mailFrom(raw)).toBe(raw));

  const rule = 'write name@host, or Name <name@host>';
  rows([['', oneLine], ['phoenix', rule], ['a@', rule], ['@b', rule], ['a@b c', rule], ['<a@b', rule], ['a@b>', rule], ['a@b,c@d', rule], ['A <a@b> B', rule]])("'%s': %s", (raw, broken) =>
    expect(ruleOf(login.mailFrom, raw)).toBe(broken));
});

describe('hosts', () => {
  rows([['ldap.example.com', 'ldap.example.com'], ['dc1.example.com, dc-2', 'dc1.example.com,dc-2'], ['192.0.2.7', '192.0.2.7'], ['my_ldap', 'my_ldap']])("'%s'", (raw, text) =>
    expect(login.hosts(raw)).toBe(text));

  const name = 'it is a host name without http:// or a port; the port has its own setting';
  const itself = "inside Phoenix's container that is the container itself";
  rows([
    ['', name],
    ['ldap://ldap.example.com', name],
    ['ldap.example.com:389', name],
    ['a,,b', name],
    ['a b', name],
    ['-a', name],
    ['localhost', itself],
    ['0.0.0.0', itself],
    ['ldap.example.com,127.0.0.1', itself],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(login.hosts, raw)).toBe(rule));

  test('one alone', () => {
    expect(login.host('smtp.example.com')).toBe('smtp.example.com');
    expect(ruleOf(login.host, 'a,b')).toBe('it is one host name');
    expect(ruleOf(login.host, 'localhost')).toBe(itself);
  });
});

test('no rule quotes the value, which may be a secret', () => {
  const shapes = ['MARK', 'MARK,MARK', 'admin=MARK', 'http://MARK@host', 'MARK://host', 'https://host/MARK?', '["MARK"]', '[{"group_dn":"MARK","role":"ADMIN"}]', 'MARK:SYSTEM', 'MARK MARK', '\nMARK\n1'];
  expect(quoting(Object.values(login) as ((raw: string) => unknown)[], shapes)).toEqual([]);
});
