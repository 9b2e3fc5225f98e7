import * as oidc from '../../settings/oidc-parse';
import { quoting, ruleOf } from '../support/broken-rule';
import { rows } from '../support/rows';

const oneLine = 'it is one line of text, and not empty';

describe('oidcName', () => {
  rows([['oidc', 'oidc'], ['OKTA_2', 'okta_2'], ['token_1', 'token_1']])('%s is %s', (raw, name) => expect(oidc.oidcName(raw)).toBe(name));

  rows(['', 'a-b', 'a b', 'é', ' a'])("'%s'", (raw) => expect(ruleOf(oidc.oidcName, raw)).toBe('it is made of letters, digits and _'));
  rows(['authorize', 'token', 'revoke', 'register', 'consent', 'Token'])('%s', (raw) =>
    expect(ruleOf(oidc.oidcName, raw)).toBe('Phoenix has a page of that name below /oauth2'));
});

describe('oidcUrl', () => {
  rows([
    'https://oidc.example.com/.well-known/openid-configuration',
    'https://oidc.microsoftonline.com/x/v2.0/.well-known/openid-configuration?appid=1',
    'http://localhost:8080/realms/x/.well-known/openid-configuration',
    'http://127.0.0.1:8080/x',
    'http://[::1]:8080/x',
  ])('%s', (raw) => expect(oidc.oidcUrl(raw).href).toBe(raw));

  const https = 'Phoenix takes http:// from localhost only; the URL must begin with https://';
  rows([
    ['http://oidc.example.com/', https],
    ['http://127.0.0.2/', https],
    ['http://host.docker.internal:8080/', https],
    ['ftp://oidc.example.com', 'the URL must begin with http:// or https://'],
    ['https://a:b@oidc.example.com', 'a URL that holds a password would show it in previews and state'],
    ['login', 'it is not a URL; write http://host:port or https://host'],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(oidc.oidcUrl, raw)).toBe(rule));
});

describe('what a person is at the identity provider', () => {
  rows([
    ['offline_access groups', oidc.scopes, 'offline_access groups'],
    [' api://x/y ', oidc.scopes, 'api://x/y'],
    ['engineering, Site Reliability', oidc.groups, 'engineering,Site Reliability'],
    ['owner:ADMIN, Dev Ops : member,guest:Viewer', oidc.roleMapping, 'owner:ADMIN,Dev Ops : member,guest:Viewer'],
  ])('%s', (raw, parse, text) => expect(parse(raw)).toBe(text));

  rows([
    'groups', 'resource_access.phoenix.roles', '"cognito:groups"', 'resource_access."my-app".roles', 'teams[*].name', 'groups[-1]', 'groups[0:2]', '{a: b}',
    "'MEMBER'", 'a[?b==`1`]', "contains(groups[*], 'a:b') && 'ADMIN' || 'VIEWER'",
  ])('%s is a path', (raw) => expect(oidc.claimPath(raw)).toBe(raw));

  rows(['cognito:groups', 'https://example.com/groups', 'my-app.roles', 'a."b-c".d-e'])('%s is none', (raw) => {
    expect(ruleOf(oidc.claimPath, raw)).toBe('a name with a colon, slash or dash needs double quotes, as "cognito:groups" does');
  });

  rows(['owner', 'owner:', ':ADMIN', ' :ADMIN', 'owner:SYSTEM', 'owner:admins', 'a:b:ADMIN', 'owner:ADMIN,'])("'%s' gives no roles", (raw) => {
    expect(ruleOf(oidc.roleMapping, raw)).toBe('write TheirRole:ADMIN, TheirRole:MEMBER or TheirRole:VIEWER, with commas between');
  });

  rows(['a,,b', ','])("'%s' are no groups", (raw) => expect(ruleOf(oidc.groups, raw)).toBe('a name is empty; commas separate groups'));
  test('scopes have spaces between them', () => expect(ruleOf(oidc.scopes, 'a,b')).toBe('spaces separate scopes, and nothing else'));
  test('none is empty', () => {
    for (const parse of [oidc.scopes, oidc.groups, oidc.roleMapping, oidc.claimPath]) {
      expect(ruleOf(parse, ' ')).toBe(oneLine);
    }
  });
});

test('no rule quotes the value, which may be a secret', () => {
  const shapes = ['MARK', 'MARK,MARK', 'admin=MARK', 'http://MARK@host', 'MARK://host', 'https://host/MARK?', '["MARK"]', '[{"group_dn":"MARK","role":"ADMIN"}]', 'MARK:SYSTEM', 'MARK MARK', '\nMARK\n1'];
  expect(quoting(Object.values(oidc) as ((raw: string) => unknown)[], shapes)).toEqual([]);
});
