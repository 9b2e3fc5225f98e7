import type { Cloudflare } from './cloudflare-client';
import { afterwards, fromAnswer, toBody, type ApiField, type ApiShape } from './cloudflare-json';
import { choices, failing, flag, given, id, owner, reading, required, resource, says, shared, time } from './cloudflare-resource';
import type { Props } from './fields';
import type { Resource } from './resource';

/** Tunnels, and their rules. */

const place = (props: Props) => `/accounts/${String(props['accountId'])}/cfd_tunnel`;
const imported = { format: '<account_id>/<tunnel_id>', address: ['accountId'] };

const connection: ApiShape = {
  clientId: says, clientVersion: says, coloName: says, id: says, isPendingReconnect: { type: 'bool', output: true }, openedAt: time, originIp: says, uuid: says,
};

export function tunnel(api: Cloudflare): Resource {
  return resource(api, {
    shape: {
      accountId: owner,
      accountTag: says,
      configSrc: { type: 'string', computed: true, fallback: 'local', replaces: true },
      connections: { type: 'list', of: connection, output: true },
      connsActiveAt: time,
      connsInactiveAt: time,
      createdAt: time,
      deletedAt: time,
      id,
      metadata: { ...says, json: true },
      name: required,
      remoteConfig: { type: 'bool', output: true },
      status: says,
      tunType: says,
      tunnelSecret: { type: 'string', secret: true, untold: true },
    },
    place,
    imported,
    change: 'PATCH',
    validate: choices({ configSrc: ['local', 'cloudflare'] }),
    // As with the published one, a drift does not show, nor does the deletion of the tunnel.
    record: (told, before) => ({ ...told, configSrc: before['configSrc'] ?? told['configSrc'] ?? null }),
  });
}

const seconds: ApiField = { type: 'int' };
const camel = (fields: Readonly<Record<string, ApiField>>): ApiShape => Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, { api: name, ...field }]));

const originRequest: ApiField = {
  type: 'object',
  api: 'originRequest',
  of: camel({
    access: { type: 'object', of: camel({ audTags: { type: 'list', required: true, api: 'audTag' }, required: flag, teamName: required }) },
    caPool: given,
    connectTimeout: seconds,
    disableChunkedEncoding: flag,
    http2Origin: flag,
    httpHostHeader: given,
    keepAliveConnections: seconds,
    keepAliveTimeout: seconds,
    matchSnItoHost: { ...flag, api: 'matchSNItoHost' },
    noHappyEyeballs: flag,
    noTlsVerify: { ...flag, api: 'noTLSVerify' },
    originServerName: given,
    proxyType: given,
    tcpKeepAlive: seconds,
    tlsTimeout: seconds,
  }),
};

const configShape: ApiShape = {
  accountId: owner,
  config: {
    type: 'object',
    computed: true,
    of: { ingresses: { type: 'list', api: 'ingress', of: { hostname: given, originRequest, path: given, service: required } }, originRequest },
  },
  createdAt: time,
  id: { ...id, address: true, replaces: true },
  source: { type: 'string', computed: true },
  tunnelId: owner,
  version: { type: 'int', output: true },
};

/** Each tunnel has one from the start: it is only ever changed, and never deleted. */
export function tunnelConfig(api: Cloudflare): Resource {
  const at = (props: Props) => `${place(props)}/${String(props['tunnelId'])}/configurations`;
  const record = (told: Props) => ({ ...told, id: told['tunnelId'] ?? null });
  const put = async (planned: Props, old: Props): Promise<Props> =>
    record(afterwards(configShape, planned, fromAnswer(configShape, await failing(api.ask('PUT', at(planned), toBody(configShape, planned, old))))));
  return {
    ...shared({ shape: configShape, imported, validate: choices({ source: ['local', 'cloudflare'] }) }),
    create: async (planned) => ({ id: planned['tunnelId'] as string, state: await put(planned, {}) }),
    read: (thing, state) => reading({ shape: configShape, imported }, thing, state, (tunnelId, props) => api.find(at({ tunnelId, ...props })), (told) => record({ ...told, tunnelId: thing.split('/').at(-1) ?? '' })),
    update: (_, old, planned) => put(planned, old),
    delete: async () => undefined,
  };
}
