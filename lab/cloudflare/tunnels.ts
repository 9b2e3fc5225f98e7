import * as crypto from 'node:crypto';
import type { Account, Configuration, Tunnel } from './account';
import { paged, Refusal } from './answer';
import { checked, flag, list, number, object, text } from './body';
import { misfit } from './ingress';
import type { Route } from './route';

/** Tunnels and their configurations: `/accounts/:account/cfd_tunnel`. */

const secret = text({ is: (value) => Buffer.from(value, 'base64').length >= 32 && Buffer.from(value, 'base64').toString('base64').replace(/=+$/, '') === value.replace(/=+$/, '') });
const change = object({ name: text(), tunnel_secret: secret });
const creation = object({ name: text(), config_src: text({ oneOf: ['local', 'cloudflare'] }), tunnel_secret: secret }, ['name']);

const seconds = number(Number.isInteger);
const originRequest = object({
  access: object({ audTag: list(text()), teamName: text(), required: flag }, ['audTag', 'teamName']),
  caPool: text(),
  connectTimeout: seconds,
  disableChunkedEncoding: flag,
  http2Origin: flag,
  httpHostHeader: text(),
  keepAliveConnections: seconds,
  keepAliveTimeout: seconds,
  matchSNItoHost: flag,
  noHappyEyeballs: flag,
  noTLSVerify: flag,
  originServerName: text(),
  proxyType: text(),
  tcpKeepAlive: seconds,
  tlsTimeout: seconds,
});
// The description lists `hostname` as required, which no catch-all rule could satisfy.
const rule = object({ hostname: text(), path: text(), service: text(), originRequest }, ['service']);
const configuration = object({ config: object({ ingress: list(rule), originRequest }) }, ['config']);

const path = '/accounts/:account/cfd_tunnel';
const permission = 'tunnel';

function shown(account: Account, tunnel: Tunnel): object {
  const { id, name, connections, configSrc } = tunnel;
  return {
    id,
    account_tag: account.id,
    created_at: tunnel.created,
    deleted_at: tunnel.deleted,
    name,
    // The list of connections is no longer filled: there is a separate endpoint for it.
    connections: [],
    conns_active_at: tunnel.activeSince,
    conns_inactive_at: tunnel.inactiveSince,
    tun_type: 'cfd_tunnel',
    metadata: {},
    status: connections > 0 ? 'healthy' : tunnel.inactiveSince ? 'down' : 'inactive',
    remote_config: configSrc === 'cloudflare',
    config_src: configSrc,
  };
}

function found(account: Account, id: string, alive = true): Tunnel {
  const tunnel = account.tunnels.get(id);
  if (!tunnel || (alive && tunnel.deleted !== null)) {
    throw new Refusal(404, 1003, 'Tunnel not found');
  }
  return tunnel;
}

function nameIsFree(account: Account, name: unknown, but?: Tunnel): void {
  if ([...account.tunnels.values()].some((tunnel) => tunnel !== but && tunnel.deleted === null && tunnel.name === name)) {
    throw new Refusal(409, 1013, 'You already have a tunnel with this name. Delete the existing tunnel, or choose a different name for your new tunnel');
  }
}

function configured(account: Account, tunnel: Tunnel, { version, created, config }: Configuration): object {
  return { tunnel_id: tunnel.id, version, config, source: tunnel.configSrc, created_at: created, account_id: account.id };
}

export const tunnelRoutes: readonly Route[] = [
  {
    method: 'GET', path, permission,
    run: ({ account, query }) => {
      const [name, deleted, uuid] = [query.get('name'), query.get('is_deleted'), query.get('uuid')];
      const tunnels = [...account.tunnels.values()].filter((tunnel) =>
        (name === null || tunnel.name === name) && (uuid === null || tunnel.id === uuid) && (deleted === null || (tunnel.deleted !== null) === (deleted === 'true')));
      return paged(tunnels.map((tunnel) => shown(account, tunnel)), query);
    },
  },
  {
    method: 'POST', path, permission,
    run: ({ account, body }) => {
      const { name, config_src = 'local', tunnel_secret = crypto.randomBytes(32).toString('base64') } = checked(creation, body, 1001) as Record<string, string>;
      nameIsFree(account, name);
      const tunnel: Tunnel = {
        id: crypto.randomUUID(), name: name as string, configSrc: config_src, secret: tunnel_secret, created: account.timestamp(), deleted: null,
        connections: 0, activeSince: null, inactiveSince: null,
      };
      account.tunnels.set(tunnel.id, tunnel);
      return { result: shown(account, tunnel) };
    },
  },
  // A deleted tunnel stays visible.
  { method: 'GET', path: `${path}/:id`, permission, run: ({ account, id }) => ({ result: shown(account, found(account, id, false)) }) },
  {
    method: 'PATCH', path: `${path}/:id`, permission,
    run: ({ account, id, body }) => {
      const tunnel = found(account, id);
      const { name = tunnel.name, tunnel_secret = tunnel.secret } = checked(change, body, 1001) as Record<string, string>;
      nameIsFree(account, name, tunnel);
      Object.assign(tunnel, { name, secret: tunnel_secret });
      return { result: shown(account, tunnel) };
    },
  },
  {
    method: 'DELETE', path: `${path}/:id`, permission,
    run: ({ account, id }) => {
      const tunnel = found(account, id, false);
      if (tunnel.connections > 0) {
        throw new Refusal(400, 1022, 'This tunnel has active connections. Please stop all cloudflared replicas, or wait a few minutes');
      }
      tunnel.deleted ??= account.timestamp();
      return { result: shown(account, tunnel) };
    },
  },
  // This token can run the tunnel: read permission is not enough.
  { method: 'GET', path: `${path}/:id/token`, permission, right: 'write', run: ({ account, id }) => ({ result: account.connectorToken(found(account, id)) }) },
  {
    method: 'GET', path: `${path}/:id/configurations`, permission,
    run: ({ account, id }) => {
      const tunnel = found(account, id);
      return { result: configured(account, tunnel, account.configurations.get(id) ?? { version: 0, created: tunnel.created, config: {} }) };
    },
  },
  {
    method: 'PUT', path: `${path}/:id/configurations`, permission,
    run: ({ account, id, body }) => {
      const tunnel = found(account, id);
      const { config } = checked(configuration, body, 1056, (complaint) => `Bad Configuration: ${complaint}`) as { config: Configuration['config'] };
      const wrong = misfit(config.ingress ?? []);
      if (wrong) {
        throw new Refusal(400, 1056, `Bad Configuration: Validation failed: ${wrong}`);
      }
      const next = { version: (account.configurations.get(id)?.version ?? 0) + 1, created: account.timestamp(), config };
      account.configurations.set(id, next);
      return { result: configured(account, tunnel, next) };
    },
  },
];
