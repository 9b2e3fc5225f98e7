import type * as http from 'node:http';
import { text } from 'node:stream/consumers';
import type { Account, ApiToken } from './account';
import { Refusal, wrapped, type Answer } from './answer';
import { applicationRoutes } from './applications';
import type { Fault } from './faults';
import { policyRoutes } from './policies';
import type { Route } from './route';
import { serviceTokenRoutes } from './service-tokens';
import { tunnelRoutes } from './tunnels';
import { zoneRoutes } from './zones';

/**
 * Stand-in for the part of Cloudflare's API v4 that publishes services through a tunnel: its paths, its validation of bodies,
 * its responses and refusals, as in the published description. What that leaves open is as observed.
 */
export function api(account: Account): http.RequestListener {
  return (request, response) => {
    void text(request).then((sent) => {
      const { status, body } = answer(account, request, sent);
      const later = status === 408 || status === 409 || status === 429 || status >= 500 ? { 'retry-after-ms': String(account.retryAfterMs) } : {};
      response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...later }).end(JSON.stringify(body));
    }, () => response.destroy());
  };
}

const base = '/client/v4';

function answer(account: Account, request: http.IncomingMessage, text: string): { status: number; body: object } {
  const method = request.method ?? 'GET';
  const url = new URL(request.url ?? '/', 'http://localhost');
  let body: unknown;
  let wellFormed = true;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch {
    wellFormed = false;
  }
  const asked = { method, path: `${url.pathname.replace(base, '')}${url.search}`, ...(body === undefined ? {} : { body }) };
  account.requests.push(asked);
  const fault = account.faults.hit(asked);
  if (fault && !fault.carriedOut) {
    return wrapped(refusal(fault));
  }
  try {
    if (!url.pathname.startsWith(`${base}/`)) {
      throw new Refusal(404, 7000, 'No route for that URI');
    }
    const token = authenticated(account, request.headers.authorization);
    if (!wellFormed) {
      throw new Refusal(400, 6007, 'Malformed JSON in request body');
    }
    const done = wrapped(routed(account, token, method, url, body));
    return fault ? wrapped(refusal(fault)) : done;
  } catch (error) {
    if (error instanceof Refusal) {
      return wrapped(fault ? refusal(fault) : error);
    }
    throw error;
  }
}

function refusal({ status, code = 1101, message = 'The request failed' }: Fault): Refusal {
  return new Refusal(status, code, message);
}

function authenticated(account: Account, header: string | undefined): ApiToken {
  if (header === undefined) {
    throw new Refusal(400, 9106, 'Missing X-Auth-Key, X-Auth-Email or Authorization headers');
  }
  const value = /^Bearer ([\w-]{40,80})$/.exec(header)?.[1];
  if (value === undefined) {
    throw new Refusal(400, 6003, 'Invalid request headers', { code: 6111, message: 'Invalid format for Authorization header' });
  }
  const token = account.apiToken(value);
  if (!token) {
    throw new Refusal(401, 1000, 'Invalid API Token');
  }
  return token;
}

const verified = ({ id, status }: ApiToken): Answer =>
  ({ result: { id, status }, ...(status === 'active' ? { message: { code: 10000, message: 'This API Token is valid and active' } } : {}) });

const routes: readonly (Route & { readonly pattern: RegExp })[] = [...zoneRoutes, ...tunnelRoutes, ...serviceTokenRoutes, ...policyRoutes, ...applicationRoutes, {
  method: 'GET' as const, path: '/accounts/:account',
  run: ({ account }: { account: Account }) => ({ result: { id: account.id, name: account.name, type: 'standard', settings: { enforce_twofactor: false }, created_on: account.created } }),
}].map((route) => ({ ...route, pattern: new RegExp(`^${route.path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`) }));

function routed(account: Account, token: ApiToken, method: string, url: URL, body: unknown): Answer {
  const path = url.pathname.slice(base.length);
  const owner = path === '/user/tokens/verify' ? 'user' : path === `/accounts/${account.id}/tokens/verify` ? 'account' : undefined;
  if (owner && method === 'GET') {
    if (token.owner !== owner) {
      throw new Refusal(401, 1000, 'Invalid API Token');
    }
    return verified(token);
  }
  if (token.status !== 'active') {
    throw new Refusal(401, 1000, 'Invalid API Token');
  }
  const found = routes.find((route) => route.method === method && route.pattern.test(path));
  if (!found) {
    throw new Refusal(404, 7003, `Could not route to ${path}, perhaps your object identifier is invalid?`, { code: 7000, message: 'No route for that URI' });
  }
  const { account: accountId, zone: zoneId = '', id = '' } = found.pattern.exec(path)?.groups ?? {};
  if (accountId !== undefined && accountId !== account.id) {
    throw new Refusal(403, 10000, 'Authentication error');
  }
  const call = { account, id, zoneId, query: url.searchParams, body };
  if (path === '/zones') {
    // A token that may see no zone is not refused: it gets an empty list.
    return token.rights.zone ? found.run(call) : found.run({ ...call, query: new URLSearchParams({ 'account.id': '' }) });
  }
  const { permission, right = method === 'GET' ? 'read' : 'write' } = found;
  if (permission && (token.rights[permission] === undefined || (right === 'write' && token.rights[permission] === 'read'))) {
    throw new Refusal(403, 10000, 'Authentication error');
  }
  if (zoneId !== '' && !account.zones.some((zone) => zone.id === zoneId)) {
    throw new Refusal(404, 7003, `Could not route to ${path}, perhaps your object identifier is invalid?`);
  }
  return found.run(call);
}
