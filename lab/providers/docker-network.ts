import { labels } from './docker-container-fields';
import type { Engine } from './docker-engine';
import { asLabels, fixed, given, pairs, removed, said } from './docker-props';
import { isRecord, type Props } from './fields';
import type { Resource } from './resource';

interface Ipam {
  Subnet?: string;
  IPRange?: string;
  Gateway?: string;
  AuxiliaryAddresses?: Record<string, string>;
}

interface Network {
  Id: string;
  Name: string;
  Labels: Record<string, string> | null;
  Driver: string;
  Scope: string;
  Internal: boolean;
  Attachable: boolean;
  Ingress: boolean;
  EnableIPv6: boolean;
  Options: Record<string, string> | null;
  IPAM: { Driver: string; Options: Record<string, string> | null; Config: Ipam[] | null };
  Containers?: Record<string, { Name: string; EndpointID: string; MacAddress: string; IPv4Address: string; IPv6Address: string }>;
}

const asIpam = (config: Ipam[] | null) => (config ?? []).map(({ Subnet, IPRange, Gateway, AuxiliaryAddresses }) =>
  ({ subnet: Subnet ?? '', ipRange: IPRange ?? '', gateway: Gateway ?? '', auxAddress: AuxiliaryAddresses ?? {} }));

/** docker:index/network:Network */
export function network(engine: Engine): Resource {
  const read = (found: Network): Props => ({
    name: found.Name,
    labels: asLabels(found.Labels),
    driver: found.Driver,
    internal: found.Internal,
    attachable: found.Attachable,
    ingress: found.Ingress,
    ipv6: found.EnableIPv6,
    ipamDriver: found.IPAM.Driver,
    ipamOptions: found.IPAM.Options,
    scope: found.Scope,
    options: found.Options,
    ipamConfigs: asIpam(found.IPAM.Config),
  });
  return {
    shape: {
      attachable: { type: 'bool', ...fixed },
      driver: { type: 'string', computed: true, ...fixed },
      ingress: { type: 'bool', ...fixed },
      internal: { type: 'bool', computed: true, ...fixed },
      ipamConfigs: {
        type: 'set', computed: true, ...fixed,
        of: { auxAddress: { type: 'map', ...fixed }, gateway: { type: 'string', ...fixed }, ipRange: { type: 'string', ...fixed }, subnet: { type: 'string', ...fixed } },
      },
      ipamDriver: { type: 'string', fallback: 'default', ...fixed },
      ipamOptions: { type: 'map', ...fixed },
      ipv6: { type: 'bool', ...fixed },
      labels,
      name: { type: 'string', required: true, ...fixed },
      options: { type: 'map', computed: true, ...fixed },
      scope: { type: 'string', output: true },
    },
    meta: '{"schema_version":"1"}',
    autoname: true,
    async create(planned) {
      const config = Array.isArray(planned['ipamConfigs']) ? planned['ipamConfigs'].filter(isRecord) : [];
      const { Id } = await said('Unable to create network', engine.call<{ Id: string }>('POST', '/networks/create', {
        Name: planned['name'],
        // The published provider's client sends this too: two networks with the same name would be ambiguous.
        CheckDuplicate: true,
        Labels: pairs(planned['labels']),
        Driver: given(planned, 'driver') ?? '',
        Options: given(planned, 'options') ?? {},
        Internal: given(planned, 'internal') ?? false,
        Attachable: given(planned, 'attachable') ?? false,
        Ingress: given(planned, 'ingress') ?? false,
        EnableIPv6: given(planned, 'ipv6') ?? false,
        IPAM: {
          Driver: planned['ipamDriver'],
          Options: planned['ipamOptions'] ?? {},
          Config: config.map((c) => ({ Subnet: given(c, 'subnet'), IPRange: given(c, 'ipRange'), Gateway: given(c, 'gateway'), AuxiliaryAddresses: c['auxAddress'] ?? {} })),
        },
      }));
      return { id: Id, state: read(await engine.call<Network>('GET', `/networks/${Id}`)) };
    },
    async read(id) {
      const found = await engine.find<Network>(`/networks/${id}`);
      return found && { id, state: read(found) };
    },
    async delete(id) {
      await removed(engine, `/networks/${id}`, 'pending', 'has active endpoints');
    },
  };
}

/** docker:index/getNetwork:getNetwork */
export async function getNetwork(engine: Engine, name: string): Promise<Props> {
  const found = await said('Could not find docker network', engine.call<Network>('GET', `/networks/${encodeURIComponent(name)}`));
  return {
    id: found.Id,
    name: found.Name,
    scope: found.Scope,
    driver: found.Driver,
    options: found.Options ?? {},
    internal: found.Internal,
    ipamConfigs: asIpam(found.IPAM.Config),
    containers: Object.entries(found.Containers ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, c]) =>
      ({ containerId: id, name: c.Name, endpointId: c.EndpointID, macAddress: c.MacAddress, ipv4Address: c.IPv4Address, ipv6Address: c.IPv6Address })),
  };
}
