import * as ldap from '../../settings/ldap-parse';
import { quoting, ruleOf } from '../support/broken-rule';
import { rows } from '../support/rows';

const oneLine = 'it is one line of text, and not empty';

describe('LDAP', () => {
  const noDn = 'a distinguished name is written as ou=users,dc=example,dc=com, without spaces around = and ,';

  // As ldap3's parse_dn has it; the rule was held against it with 400,000 random texts.
  const right = ['ou=users', 'OU=Users,DC=corp,DC=com', 'CN=Phoenix Admins,OU=Groups,DC=corp', "cn=J. O'Neil (ext)\\, jr,ou=p/q", 'ou=x+cn=y,dc=z', 'ou=Bücher', 'cn=\\20a\\2C', 'a-1=x'];
  const wrong = ['users', 'ou', 'ou=', '=x', 'ou=a,', 'ou=a,b', 'ou=a, dc=b', 'ou =a', 'ou= a', '1a=x', 'o_u=x', 'ou=a;dc=b', 'ou=a=b', 'ou=a#b', 'ou="a"', 'ou=a\\x', 'ou=<a>'];

  rows(right)('%s is a distinguished name', (raw) => {
    expect(ldap.dn(` ${raw} `)).toBe(raw);
    expect(ldap.dns(JSON.stringify([raw, '']))).toEqual([raw, '']);
    expect(ldap.rolesOfGroups(JSON.stringify([{ group_dn: raw, role: 'admin' }]))).toEqual([{ group_dn: raw, role: 'ADMIN' }]);
  });

  rows(wrong)("'%s' is none", (raw) => {
    expect(ruleOf(ldap.dn, raw)).toBe(noDn);
    expect(ruleOf(ldap.dns, JSON.stringify([raw]))).toBe(noDn);
    expect(ruleOf(ldap.rolesOfGroups, JSON.stringify([{ group_dn: raw, role: 'ADMIN' }]))).toBe(noDn);
  });

  test('a group needs a name, a place to search does not', () => {
    expect(ldap.dns('[""]')).toEqual(['']);
    expect(ruleOf(ldap.dn, '')).toBe(noDn);
    expect(ruleOf(ldap.rolesOfGroups, '[{"group_dn":" ","role":"ADMIN"}]')).toBe(noDn);
  });

  rows(['', 'ou=users', '[]', '{}', 'null', '"ou=users"', '[1]', '[null]', '["ou=users"'])("'%s' is no array of texts", (raw) => {
    expect(ruleOf(ldap.dns, raw)).toBe('it is not a JSON array of texts; write ["ou=users,dc=example,dc=com"]');
  });

  test('roles in their order, everybody as *', () => {
    expect(ldap.rolesOfGroups('[{"group_dn":"cn=a","role":"Admin"},{"group_dn":" * ","role":" viewer ","note":1}]')).toEqual([
      { group_dn: 'cn=a', role: 'ADMIN' },
      { group_dn: '*', role: 'VIEWER' },
    ]);
  });

  rows(['', '*', '[]', '{}', '[null]', '["*"]', '[{"group_dn":"*"}]', '[{"role":"ADMIN"}]', '[{"group_dn":1,"role":"ADMIN"}]', '[{"group_dn":"*","role":1}]', '[{"group_dn":"*","role":"SYSTEM"}]'])(
    "'%s' gives no roles",
    (raw) =>
      expect(ruleOf(ldap.rolesOfGroups, raw)).toBe(
        'it is not a JSON array of objects with group_dn and the role ADMIN, MEMBER or VIEWER; write [{"group_dn":"*","role":"VIEWER"}]',
      ),
  );

  test('a filter has a place for the name, an attribute is one word', () => {
    expect(ldap.userFilter(' (&(objectClass=user)(uid=%s)) ')).toBe('(&(objectClass=user)(uid=%s))');
    expect(ruleOf(ldap.userFilter, '(uid=name)')).toBe('it must contain %s, for the name that someone logs in with');
    expect(ruleOf(ldap.userFilter, '')).toBe(oneLine);
    expect(ldap.attribute('userPrincipalName')).toBe('userPrincipalName');
    expect(ruleOf(ldap.attribute, 'e mail')).toBe('the name of an attribute has no spaces');
    expect(ruleOf(ldap.attribute, '')).toBe(oneLine);
  });

  rows(['null', 'NULL'])('%s is what Phoenix calls no address', (raw) => {
    expect(ruleOf(ldap.attribute, raw)).toBe('people without an e-mail address would need PHOENIX_LDAP_ATTR_UNIQUE_ID, for which there is no setting');
  });
});

test('no rule quotes the value, which may be a secret', () => {
  const shapes = ['MARK', 'MARK,MARK', 'admin=MARK', 'http://MARK@host', 'MARK://host', 'https://host/MARK?', '["MARK"]', '[{"group_dn":"MARK","role":"ADMIN"}]', 'MARK:SYSTEM', 'MARK MARK', '\nMARK\n1'];
  expect(quoting(Object.values(ldap) as ((raw: string) => unknown)[], shapes)).toEqual([]);
});
