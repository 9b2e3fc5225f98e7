import * as crypto from 'node:crypto';
import type { Account } from './account';
import { accessRules } from './access-rules';
import type { AccessRule } from './admission';
import { paged, Refusal } from './answer';
import { checked, flag, list, number, object, text, type Body } from './body';
import type { Route } from './route';

/** Reusable Access policies: `/accounts/:account/access/policies`. */

const fields = object({
  name: text(),
  decision: text({ oneOf: ['allow', 'deny', 'non_identity', 'bypass'] }),
  include: accessRules,
  exclude: accessRules,
  require: accessRules,
  session_duration: text(),
  approval_required: flag,
  approval_groups: list(object({ approvals_needed: number((value) => value >= 0), email_addresses: list(text()), email_list_uuid: text() }, ['approvals_needed'])),
  isolation_required: flag,
  purpose_justification_required: flag,
  purpose_justification_prompt: text(),
}, ['name', 'decision', 'include']);

type Stored = Account['policies'] extends Map<string, infer P> ? P : never;

export function shownPolicy(account: Account, policy: Stored): object {
  const users = [...account.applications.values()].filter(({ policies }) => policies.some(({ id }) => id === policy.id));
  return { ...policy, reusable: true, app_count: users.length };
}

function found(account: Account, id: string): Stored {
  const policy = account.policies.get(id);
  if (!policy) {
    throw new Refusal(404, 12130, 'access.api.error.unknown_policy');
  }
  return policy;
}

function put(account: Account, given: Body, before?: Stored): { result: object } {
  const policy = checked(fields, given, 12130, (complaint) => `access.api.error.invalid_request: ${complaint}`);
  for (const kind of ['include', 'exclude', 'require']) {
    const rules = (policy[kind] ?? []) as AccessRule[];
    if (rules.some(({ service_token: named }) => named && !account.serviceTokens.has(String(named['token_id'])))) {
      throw new Refusal(400, 12130, `access.api.error.invalid_request: invalid '${kind}' configuration`);
    }
  }
  const stored = {
    approval_required: false, isolation_required: false, purpose_justification_required: false, exclude: [], require: [],
    ...policy,
    id: before?.id ?? crypto.randomUUID(), created_at: before?.['created_at'] ?? account.timestamp(), updated_at: account.timestamp(),
  } as unknown as Stored;
  account.policies.set(stored.id, stored);
  return { result: shownPolicy(account, stored) };
}

const path = '/accounts/:account/access/policies';
const permission = 'access';

export const policyRoutes: readonly Route[] = [
  { method: 'GET', path, permission, run: ({ account, query }) => paged([...account.policies.values()].map((policy) => shownPolicy(account, policy)), query) },
  { method: 'POST', path, permission, run: ({ account, body }) => ({ status: 201, ...put(account, body as Body) }) },
  { method: 'GET', path: `${path}/:id`, permission, run: ({ account, id }) => ({ result: shownPolicy(account, found(account, id)) }) },
  { method: 'PUT', path: `${path}/:id`, permission, run: ({ account, id, body }) => put(account, body as Body, found(account, id)) },
  {
    method: 'DELETE', path: `${path}/:id`, permission,
    run: ({ account, id }) => {
      found(account, id);
      if ([...account.applications.values()].some(({ policies }) => policies.some((link) => link.id === id))) {
        throw new Refusal(400, 12130, 'access.api.error.invalid_request: the policy is used by an application');
      }
      account.policies.delete(id);
      return { status: 202, result: { id } };
    },
  },
];
