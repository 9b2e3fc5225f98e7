/** Parsers for the settings of login by LDAP; what they refuse Phoenix would refuse, or ignore without a word. */
import { BrokenRule } from './broken-rule';
import { isRole } from './login-parse';
import { json, text } from './parse';

/** Distinguished name as ldap3, which Phoenix uses, reads it: stricter than RFC 4514 about spaces and #. */
const distinguishedName = (() => {
  const character = String.raw`(?:[^\\,+"<>;=#\s\0]|\\(?:[\\,+"<>;=#]|[0-9A-Fa-f]{2}))`;
  const part = `[A-Za-z][A-Za-z0-9-]*=${character}(?: *${character})*`;
  return new RegExp(`^${part}(?:[,+]${part})*$`);
})();

export function dn(raw: string): string {
  const name = raw.trim();
  if (!distinguishedName.test(name)) {
    throw new BrokenRule(noDn);
  }
  return name;
}

const noDn = 'a distinguished name is written as ou=users,dc=example,dc=com, without spaces around = and ,';

/** JSON array of distinguished names. */
export function dns(raw: string): readonly string[] {
  const list = jsonArray(raw);
  if (!list || !list.every((name) => typeof name === 'string')) {
    throw new BrokenRule('it is not a JSON array of texts; write ["ou=users,dc=example,dc=com"]');
  }
  // An empty name is the root of the directory.
  return list.map((name) => (name.trim() === '' ? '' : dn(name)));
}

export interface RoleOfGroup { readonly group_dn: string; readonly role: string }

/** JSON array that gives groups a role; the first that fits a person counts. */
export function rolesOfGroups(raw: string): readonly RoleOfGroup[] {
  const list = jsonArray(raw) as readonly Partial<RoleOfGroup>[] | undefined;
  if (!list || !list.every((mapping) => typeof mapping?.group_dn === 'string' && isRole(mapping.role))) {
    throw new BrokenRule('it is not a JSON array of objects with group_dn and the role ADMIN, MEMBER or VIEWER; write [{"group_dn":"*","role":"VIEWER"}]');
  }
  return list.map(({ group_dn = '', role = '' }) => ({
    group_dn: group_dn.trim() === '*' ? '*' : dn(group_dn),
    role: role.trim().toUpperCase(),
  }));
}

function jsonArray(raw: string): readonly unknown[] | undefined {
  const list = json(raw);
  return Array.isArray(list) && list.length > 0 ? list : undefined;
}

/** LDAP filter for the one who logs in. */
export function userFilter(raw: string): string {
  const filter = text(raw);
  if (!filter.includes('%s')) {
    throw new BrokenRule('it must contain %s, for the name that someone logs in with');
  }
  return filter;
}

/** Name of an LDAP attribute. */
export function attribute(raw: string): string {
  const name = text(raw);
  if (/\s/.test(name)) {
    throw new BrokenRule('the name of an attribute has no spaces');
  }
  if (name.toLowerCase() === 'null') {
    throw new BrokenRule('people without an e-mail address would need PHOENIX_LDAP_ATTR_UNIQUE_ID, for which there is no setting');
  }
  return name;
}
