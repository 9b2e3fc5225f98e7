import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine as Address } from '../../engine';
import { container } from './docker-container';
import { labels } from './docker-container-fields';
import { Engine, EngineError, untilRemoved } from './docker-engine';
import { localImage, remoteImage, repoDigest } from './docker-image';
import { isEmpty, isRecord, unknown, type Props, type Value } from './fields';
import { serve, type Provider, type Resource } from './serve';

/**
 * Stand-in for the docker provider plugin 5.2.0, for machines that cannot download the published one: the resources and
 * functions this project uses, over the Docker Engine API. Names, defaults, what replaces and what is recorded
 * are the published provider's, found by running both.
 */

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

const fixed = { replaces: true } as const;
const given = (props: Props, key: string) => (isEmpty(props[key]) || props[key] === unknown ? undefined : props[key]);
const pairs = (value: Value | undefined) => Object.fromEntries((Array.isArray(value) ? value : []).filter(isRecord).map(({ label, value: text }) => [label, text]));
const asLabels = (map: Record<string, string> | null) => Object.entries(map ?? {}).map(([label, value]) => ({ label, value }));
const asIpam = (config: Ipam[] | null) => (config ?? []).map(({ Subnet, IPRange, Gateway, AuxiliaryAddresses }) =>
  ({ subnet: Subnet ?? '', ipRange: IPRange ?? '', gateway: Gateway ?? '', auxAddress: AuxiliaryAddresses ?? {} }));

async function said<T>(prefix: string, work: Promise<T>): Promise<T> {
  return work.catch((error: Error) => {
    throw new Error(`${prefix}: ${error.message}`);
  });
}

function network(engine: Engine): Resource {
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
        // The published provider's client sends this too: two networks of one name would be a riddle.
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
      await untilRemoved('pending', async () => engine.raw('DELETE', `/networks/${id}`).then(() => true, (error: unknown) => {
        if (error instanceof EngineError && error.status === 404) {
          return true;
        }
        if (error instanceof Error && error.message.includes('has active endpoints')) {
          return false;
        }
        throw error;
      }));
    },
  };
}

interface Volume {
  Name: string;
  Labels: Record<string, string> | null;
  Driver: string;
  Options: Record<string, string> | null;
  Mountpoint: string;
}

function volume(engine: Engine): Resource {
  const read = (found: Volume) => ({
    id: found.Name,
    state: { name: found.Name, labels: asLabels(found.Labels), driver: found.Driver, driverOpts: found.Options, mountpoint: found.Mountpoint } satisfies Props,
  });
  return {
    shape: {
      // Swarm's cluster volumes: recorded, so that the state has the published provider's shape; refused in Check.
      cluster: { type: 'object', of: {} },
      driver: { type: 'string', computed: true, ...fixed },
      driverOpts: { type: 'map', ...fixed },
      labels,
      mountpoint: { type: 'string', output: true },
      name: { type: 'string', computed: true, ...fixed },
    },
    meta: '{"schema_version":"1"}',
    autoname: true,
    validate: (inputs) => (inputs['cluster'] ? { cluster: 'This needs the published docker provider; this stand-in of it makes local volumes' } : ({} as Record<string, string>)),
    async create(planned) {
      return read(await said('Unable to create volume', engine.call<Volume>('POST', '/volumes/create', {
        Name: given(planned, 'name') ?? '', Driver: given(planned, 'driver') ?? '', DriverOpts: planned['driverOpts'] ?? {}, Labels: pairs(planned['labels']),
      })));
    },
    async read(id) {
      const found = await said('Unable to inspect volume', engine.find<Volume>(`/volumes/${encodeURIComponent(id)}`));
      return found && read(found);
    },
    async delete(id) {
      await untilRemoved('in_use', async () => engine.raw('DELETE', `/volumes/${encodeURIComponent(id)}?force=1`).then(() => true, (error: unknown) => {
        if (error instanceof EngineError && error.status === 404) {
          return true;
        }
        if (error instanceof Error && error.message.includes('volume is in use')) {
          return false;
        }
        throw error;
      }));
    },
  };
}

