import * as docker from '@pulumi/docker';
import { Egress, egressConfig } from '../../components/egress';
import { deploy, type Deployment } from '../support/deployment';
import { expectGolden } from '../support/golden';

const owner = 'llm-observability/dev';
const several = [
  { host: 'api.example.com', port: 443, nameless: false }, { host: 'login.example.com', port: 443, nameless: false }, { host: 'host.docker.internal', port: 443, nameless: false },
  { host: 'dc2.example.com', port: 389, nameless: true }, { host: 'dc1.example.com', port: 389, nameless: true },
  { host: 'smtp.example.com', port: 587, nameless: true }, { host: 'host.docker.internal', port: 11434, nameless: false },
];
const one = [{ host: 'api.example.com', port: 443, nameless: false }];

const egress = (destinations = one): Promise<Deployment<Egress>> =>
  deploy(() => new Egress('phoenix-egress', { stack: 'dev', owner, network: new docker.Network('network', { name: 'observability-dev' }), image: 'nginx:1.30.6', destinations }));

describe('the configuration', () => {
  test('of one server', () => expectGolden('egress/one.conf', egressConfig(one)));

  test('names as long as they may be, many of them, and each word of nginx\'s as a part of one', () => {
    const text = egressConfig([{ host: `${'a.'.repeat(120)}example.com`, port: 443, nameless: false }, { host: 'default.example.com', port: 443, nameless: false }]);
    expect(text).toContain('map_hash_bucket_size 512;');
  });

  test('before version 1.27.3 nginx looks up the names of a group when it starts', () => {
    const group = (version?: string): string[] => egressConfig(several, version).split('\n').filter((line) => / dc\d|zone in-turn/.test(line)).map((line) => line.trim());
    expect(group('1.27.2')).toEqual(['server dc2.example.com:389;', 'server dc1.example.com:389 backup;']);
    const again = ['zone in-turn-389 64k;', 'server dc2.example.com:389 resolve;', 'server dc1.example.com:389 backup resolve;'];
    expect([group('1.27.3'), group('1.30.6'), group()]).toEqual([again, again, again]);
  });

  test('of several, some on the same port, some without a name, some on the Docker host', () => expectGolden('egress/several.conf', egressConfig(several)));
});

test('on the network with a way out alone, without a port on the host, for any port of a server', async () => {
  const { resources } = await egress();
  const server = resources.get('phoenix-egress-server');
  expect(server?.inputs).toMatchObject({
    name: 'phoenix-dev-egress',
    user: '101:101',
    networksAdvanced: [{ name: 'observability-dev', aliases: ['phoenix-egress'] }],
    ports: [],
    sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' },
    labels: [{ label: 'llm-observability.stack', value: owner }, { label: 'llm-observability.stack.config', value: expect.stringMatching(/^[0-9a-f]{64}$/) }],
  });
  expect(server?.dependsOn).toContain('phoenix-egress-config-files');
  expect(resources.get('phoenix-egress-config-files')?.inputs).toMatchObject({ uploads: [{ file: '/etc/egress/nginx.conf', content: egressConfig(one) }] });
});

test('it knows the Docker host only where that is a server to reach', async () => {
  expect((await egress()).resources.get('phoenix-egress-server')?.inputs).not.toHaveProperty('hosts');
  expect((await egress(several)).resources.get('phoenix-egress-server')?.inputs).toMatchObject({ hosts: [{ host: 'host.docker.internal', ip: 'host-gateway' }] });
});

test('in front of another one it has the names of servers on Phoenix\'s network', async () => {
  const { resources } = await deploy(() => new Egress('phoenix-database', {
    stack: 'dev', owner, network: new docker.Network('network', { name: 'observability-dev' }), image: 'nginx:1.30.6', destinations: [{ host: 'phoenix-egress', port: 5432, nameless: true }],
    front: { network: new docker.Network('store', { name: 'observability-dev-store' }), names: ['db.example.com'] },
  }));
  expect(resources.get('phoenix-database-server')?.inputs).toMatchObject({
    name: 'phoenix-dev-database',
    networksAdvanced: [{ name: 'observability-dev', aliases: [] }, { name: 'observability-dev-store', aliases: ['db.example.com'] }],
    ports: [],
  });
  expect(JSON.stringify(resources.get('phoenix-database-config-files')?.inputs)).toContain('default \\"phoenix-egress:5432\\";');
});
