import * as crypto from 'node:crypto';
import type { Account } from './account';
import { paged, Refusal } from './answer';
import { checked, flag, isObject, list, number, object, text, type Check } from './body';
import { shownPolicy } from './policies';
import type { Route } from './route';

/** Access applications: `/accounts/:account/access/apps`. */

const link: Check = (value, path) =>
  typeof value === 'string' ? undefined : object({ id: text(), precedence: number((place) => Number.isInteger(place) && place >= 1) }, ['id'])(value, path);
const fields = object({
  type: text({ oneOf: ['self_hosted'] }),
  domain: text(),
  name: text(),
  session_duration: text({ is: (value) => /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(value) }),
  policies: list(link),
  self_hosted_domains: list(text()),
  destinations: list(object({ type: text({ oneOf: ['public'] }), uri: text() }, ['uri'])),
  allowed_idps: list(text()),
  tags: list(text()),
  custom_pages: list(text()),
  ...Object.fromEntries(['custom_deny_message', 'custom_deny_url', 'custom_non_identity_deny_url', 'logo_url', 'read_service_tokens_from_header', 'same_site_cookie_attribute'].map((key) => [key, text()])),
  ...Object.fromEntries([
    'allow_authenticate_via_warp', 'allow_iframe', 'app_launcher_visible', 'auto_redirect_to_identity', 'enable_binding_cookie', 'http_only_cookie_attribute',
    'options_preflight_bypass', 'path_cookie_attribute', 'service_auth_401_redirect', 'skip_interstitial',
  ].map((key) => [key, flag])),
}, ['type', 'domain']);

type Stored = Account['applications'] extends Map<string, infer A> ? A : never;

function shown(account: Account, application: Stored): object {
  const policies = application.policies.flatMap(({ id, precedence }) => {
    const policy = account.policies.get(id);
    return policy ? [{ ...shownPolicy(account, policy), precedence }] : [];
  });
  return { ...application, uid: application.id, policies };
}

function found(account: Account, id: string): Stored {
  const application = account.applications.get(id);
  if (!application) {
    throw new Refusal(404, 11021, 'access.api.error.unknown_application');
  }
  return application;
}

const invalid = (complaint: string) => `access.api.error.invalid_request: ${complaint}`;

function put(account: Account, body: unknown, before?: Stored): { result: object } {
  const given = checked(fields, body, 12130, invalid);
  const domain = given['domain'] as string;
  // One of the three gives the address, and the others follow.
  const uris = (given['destinations'] as { uri: string }[] | undefined)?.map(({ uri }) => uri) ?? (given['self_hosted_domains'] as string[] | undefined) ?? [domain];
  const foreign = uris.find((uri) => !account.zones.some(({ name }) => `.${uri.replace(/\/.*/, '')}`.endsWith(`.${name}`)));
  if (foreign !== undefined) {
    throw new Refusal(400, 12130, invalid(`domain ${foreign} does not belong to zone`));
  }
  const policies = ((given['policies'] ?? before?.policies ?? []) as (string | { id: string; precedence?: number })[]).map((policy, i) =>
    isObject(policy) ? { id: policy.id, precedence: policy.precedence ?? i + 1 } : { id: policy, precedence: i + 1 });
  if (policies.some(({ id }) => !account.policies.has(id)) || new Set(policies.map(({ precedence }) => precedence)).size < policies.length) {
    throw new Refusal(400, 12130, invalid('invalid policies'));
  }
  const stored = {
    name: domain, app_launcher_visible: true, http_only_cookie_attribute: true, session_duration: '24h', allowed_idps: [], tags: [],
    auto_redirect_to_identity: false, enable_binding_cookie: false, options_preflight_bypass: false, service_auth_401_redirect: false,
    ...given,
    domain,
    self_hosted_domains: uris,
    destinations: uris.map((uri) => ({ type: 'public', uri })),
    policies: policies.sort((a, b) => a.precedence - b.precedence),
    id: before?.id ?? crypto.randomUUID(),
    aud: before?.['aud'] ?? crypto.randomBytes(32).toString('hex'),
    created_at: before?.['created_at'] ?? account.timestamp(),
    updated_at: account.timestamp(),
  } as unknown as Stored;
  account.applications.set(stored.id, stored);
  return { result: shown(account, stored) };
}

const path = '/accounts/:account/access/apps';
const permission = 'access';

export const applicationRoutes: readonly Route[] = [
  {
    method: 'GET', path, permission,
    run: ({ account, query }) => {
      const [name, domain] = [query.get('name'), query.get('domain')];
      const applications = [...account.applications.values()].filter((application) =>
        (name === null || application['name'] === name) && (domain === null || application['domain'] === domain));
      return paged(applications.map((application) => shown(account, application)), query);
    },
  },
  { method: 'POST', path, permission, run: ({ account, body }) => ({ status: 201, ...put(account, body) }) },
  { method: 'GET', path: `${path}/:id`, permission, run: ({ account, id }) => ({ result: shown(account, found(account, id)) }) },
  { method: 'PUT', path: `${path}/:id`, permission, run: ({ account, id, body }) => put(account, body, found(account, id)) },
  {
    method: 'DELETE', path: `${path}/:id`, permission,
    run: ({ account, id }) => {
      account.applications.delete(found(account, id).id);
      return { status: 202, result: { id } };
    },
  },
];
