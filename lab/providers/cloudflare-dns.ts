import type { Cloudflare } from './cloudflare-client';
import { choices, flag, given, id, owner, required, resource, says, time } from './cloudflare-resource';
import { isEmpty, isRecord, unknown, type Props, type Value } from './fields';
import type { Resource } from './resource';

/** Records of a zone. */

const types = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'OPENPGPKEY', 'PTR', 'TXT', 'CAA', 'CERT', 'DNSKEY', 'DS', 'HTTPS', 'LOC', 'NAPTR', 'SMIMEA', 'SRV', 'SSHFP', 'SVCB', 'TLSA', 'URI'];
const setting = { type: 'bool', computed: true } as const;

/** Only CNAMEs have settings, and always all of them, whatever the API omits. */
function settled(props: Props): Props {
  const { settings = null } = props;
  return props['type'] === 'CNAME' && settings !== unknown
    ? { ...props, settings: { flattenCname: false, ipv4Only: false, ipv6Only: false, ...known(settings) } }
    : props;
}

function known(settings: Value): Props {
  return Object.fromEntries(Object.entries(isRecord(settings) ? settings : {}).filter(([, value]) => value !== unknown && value !== null));
}

/** A name or target that the API expands or writes differently has not changed. */
function plain(inputs: Props, prior: Props | null): Props {
  const [name, whole] = [inputs['name'], prior?.['name']].map((text) => (typeof text === 'string' ? text : ''));
  const same = whole !== '' && (name === '@' ? whole?.includes('.') : whole?.replace(/\.$/, '').startsWith(`${name?.replace(/\.$/, '')}.`));
  const [content, target] = [inputs['content'], prior?.['content']];
  const sameTarget = inputs['type'] === 'CNAME' && typeof content === 'string' && typeof target === 'string' && content.toLowerCase() === target.toLowerCase();
  return { ...inputs, ...(same ? { name: whole as string } : {}), ...(sameTarget ? { content: target } : {}) };
}

/** What the provider predicts of the values that the API sets. */
function foretold(planned: Props, prior: Props | null): Props {
  const told: Props = { ...planned };
  if (prior && told['settings'] === unknown) {
    told['settings'] = prior['settings'] ?? null;
  }
  if (prior && told['tags'] === unknown && isEmpty(prior['tags'])) {
    told['tags'] = prior['tags'] ?? null;
  }
  for (const [of, when] of [['comment', 'commentModifiedOn'], ['tags', 'tagsModifiedOn']] as const) {
    if (told[when] === unknown && told[of] !== unknown) {
      const same = prior !== null && JSON.stringify(prior[of] ?? null) === JSON.stringify(told[of] ?? null);
      told[when] = isEmpty(told[of]) ? null : same ? prior[when] ?? null : unknown;
    }
  }
  return settled(told);
}

export function dnsRecord(api: Cloudflare): Resource {
  return resource(api, {
    shape: {
      comment: given,
      commentModifiedOn: time,
      content: { type: 'string', computed: true },
      createdOn: { ...time, stays: true },
      id,
      includeShadowMetadata: { type: 'bool', address: true, computed: true, fallback: false },
      meta: { ...says, json: true, stays: true },
      modifiedOn: time,
      name: required,
      priority: { type: 'int' },
      privateRouting: flag,
      proxiable: { type: 'bool', output: true, stays: true },
      proxied: { type: 'bool', computed: true, fallback: false },
      settings: { type: 'object', computed: true, of: { flattenCname: setting, ipv4Only: setting, ipv6Only: setting } },
      tags: { type: 'set', computed: true },
      tagsModifiedOn: time,
      ttl: { type: 'int', required: true },
      type: { type: 'string', required: true, replaces: true },
      zoneId: owner,
    },
    place: (props) => `/zones/${String(props['zoneId'])}/dns_records`,
    imported: { format: '<zone_id>/<dns_record_id>', address: ['zoneId'] },
    change: 'PUT',
    validate: choices({ type: types }),
    plain,
    plan: foretold,
    // Later it is sent as it is, and the API makes of it what it does.
    send: (planned, fresh) => {
      if (fresh && planned['proxied'] === true && planned['ttl'] !== 1) {
        throw new Error('ttl must be set to 1 when `proxied` is true: When a DNS record is marked as `proxied` the TTL must be 1 as Cloudflare will control the TTL internally.');
      }
      return planned;
    },
    record: settled,
  });
}