/**
 * How the engine is reached; undefined where nothing names one. Variables count as they do in the published provider: those
 * with material only where the configuration has not even an empty text, DOCKER_CERT_PATH always, DOCKER_SSH_OPTS where the list is empty.
 */
function addressIn(config: Props, env: NodeJS.ProcessEnv): Address | undefined {
  const text = (key: string): string => (typeof config[key] === 'string' ? config[key] : '');
  const material = (key: string, variable: string): string => (key in config ? text(key) : env[variable] ?? '');
  const [ca, cert, key] = [material('caMaterial', 'DOCKER_CA_MATERIAL'), material('certMaterial', 'DOCKER_CERT_MATERIAL'), material('keyMaterial', 'DOCKER_KEY_MATERIAL')];
  const certPath = text('certPath') || env['DOCKER_CERT_PATH'] || '';
  if ([ca, cert, key].some((given) => given !== '')) {
    if (certPath !== '') {
      throw new Error('when using raw certificates, certPath must not be specified');
    }
    if ([ca, cert, key].includes('')) {
      throw new Error('certMaterial, keyMaterial, and caMaterial must all be specified');
    }
  }
  for (const file of certPath === '' ? [] : ['cert.pem', 'key.pem', 'ca.pem']) {
    if (!existsSync(join(certPath, file))) {
      throw new Error(file === 'ca.pem' ? `could not read CA certificate "${join(certPath, file)}"` : `could not load X509 key pair: open ${join(certPath, file)}: no such file or directory`);
    }
  }
  const host = text('host') || env['DOCKER_HOST'] || '';
  if (host === '') {
    return undefined;
  }
  const options = config['sshOpts'];
  const listed = (typeof options === 'string' && options !== '' ? JSON.parse(options) : options ?? []) as string[];
  const sshOpts = listed.length > 0 ? listed : env['DOCKER_SSH_OPTS']?.split(/\s+/).filter(Boolean) ?? [];
  const tls = certPath !== '' ? { certPath } : ca !== '' ? { ca, cert, key } : undefined;
  return { host, ...(tls ? { tls } : {}), ...(sshOpts.length > 0 ? { sshOpts } : {}) };
}

/** The provider; exported so that tests can call its methods without a process. */
export function docker(engine: Engine = new Engine()): Provider {
  return {
    version: '5.2.0',
    async configure(config) {
      const context = 'context' in config ? config['context'] : process.env['DOCKER_CONTEXT'];
      const refused = Object.entries({ registryAuth: config['registryAuth'], context }).flatMap(([key, value]) => (value === undefined || isEmpty(value) || value === '[]' ? [] : [key]));
      if (refused.length > 0) {
        throw new Error(`this stand-in of the docker provider does not know ${refused.map((key) => `docker:${key}`).join(', ')}: install the published plugin with \`pulumi plugin install resource docker 5.2.0\`, or unset it`);
      }
      engine.address = addressIn(config, process.env) ?? engine.address;
      await engine.configure();
    },
    resources: {
      'docker:index/container:Container': container(engine),
      'docker:index/network:Network': network(engine),
      'docker:index/remoteImage:RemoteImage': remoteImage(engine),
      'docker:index/volume:Volume': volume(engine),
    },
    invokes: {
      'docker:index/getNetwork:getNetwork': async ({ name }) => {
        const found = await said('Could not find docker network', engine.call<Network>('GET', `/networks/${encodeURIComponent(String(name))}`));
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
      },
      'docker:index/getRemoteImage:getRemoteImage': async ({ name }) => {
        const found = await localImage(engine, String(name));
        if (!found) {
          throw new Error(`did not find docker image '${String(name)}'`);
        }
        return { id: found.Id, name: String(name), repoDigest: repoDigest(String(name), found.RepoDigests) };
      },
    },
  };
}

if (require.main === module) {
  void serve(docker());
}
