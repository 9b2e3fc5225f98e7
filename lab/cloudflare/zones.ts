import { hexId, type Account, type DnsRecord, type Zone } from './account';
import { paged, Refusal } from './answer';
import { checked, flag, list, number, object, text, type Body } from './body';
import type { Route } from './route';

/** Zones, which can only be listed, and their records. */

const types = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'OPENPGPKEY', 'PTR', 'TXT'];
const settings = object({ flatten_cname: flag, ipv4_only: flag, ipv6_only: flag });
const fields = {
  name: text({ max: 255 }),
  type: text({ oneOf: types }),
  content: text(),
  proxied: flag,
  ttl: number((value) => value === 1 || (value >= 30 && value <= 86400)),
  comment: text({ max: 100 }),
  tags: list(text()),
  priority: number((value) => value >= 0 && value <= 65535),
  private_routing: flag,
  settings,
};
const whole = object(fields, ['name', 'type', 'content']);
const part = object(fields);

function shownZone(account: Account, { id, name, created }: Zone): object {
  return {
    id,
    name,
    status: 'active',
    paused: false,
    type: 'full',
    development_mode: 0,
    name_servers: ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'],
    original_name_servers: null,
    original_registrar: null,
    original_dnshost: null,
    created_on: created,
    modified_on: created,
    activated_on: created,
    meta: { step: 4, custom_certificate_quota: 0, page_rule_quota: 3, phishing_detected: false },
    owner: { id: account.id, name: account.name, type: 'organization' },
    account: { id: account.id, name: account.name },
    permissions: ['#zone:read'],
    plan: {
      id: '0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee', name: 'Free Website', price: 0, currency: 'USD', frequency: '',
      is_subscribed: true, can_subscribe: false, legacy_id: 'free', legacy_discount: false, externally_managed: false,
    },
  };
}

function shownRecord({ id, type, name, content, proxied, created, shown }: DnsRecord): object {
  return { id, name, type, content, proxiable: ['A', 'AAAA', 'CNAME'].includes(type), proxied, ...shown, created_on: created };
}

/** A name that is not the zone's own or below it is treated as the part before it, `@` as nothing. */
function wholeName(name: string, zone: Zone): string {
  const lower = name.toLowerCase().replace(/\.$/, '');
  return lower === '@' || lower === zone.name ? zone.name : lower.endsWith(`.${zone.name}`) ? lower : `${lower}.${zone.name}`;
}

function recordOf(account: Account, zoneId: string, body: Body, before?: DnsRecord): DnsRecord {
  const zone = account.zones.find(({ id }) => id === zoneId) as Zone;
  const { name, type, content, proxied = false, ttl = 1, comment, tags = [], settings: given = {}, ...rest } = body as Record<string, string> & Body;
  const now = account.timestamp();
  const record: DnsRecord = {
    id: before?.id ?? hexId(),
    zoneId,
    type: type as string,
    name: wholeName(name as string, zone),
    content: content as string,
    proxied: proxied as boolean,
    created: before?.created ?? now,
    shown: {
      ttl: proxied ? 1 : ttl,
      // CNAMEs that are not proxied have none.
      ...(type === 'CNAME' && proxied ? { settings: given } : {}),
      meta: {},
      comment: comment || null,
      tags,
      ...(rest['priority'] === undefined ? {} : { priority: rest['priority'] }),
      modified_on: now,
      ...(comment ? { comment_modified_on: comment === before?.shown['comment'] ? before?.shown['comment_modified_on'] : now } : {}),
      ...(tags.length > 0 ? { tags_modified_on: now } : {}),
    },
  };
  nameIsFree([...account.records.values()].filter((other) => other !== before && other.zoneId === zoneId && other.name === record.name), record);
  return record;
}

/** A CNAME excludes all other records that lead to an address; other records must only not be identical. */
function nameIsFree(others: readonly DnsRecord[], { type, content }: DnsRecord): void {
  const more = 'For more details, refer to <https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>.';
  if (type === 'CNAME' && others.some((other) => ['A', 'AAAA', 'CNAME'].includes(other.type))) {
    throw new Refusal(400, 81053, `An A, AAAA, or CNAME record with that host already exists. ${more}`);
  }
  if (['A', 'AAAA'].includes(type) && others.some((other) => other.type === 'CNAME')) {
    throw new Refusal(400, 81054, `A CNAME record with that host already exists. ${more}`);
  }
  if (others.some((other) => other.type === type && other.content === content)) {
    throw new Refusal(400, 81058, 'An identical record already exists.');
  }
}

function found(account: Account, zoneId: string, id: string): DnsRecord {
  const record = account.records.get(id);
  if (record?.zoneId !== zoneId) {
    throw new Refusal(404, 81044, 'Record does not exist.');
  }
  return record;
}

function put(account: Account, record: DnsRecord): { result: object } {
  account.records.set(record.id, record);
  return { result: shownRecord(record) };
}

const path = '/zones/:zone/dns_records';
const permission = 'dns';
const valid = (check: typeof whole, body: unknown) => checked(check, body, 1004, (complaint) => `DNS Validation Error: ${complaint}`);

export const zoneRoutes: readonly Route[] = [
  {
    method: 'GET', path: '/zones',
    run: ({ account, query }) => {
      const [name, accountId, accountName] = [query.get('name'), query.get('account.id'), query.get('account.name')];
      const zones = account.zones.filter((zone) =>
        (name === null || zone.name === name) && (accountId === null || accountId === account.id) && (accountName === null || accountName === account.name));
      return paged(zones.map((zone) => shownZone(account, zone)), query);
    },
  },
  { method: 'GET', path: '/zones/:zone', permission: 'zone', run: ({ account, zoneId }) => ({ result: shownZone(account, account.zones.find(({ id }) => id === zoneId) as Zone) }) },
  {
    method: 'GET', path, permission,
    run: ({ account, zoneId, query }) => {
      const wanted = (key: string) => query.get(key) ?? query.get(`${key}.exact`);
      const [name, type, content] = [wanted('name')?.toLowerCase(), query.get('type'), wanted('content')];
      const records = [...account.records.values()].filter((record) =>
        record.zoneId === zoneId && (name === undefined || record.name === name) && (type === null || record.type === type) && (content === null || record.content === content));
      return paged(records.map(shownRecord), query, 100);
    },
  },
  { method: 'POST', path, permission, run: ({ account, zoneId, body }) => put(account, recordOf(account, zoneId, valid(whole, body))) },
  { method: 'GET', path: `${path}/:id`, permission, run: ({ account, zoneId, id }) => ({ result: shownRecord(found(account, zoneId, id)) }) },
  {
    method: 'PUT', path: `${path}/:id`, permission,
    run: ({ account, zoneId, id, body }) => {
      const before = found(account, zoneId, id);
      return put(account, recordOf(account, zoneId, valid(whole, body), before));
    },
  },
  {
    method: 'PATCH', path: `${path}/:id`, permission,
    run: ({ account, zoneId, id, body }) => {
      const before = found(account, zoneId, id);
      const { name, type, content, proxied, shown } = before;
      const kept = Object.fromEntries(Object.entries(shown).filter(([key, value]) => key in fields && value !== null));
      return put(account, recordOf(account, zoneId, { name, type, content, proxied, ...kept, ...valid(part, body) }, before));
    },
  },
  {
    method: 'DELETE', path: `${path}/:id`, permission,
    run: ({ account, zoneId, id }) => {
      account.records.delete(found(account, zoneId, id).id);
      return { result: { id } };
    },
  },
];
