import * as fc from 'fast-check';
import * as login from '../../settings/login-parse';
import { BrokenRule } from '../../settings/parse';
import { ruleOf } from '../support/broken-rule';
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
    ['', 'it is no URL; write http://host:port or https://host'],
    ['phoenix.example.com', 'it is no URL; write http://host:port or https://host'],
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
  const everybody = 'trusting every proxy lets anybody get around the login limit with a forged header; name your proxies';
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
    ['admin', 'everybody knows it from the documentation of Phoenix'],
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
    ['reader,ci,reader', 'a name is there twice'],
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
  const taken = 'admin and system are users that Phoenix has already; it would leave out another of that name';
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
    ['Ada=a@example.com;Ada=b@example.com', 'a name is there twice'],
    ['Ada=a@example.com;Bob=A@example.com', 'an address is there twice'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(login.admins, raw)).toBe(rule));
});

describe('mailFrom', () => {
  rows(['phoenix@example.com', 'a@b', 'Phoenix <phoenix@example.com>', '<a@b>'].map((raw) => [raw]))('%s', (raw) => expect(login.mailFrom(raw)).toBe(raw));

  const rule = 'write name@host, or Name <name@host>';
  rows([['', oneLine], ['phoenix', rule], ['a@', rule], ['@b', rule], ['a@b c', rule], ['<a@b', rule], ['a@b>', rule], ['a@b,c@d', rule], ['A <a@b> B', rule]])("'%s': %s", (raw, broken) =>
    expect(ruleOf(login.mailFrom, raw)).toBe(broken));
});

describe('oidcName', () => {
  rows([['oidc', 'oidc'], ['OKTA_2', 'okta_2'], ['token_1', 'token_1']])('%s is %s', (raw, name) => expect(login.oidcName(raw)).toBe(name));

  rows(['', 'a-b', 'a b', 'é', ' a'])("'%s'", (raw) => expect(ruleOf(login.oidcName, raw)).toBe('it is made of letters, digits and _'));
  rows(['authorize', 'token', 'revoke', 'register', 'consent', 'Token'])('%s', (raw) =>
    expect(ruleOf(login.oidcName, raw)).toBe('Phoenix has a page of that name below /oauth2'));
});

