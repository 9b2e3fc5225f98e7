import { accessApplication, accessPolicy, serviceToken } from './cloudflare-access';
import { Cloudflare } from './cloudflare-client';
import { dnsRecord } from './cloudflare-dns';
import { failing, time } from './cloudflare-resource';
import { tunnel, tunnelConfig } from './cloudflare-tunnel';
import { fromAnswer, type ApiField, type ApiShape } from './cloudflare-json';
import { isEmpty, isRecord, unknown, type Props, type Value } from './fields';
import { present } from './framework';
import type { Provider } from './resource';
import { serve } from './serve';

/**
 * Stand-in for the cloudflare provider plugin 6.22.1, for machines that cannot download the published one: the resources and
 * functions this project uses, over Cloudflare's API. Requests, recorded state, replacements and retries are those of the
 * published provider, according to its source.
 */

const text: ApiField = { type: 'string' };
const texts: ApiField = { type: 'list' };
const some = (type: ApiField['type'], ...names: string[]): ApiShape => Object.fromEntries(names.map((name) => [name, { type }]));

const zoneShape: ApiShape = {
  activatedOn: time,
  createdOn: time,
  modifiedOn: time,
  ...some('string', 'cnameSuffix', 'id', 'name', 'originalDnshost', 'originalRegistrar', 'status', 'type', 'verificationKey'),
  account: { type: 'object', of: { id: text, name: text } },
  developmentMode: { type: 'int' },
  meta: { type: 'object', of: { ...some('bool', 'cdnOnly', 'dnsOnly', 'foundationDns', 'phishingDetected'), ...some('int', 'customCertificateQuota', 'pageRuleQuota', 'step') } },
  nameServers: texts,
  originalNameServers: texts,
  owner: { type: 'object', of: { id: text, name: text, type: text } },
  paused: { type: 'bool' },
  permissions: texts,
  plan: { type: 'object', of: { ...some('bool', 'canSubscribe', 'externallyManaged', 'isSubscribed', 'legacyDiscount'), ...some('string', 'currency', 'frequency', 'id', 'legacyId', 'name'), price: { type: 'int' } } },
  tenant: { type: 'object', of: { id: text, name: text } },
  tenantUnit: { type: 'object', of: { id: text } },
  vanityNameServers: texts,
};

/** The filter as the published client writes it: keys in order, nested ones with a dot. */
function query(filter: Props): string {
  const pairs = (value: Props, prefix: string): [string, string][] => Object.entries(value).flatMap(([key, one]): [string, string][] =>
    (isRecord(one) ? pairs(one, `${prefix}${key}.`) : isEmpty(one) ? [] : (Array.isArray(one) ? one : [one]).map((item): [string, string] => [`${prefix}${key === 'types' ? 'type' : key}`, String(item)])));
  return new URLSearchParams(pairs(filter, '').sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))).toString();
}

async function zone(api: Cloudflare, { filter = null, zoneId = null }: Props): Promise<Props> {
  let id: Value = zoneId;
  if (isRecord(filter)) {
    const found = await failing(api.ask<{ id: string }[]>('GET', `/zones?${query(filter)}`));
    if (found.length !== 1) {
      throw new Error(`failed to find exactly one result: ${found.length} found`);
    }
    id = found[0]?.id ?? null;
  }
  if (isEmpty(id)) {
    throw new Error('Invalid zone configuration: empty or null zone ID: zone_id resolved to an empty or null value.');
  }
  const shown = fromAnswer(zoneShape, await failing(api.ask('GET', `/zones/${String(id)}`)));
  return present({ ...shown, id, zoneId: id, filter });
}

const known = ['apiToken', 'baseUrl', 'version', 'pluginDownloadURL'];

/** The provider; exported so that tests can call its methods without a process. */
export function cloudflare(api: Cloudflare = new Cloudflare()): Provider {
  return {
    version: '6.22.1',
    configure(config) {
      const refused = Object.keys(config).filter((key) => !known.includes(key) && !isEmpty(config[key]));
      if (refused.length > 0) {
        throw new Error(`this stand-in of the cloudflare provider does not know ${refused.map((key) => `cloudflare:${key}`).join(', ')}: install the published plugin with \`pulumi plugin install resource cloudflare 6.22.1\`, or unset it`);
      }
      const { apiToken = null, baseUrl = null } = config;
      if (typeof apiToken === 'string' && apiToken !== unknown && !/^[0-9A-Za-z\-_]{40,80}$/.test(apiToken)) {
        throw new Error('could not validate provider configuration: Invalid Attribute Value. Attribute api_token API tokens must only contain characters a-z, A-Z, 0-9, hyphens and underscores. Check `pulumi config get cloudflare:apiToken`.');
      }
      const set = (value: Value, name: string): string | undefined => (typeof value === 'string' && value !== unknown ? value : process.env[name]);
      api.token = set(apiToken, 'CLOUDFLARE_API_TOKEN');
      api.baseUrl = set(baseUrl, 'CLOUDFLARE_BASE_URL') ?? api.baseUrl;
    },
    resources: {
      'cloudflare:index/dnsRecord:DnsRecord': dnsRecord(api),
      'cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication': accessApplication(api),
      'cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy': accessPolicy(api),
      'cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken': serviceToken(api),
      'cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared': tunnel(api),
      'cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig': tunnelConfig(api),
    },
    invokes: {
      'cloudflare:index/getZone:getZone': (args) => zone(api, args),
      'cloudflare:index/getZeroTrustTunnelCloudflaredToken:getZeroTrustTunnelCloudflaredToken': async ({ accountId = null, tunnelId = null }) => ({
        accountId, tunnelId, token: await failing(api.ask<string>('GET', `/accounts/${String(accountId)}/cfd_tunnel/${String(tunnelId)}/token`)),
      }),
    },
  };
}

if (require.main === module) {
  void serve(cloudflare());
}
