import type { CloudflareAccountInputs } from '../components/observability-contract';
import { unknownSecret } from '../settings/setting';
import type { Problem } from '../settings/problem';
import { CloudflareApi } from './cloudflare-api';
import type { Kind } from './resource';

export interface CloudflareAccountOutputs extends CloudflareAccountInputs {
  readonly zoneId: string;
}

interface Zone {
  readonly id: string;
  readonly name: string;
  readonly account: { readonly id: string };
}

/** IDs of nothing: deleting them changes nothing, whatever the permissions. */
const noUuid = '00000000-0000-0000-0000-000000000000';
const noHexId = '0'.repeat(32);

const tokensPage = 'dash.cloudflare.com/profile/api-tokens';

/**
 * A Cloudflare account as a stack needs it, checked before anything is created: the token and its permissions, the zone, and
 * that nobody else uses the names. A preview only reads; a deployment also tests whether the token may write.
 */
export const cloudflareAccount = (apiOf: (inputs: CloudflareAccountInputs) => CloudflareApi = overTheNetwork): Kind<CloudflareAccountInputs, CloudflareAccountOutputs> => {
  const settle = async (inputs: CloudflareAccountInputs): Promise<CloudflareAccountOutputs> => {
    const api = apiOf(inputs);
    const listed = await api.get<Zone[]>(`/zones?name=${inputs.zone}`);
    const zone = ours(listed.result, inputs);
    if (!zone) {
      throw new Error(listed.result ? `Cloudflare no longer shows the zone ${inputs.zone}` : `the Cloudflare API at ${inputs.baseUrl} does not answer (${listed.message || listed.status})`);
    }
    const missing = await unwritable(api, inputs, zone.id);
    if (missing.length > 0) {
      throw new Error(`${lacks(missing).rule}.\n    pulumi config set --secret cloudflare:apiToken`);
    }
    return { ...inputs, zoneId: zone.id };
  };
  return {
    // A preview without a token reports by itself what it could not check.
    check: (inputs, before) => (tokenOf(inputs) === unknownSecret ? Promise.resolve([]) : problemsOf(apiOf(inputs), inputs, before)),
    create: settle,
    update: (_, inputs) => settle(inputs),
  };
};

const tokenOf = ({ apiToken }: CloudflareAccountInputs): string => apiToken || (process.env['CLOUDFLARE_API_TOKEN'] ?? '');

function overTheNetwork(inputs: CloudflareAccountInputs): CloudflareApi {
  return new CloudflareApi(inputs.baseUrl, tokenOf(inputs));
}

/** @param before what the stack has already: those names are its own */
async function problemsOf(api: CloudflareApi, inputs: CloudflareAccountInputs, before: CloudflareAccountInputs | undefined): Promise<Problem[]> {
  const { accountId, zone: name } = inputs;
  const invalid = await invalidToken(api, accountId);
  if (invalid && isDown(invalid.status)) {
    return notAnswering(inputs, before, invalid.message);
  }
  if (invalid) {
    return [{ key: 'cloudflare:apiToken', rule: `Cloudflare does not take it: ${invalid.message}; create a new one at ${tokensPage}`, mend: ['pulumi config set --secret cloudflare:apiToken'] }];
  }

  const listed = await api.get<Zone[]>(`/zones?name=${name}`);
  if (isDown(listed.status)) {
    return notAnswering(inputs, before, listed.message || `it answers ${listed.status}`);
  }
  const zone = ours(listed.result, inputs) ?? listed.result?.find((one) => one.name === name);
  if (zone && zone.account.id !== accountId) {
    return [{
      key: 'cloudflare:accountId',
      value: accountId,
      rule: `the zone ${name} is in the account ${zone.account.id}`,
      mend: [`pulumi config set cloudflare:accountId ${zone.account.id}`],
    }];
  }
  const visible = zone ? [] : (await api.get<Zone[]>('/zones?per_page=50')).result ?? [];
  const missing = [...(zone || visible.length > 0 ? [] : [permissions.zone]), ...(await unreadable(api, inputs, zone?.id))];
  return [
    ...(missing.length > 0 ? [lacks(missing)] : []),
    ...(zone || visible.length === 0 ? [] : [notInAccount(name, visible.filter(({ account }) => account.id === accountId).map((one) => one.name))]),
    ...(await taken(api, inputs, before, zone?.id)),
  ];
}

/** Why a token is invalid; undefined if it is valid. User tokens and account tokens are verified at different endpoints. */
async function invalidToken(api: CloudflareApi, accountId: string): Promise<{ status: number; message: string } | undefined> {
  const own = await api.get<{ status: string }>('/user/tokens/verify');
  const answer = isDown(own.status) || own.result ? own : await api.get<{ status: string }>(`/accounts/${accountId}/tokens/verify`);
  if (!answer.result) {
    return { status: answer.status, message: own.message || answer.message || `it answers ${answer.status}` };
  }
  return answer.result.status === 'active' ? undefined : { status: 401, message: `the token is ${answer.result.status}` };
}

/** Whether a response does not answer the question. */
const isDown = (status: number): boolean => status === 0 || status === 429 || status >= 500;