describe('oidcUrl', () => {
  rows([
    'https://login.example.com/.well-known/openid-configuration',
    'https://login.microsoftonline.com/x/v2.0/.well-known/openid-configuration?appid=1',
    'http://localhost:8080/realms/x/.well-known/openid-configuration',
    'http://127.0.0.1:8080/x',
    'http://[::1]:8080/x',
  ])('%s', (raw) => expect(login.oidcUrl(raw).href).toBe(raw));

  const https = 'Phoenix takes http:// from localhost only; the URL must begin with https://';
  rows([
    ['http://login.example.com/', https],
    ['http://127.0.0.2/', https],
    ['http://host.docker.internal:8080/', https],
    ['ftp://login.example.com', 'the URL must begin with http:// or https://'],
    ['https://a:b@login.example.com', 'a URL that holds a password would show it in previews and state'],
    ['login', 'it is no URL; write http://host:port or https://host'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(login.oidcUrl, raw)).toBe(rule));
});

describe('what a person is at the identity provider', () => {
  rows([
    ['offline_access groups', login.scopes, 'offline_access groups'],
    [' api://x/y ', login.scopes, 'api://x/y'],
    ['engineering, Site Reliability', login.groups, 'engineering,Site Reliability'],
    ['owner:ADMIN, Dev Ops : member,guest:Viewer', login.roleMapping, 'owner:ADMIN,Dev Ops : member,guest:Viewer'],
  ])('%s', (raw, parse, text) => expect(parse(raw)).toBe(text));

  rows([
    'groups', 'resource_access.phoenix.roles', '"cognito:groups"', 'resource_access."my-app".roles', 'teams[*].name', 'groups[-1]', 'groups[0:2]', '{a: b}',
    "'MEMBER'", 'a[?b==`1`]', "contains(groups[*], 'a:b') && 'ADMIN' || 'VIEWER'",
  ])('%s is a path', (raw) => expect(login.claimPath(raw)).toBe(raw));

  rows(['cognito:groups', 'https://example.com/groups', 'my-app.roles', 'a."b-c".d-e'])('%s is none', (raw) => {
    expect(ruleOf(login.claimPath, raw)).toBe('a name with a colon, slash or dash stands in double quotes, as "cognito:groups" does');
  });

  rows(['owner', 'owner:', ':ADMIN', ' :ADMIN', 'owner:SYSTEM', 'owner:admins', 'a:b:ADMIN', 'owner:ADMIN,'])("'%s' gives no roles", (raw) => {
    expect(ruleOf(login.roleMapping, raw)).toBe('write TheirRole:ADMIN, TheirRole:MEMBER or TheirRole:VIEWER, with commas between');
  });

  rows(['a,,b', ','])("'%s' are no groups", (raw) => expect(ruleOf(login.groups, raw)).toBe('a name is empty; commas separate groups'));
  test('scopes have spaces between them', () => expect(ruleOf(login.scopes, 'a,b')).toBe('spaces separate scopes, and nothing else'));
  test('none is empty', () => {
    for (const parse of [login.scopes, login.groups, login.roleMapping, login.claimPath]) {
      expect(ruleOf(parse, ' ')).toBe(oneLine);
    }
  });
});

describe('hosts', () => {
  rows([['ldap.example.com', 'ldap.example.com'], ['dc1.example.com, dc-2', 'dc1.example.com,dc-2'], ['192.0.2.7', '192.0.2.7'], ['my_ldap', 'my_ldap']])("'%s'", (raw, text) =>
    expect(login.hosts(raw)).toBe(text));

  const name = 'it is a host name without http:// or a port; what is more than that has a setting of its own';
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

describe('LDAP', () => {
  const noDn = 'a distinguished name is written as ou=users,dc=example,dc=com, without spaces around = and ,';

  // As ldap3's parse_dn has it; the rule was held against it with 400,000 random texts.
  const right = ['ou=users', 'OU=Users,DC=corp,DC=com', 'CN=Phoenix Admins,OU=Groups,DC=corp', "cn=J. O'Neil (ext)\\, jr,ou=p/q", 'ou=x+cn=y,dc=z', 'ou=Bücher', 'cn=\\20a\\2C', 'a-1=x'];
  const wrong = ['users', 'ou', 'ou=', '=x', 'ou=a,', 'ou=a,b', 'ou=a, dc=b', 'ou =a', 'ou= a', '1a=x', 'o_u=x', 'ou=a;dc=b', 'ou=a=b', 'ou=a#b', 'ou="a"', 'ou=a\\x', 'ou=<a>'];

  rows(right)('%s is a distinguished name', (raw) => {
    expect(login.dn(` ${raw} `)).toBe(raw);
    expect(login.dns(JSON.stringify([raw, '']))).toEqual([raw, '']);
    expect(login.rolesOfGroups(JSON.stringify([{ group_dn: raw, role: 'admin' }]))).toEqual([{ group_dn: raw, role: 'ADMIN' }]);
  });

  rows(wrong)("'%s' is none", (raw) => {
    expect(ruleOf(login.dn, raw)).toBe(noDn);
    expect(ruleOf(login.dns, JSON.stringify([raw]))).toBe(noDn);
    expect(ruleOf(login.rolesOfGroups, JSON.stringify([{ group_dn: raw, role: 'ADMIN' }]))).toBe(noDn);
  });

  test('a group needs a name, a place to search does not', () => {
    expect(login.dns('[""]')).toEqual(['']);
    expect(ruleOf(login.dn, '')).toBe(noDn);
    expect(ruleOf(login.rolesOfGroups, '[{"group_dn":" ","role":"ADMIN"}]')).toBe(noDn);
  });

  rows(['', 'ou=users', '[]', '{}', 'null', '"ou=users"', '[1]', '[null]', '["ou=users"'])("'%s' is no array of texts", (raw) => {
    expect(ruleOf(login.dns, raw)).toBe('it is no JSON array of texts; write ["ou=users,dc=example,dc=com"]');
  });

  test('roles in their order, everybody as *', () => {
    expect(login.rolesOfGroups('[{"group_dn":"cn=a","role":"Admin"},{"group_dn":" * ","role":" viewer ","note":1}]')).toEqual([
      { group_dn: 'cn=a', role: 'ADMIN' },
      { group_dn: '*', role: 'VIEWER' },
    ]);
  });

  rows(['', '*', '[]', '{}', '[null]', '["*"]', '[{"group_dn":"*"}]', '[{"role":"ADMIN"}]', '[{"group_dn":1,"role":"ADMIN"}]', '[{"group_dn":"*","role":1}]', '[{"group_dn":"*","role":"SYSTEM"}]'])(
    "'%s' gives no roles",
    (raw) =>
      expect(ruleOf(login.rolesOfGroups, raw)).toBe(
        'it is no JSON array of objects with group_dn and the role ADMIN, MEMBER or VIEWER; write [{"group_dn":"*","role":"VIEWER"}]',
      ),
  );

  test('a filter has a place for the name, an attribute is one word', () => {
    expect(login.userFilter(' (&(objectClass=user)(uid=%s)) ')).toBe('(&(objectClass=user)(uid=%s))');
    expect(ruleOf(login.userFilter, '(uid=name)')).toBe('%s must stand in it, for the name that somebody logs in with');
    expect(ruleOf(login.userFilter, '')).toBe(oneLine);
    expect(login.attribute('userPrincipalName')).toBe('userPrincipalName');
    expect(ruleOf(login.attribute, 'e mail')).toBe('the name of an attribute has no spaces');
    expect(ruleOf(login.attribute, '')).toBe(oneLine);
  });

  rows(['null', 'NULL'])('%s is what Phoenix calls no address', (raw) => {
    expect(ruleOf(login.attribute, raw)).toBe('people without an e-mail address would need PHOENIX_LDAP_ATTR_UNIQUE_ID, for which there is no setting');
  });
});

test('no rule quotes the value, which may be a secret', () => {
  const shapes = ['MARK', 'MARK,MARK', 'admin=MARK', 'http://MARK@host', 'MARK://host', 'https://host/MARK?', '["MARK"]', '[{"group_dn":"MARK","role":"ADMIN"}]', 'MARK:SYSTEM', 'MARK MARK', '\nMARK\n1'];
  for (const parse of Object.values(login) as ((raw: string) => unknown)[]) {
    for (const shape of shapes) {
      try {
        parse(shape);
      } catch (error) {
        expect(error).toBeInstanceOf(BrokenRule);
        expect((error as Error).message).not.toMatch(/mark/i);
      }
    }
  }
});
