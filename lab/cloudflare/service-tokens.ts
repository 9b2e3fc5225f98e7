import * as crypto from 'node:crypto';
import { parseDuration } from '../providers/go-duration';
import { hexId, type Account, type ServiceToken } from './account';
import { paged, Refusal } from './answer';
import { checked, flag, number, object, text } from './body';
import type { Route } from './route';

/** Credentials of machines for Access: `/accounts/:account/access/service_tokens`. */

const duration = text({ is: (value) => value === 'forever' || (parseDuration(value) ?? 0) > 0 });
const fields = {
  name: text({ max: 350 }),
  duration,
  enabled: flag,
  client_secret_version: number((value) => Number.isInteger(value) && value >= 1),
  previous_client_secret_expires_at: text({ is: (value) => !Number.isNaN(Date.parse(value)) }),
};
const creation = object(fields, ['name']);
const change = object(fields);
const words = (complaint: string) => `access.api.error.invalid_request: ${complaint}`;

const forever = new Date('9999-12-31T23:59:59Z');
const newSecret = () => crypto.randomBytes(32).toString('hex');

function until(account: Account, length: string): Date {
  return length === 'forever' ? forever : new Date(account.now().getTime() + (parseDuration(length) ?? 0) / 1e6);
}

/** Never with the secret: only the creator gets it, once, by `withSecret`. */
function shown({ id, clientId, name, duration: length, enabled, created, updated, expires }: ServiceToken): object {
  return { id, client_id: clientId, name, duration: length, enabled, created_at: created, updated_at: updated, expires_at: expires.toISOString() };
}

function withSecret(token: ServiceToken): object {
  return { ...shown(token), client_secret: token.secret };
}

function found(account: Account, id: string): ServiceToken {
  const token = account.serviceTokens.get(id);
  if (!token) {
    throw new Refusal(404, 12002, 'access.api.error.service_token_not_found');
  }
  return token;
}

function rotate(account: Account, token: ServiceToken, previousUntil: string | undefined): void {
  token.previous = { secret: token.secret, until: previousUntil === undefined ? account.now() : new Date(previousUntil) };
  token.secret = newSecret();
}

const path = '/accounts/:account/access/service_tokens';
const permission = 'serviceTokens';

export const serviceTokenRoutes: readonly Route[] = [
  {
    method: 'GET', path, permission,
    run: ({ account, query }) =>
      paged([...account.serviceTokens.values()].filter(({ name }) => query.get('name') === null || name === query.get('name')).map((token) => shown(token)), query),
  },
  {
    method: 'POST', path, permission,
    run: ({ account, body }) => {
      const given = checked(creation, body, 12130, words) as { name: string; duration?: string; enabled?: boolean; client_secret_version?: number };
      const length = given.duration ?? '8760h';
      const token: ServiceToken = {
        id: crypto.randomUUID(), clientId: `${hexId()}.access`, created: account.timestamp(), updated: account.timestamp(), name: given.name, duration: length, enabled: given.enabled ?? true,
        version: given.client_secret_version ?? 1, expires: until(account, length), secret: newSecret(), previous: undefined,
      };
      account.serviceTokens.set(token.id, token);
      return { status: 201, result: withSecret(token) };
    },
  },
  { method: 'GET', path: `${path}/:id`, permission, run: ({ account, id }) => ({ result: shown(found(account, id)) }) },
  {
    method: 'PUT', path: `${path}/:id`, permission,
    run: ({ account, id, body }) => {
      const token = found(account, id);
      const given = checked(change, body, 12130, words) as {
        name?: string; duration?: string; enabled?: boolean; client_secret_version?: number; previous_client_secret_expires_at?: string;
      };
      const { client_secret_version: version = token.version, previous_client_secret_expires_at: previousUntil } = given;
      if (given.duration !== undefined && given.duration !== token.duration) {
        Object.assign(token, { duration: given.duration, expires: until(account, given.duration) });
      }
      Object.assign(token, { name: given.name ?? token.name, enabled: given.enabled ?? token.enabled, updated: account.timestamp() });
      const rotated = version > token.version;
      if (rotated) {
        rotate(account, token, previousUntil);
        token.version = version;
      } else if (token.previous && previousUntil !== undefined) {
        token.previous.until = new Date(previousUntil);
      }
      return { result: (rotated ? withSecret : shown)(token) };
    },
  },
  {
    method: 'POST', path: `${path}/:id/rotate`, permission,
    run: ({ account, id }) => {
      const token = found(account, id);
      rotate(account, token, undefined);
      Object.assign(token, { version: token.version + 1, updated: account.timestamp() });
      return { result: withSecret(token) };
    },
  },
  {
    method: 'POST', path: `${path}/:id/refresh`, permission,
    run: ({ account, id }) => {
      const token = found(account, id);
      Object.assign(token, { expires: until(account, token.duration), updated: account.timestamp() });
      return { result: shown(token) };
    },
  },
  {
    method: 'DELETE', path: `${path}/:id`, permission,
    run: ({ account, id }) => {
      const token = found(account, id);
      const named = [...account.policies.values()].some(({ include, exclude, require }) =>
        [...include, ...exclude, ...require].some((rule) => rule['service_token']?.['token_id'] === id));
      if (named) {
        throw new Refusal(400, 12139, 'access.api.error.service_token_in_use: cannot delete service token because it is used by a policy, group, or app SCIM configuration.');
      }
      account.serviceTokens.delete(id);
      return { result: shown(token) };
    },
  },
];