function notAnswering({ baseUrl }: CloudflareAccountInputs, before: CloudflareAccountInputs | undefined, message: string): Problem[] {
  const reason = `the Cloudflare API at ${baseUrl} does not answer (${message})`;
  if (before) {
    // Existing resources keep working without it.
    console.error(`${reason}; whether the account still has what the tunnel needs is not known.`);
    return [];
  }
  return [{ key: 'cloudflare:baseUrl', rule: reason, mend: [`curl ${baseUrl}/user/tokens/verify`] }];
}

const permissions = {
  tunnel: 'Cloudflare Tunnel Write',
  dns: 'DNS Write',
  zone: 'Zone Read',
  access: 'Access: Apps and Policies Write',
  serviceTokens: 'Access: Service Tokens Write',
} as const;

function lacks(missing: readonly string[]): Problem {
  return {
    key: 'cloudflare:apiToken',
    rule: `the API token lacks ${missing.length === 1 ? 'the permission' : 'the permissions'} ${missing.join(', ')} (of the account and zone of this stack); add them at ${tokensPage}; the token stays the same`,
    mend: ['pulumi config set --secret cloudflare:apiToken'],
  };
}

/** Where each permission shows: a path below which it grants access, and an ID that exists nowhere. */
function places({ accountId, access, serviceTokens }: CloudflareAccountInputs, zoneId: string | undefined): { permission: string; path: string; nothing: string }[] {
  const account = `/accounts/${accountId}`;
  return [
    { permission: permissions.tunnel, path: `${account}/cfd_tunnel`, nothing: noUuid },
    ...(zoneId === undefined ? [] : [{ permission: permissions.dns, path: `/zones/${zoneId}/dns_records`, nothing: noHexId }]),
    ...(access ? [{ permission: permissions.access, path: `${account}/access/apps`, nothing: noUuid }, { permission: permissions.access, path: `${account}/access/policies`, nothing: noUuid }] : []),
    ...(serviceTokens ? [{ permission: permissions.serviceTokens, path: `${account}/access/service_tokens`, nothing: noUuid }] : []),
  ];
}

async function unreadable(api: CloudflareApi, inputs: CloudflareAccountInputs, zoneId: string | undefined): Promise<string[]> {
  const asked = await Promise.all(places(inputs, zoneId).map(async ({ permission, path }) => {
    const { status } = await api.get(`${path}?per_page=1`);
    return status === 401 || status === 403 ? [permission] : [];
  }));
  return [...new Set(asked.flat())];
}

async function unwritable(api: CloudflareApi, inputs: CloudflareAccountInputs, zoneId: string): Promise<string[]> {
  const asked = await Promise.all(places(inputs, zoneId).map(async ({ permission, path, nothing }) => ((await api.mayWrite(path, nothing)) ? [] : [permission])));
  return [...new Set(asked.flat())];
}

function notInAccount(name: string, others: readonly string[]): Problem {
  return {
    key: 'tunnel:zone',
    value: name,
    rule: `the account has no such zone that the API token may read${others.length > 0 ? `, only ${others.slice(0, 5).join(', ')}${others.length > 5 ? ' and more' : ''}` : ''}`,
    mend: [`pulumi config set tunnel:zone ${others[0] ?? 'example.com'}`],
  };
}

/** Names of the stack that somebody else uses. */
async function taken(api: CloudflareApi, { accountId, tunnel, hostnames }: CloudflareAccountInputs, before: CloudflareAccountInputs | undefined, zoneId: string | undefined): Promise<Problem[]> {
  const own = before?.accountId === accountId ? before : undefined;
  const [tunnels, records] = await Promise.all([
    own?.tunnel === tunnel ? [] : api.get<{ id: string; name: string }[]>(`/accounts/${accountId}/cfd_tunnel?name=${tunnel}&is_deleted=false`).then(({ result }) => result ?? []),
    Promise.all(hostnames.filter(({ hostname }) => zoneId !== undefined && !own?.hostnames.some((one) => one.hostname === hostname)).map(async ({ hostname, setting }) => {
      const { result } = await api.get<{ name: string; type: string; content: string }[]>(`/zones/${zoneId}/dns_records?name.exact=${hostname}`);
      return (result ?? []).filter(({ name, type }) => name === hostname && ['A', 'AAAA', 'CNAME'].includes(type)).slice(0, 1).map((record) => ({ ...record, setting }));
    })),
  ]);
  const other = tunnels.find(({ name }) => name === tunnel);
  return [
    ...(other
      ? [{ key: 'tunnel:name', value: tunnel, rule: `the account has a tunnel of that name already (${other.id}), which this stack did not create`, mend: [`pulumi config set tunnel:name ${tunnel}-2`] }]
      : []),
    ...records.flat().map(({ name, type, content, setting }) => ({
      key: setting,
      value: name,
      rule: `the zone has a record of that name already (${type} ${content}), which this stack did not create; remove it at dash.cloudflare.com, or choose a different hostname`,
      mend: [`pulumi config set ${setting} ${name.replace('.', '-2.')}${setting === 'tunnel:routes' ? '=http://SERVICE:PORT' : ''}`],
    })),
  ];
}

function ours(zones: readonly Zone[] | undefined, { accountId, zone }: CloudflareAccountInputs): Zone | undefined {
  return zones?.find(({ name, account }) => name === zone && account.id === accountId);
}
