import { readSettings } from '../../../settings/settings';
import { isOn, likeness, type Inspected } from '../../../ops/support/adopt/containers';
import { handOver } from '../../../ops/support/adopt/handover';
import { from } from '../../../provider/container-reach';
import { fakeContainer, fakeDocker, type FakeContainer, type FakeDocker } from '../../support/fake-docker';
import { listen } from '../../support/said';
import { runningAlloy, seedPorts } from './given';

jest.mock('../../../provider/container-reach', () => ({ from: jest.fn() }));

const rehearsal = { 4317: 4417, 4318: 4418, 12345: 12445 };
const made = (over: Parameters<typeof fakeContainer>[1] = {}): FakeContainer => fakeContainer('alloy-dev', { ports: rehearsal, network: 'observability-dev', address: '127.0.0.1', ...over });
const next = (status: string): FakeContainer => fakeContainer('alloy-dev-next', { ports: seedPorts.alloy, network: 'observability-dev', status });

/** The stack's Alloy answers each request for spans with the next of these, then with 200. */
function listening(...statuses: number[]): jest.Mock {
  const ask = jest.fn(async () => ({ status: statuses.shift() ?? 200, text: '' }));
  jest.mocked(from).mockReturnValue({ ask, close: () => undefined } as never);
  return ask;
}

const run = ({ engine }: FakeDocker): Promise<number | undefined> => handOver({
  engine, settings: readSettings({}, 'llm-observability').settings, old: 'grafana-alloy',
  outputs: { containers: { phoenix: 'phoenix-dev', alloy: 'alloy-dev', gate: 'phoenix-dev-gate' }, internal: { otlpHttp: 'http://alloy:4318', alloyUi: '', phoenix: '' } },
});
const steps = ({ changes }: FakeDocker): string[] => changes.map((change) => change.replace(/ \{.*/s, ''));
/** Name, state and host ports of each container. */
const standing = ({ containers }: FakeDocker): string[] => [...containers.values()].map(({ Name, State, HostConfig }) =>
  [Name.slice(1), State.Status, ...Object.values(HostConfig.PortBindings).flat().map(({ HostPort }) => HostPort)].join(' ')).sort();
const after = ['alloy-dev running 4317 4318 12345', 'grafana-alloy exited 4317 4318 12345'];

describe('handOver', () => {
  test('all that takes time is done before the old one stops, or after the new one listens', async () => {
    const docker = await fakeDocker([runningAlloy(), made()]);
    const ask = listening(0, 503);
    expect(await run(docker)).toBeGreaterThanOrEqual(0);
    expect(steps(docker)).toEqual([
      'POST /containers/create?name=alloy-dev-next',
      'POST /containers/alloy-dev/stop?t=30',
      'POST /containers/grafana-alloy/stop?t=30',
      'POST /containers/alloy-dev-next/start',
      'DELETE /containers/alloy-dev?force=1',
      'POST /containers/alloy-dev-next/rename?name=alloy-dev',
    ]);
    expect(standing(docker)).toEqual(after);
    // By the gate, on the private network.
    expect(jest.mocked(from)).toHaveBeenCalledWith(docker.engine, 'phoenix-dev-gate', 'bash');
    expect(ask.mock.calls).toEqual(Array.from({ length: 3 }, () => ['http://alloy:4318/v1/traces', expect.objectContaining({ method: 'POST' })]));
  });

  test('an old one that starts with the engine, whatever happens, no longer does', async () => {
    const docker = await fakeDocker([runningAlloy({ restart: 'always' }), made()]);
    listening();
    await run(docker);
    expect(docker.containers.get('grafana-alloy')?.HostConfig.RestartPolicy).toEqual({ Name: 'unless-stopped' });
  });

  test.each<[string, FakeContainer[]]>([
    ['before anything was stopped', [runningAlloy(), made(), next('created')]],
    ['after the old one was', [runningAlloy({ status: 'exited' }), made({ status: 'exited' }), next('created')]],
    ['after the new one was started', [runningAlloy({ status: 'exited' }), made({ status: 'exited' }), next('running')]],
    ['before the new one had the name', [runningAlloy({ status: 'exited' }), next('running')]],
    ['at its end', [runningAlloy({ status: 'exited' }), made({ ports: seedPorts.alloy })]],
    ['at its end, and then everything was stopped', [runningAlloy({ status: 'exited' }), made({ ports: seedPorts.alloy, status: 'exited' })]],
  ])('cut off %s, it ends as if it had not been', async (_, containers) => {
    const docker = await fakeDocker(containers);
    listening();
    await run(docker);
    expect(standing(docker)).toEqual(after);
  });

  test('made in an earlier run: there is no time to tell', async () => {
    listening();
    expect(await run(await fakeDocker([runningAlloy({ status: 'exited' }), made({ ports: seedPorts.alloy })]))).toBeUndefined();
    expect(await run(await fakeDocker([runningAlloy({ status: 'exited' }), made(), next('running')]))).toBeUndefined();
  });

  test('the new one cannot be started: the old one is at work again', async () => {
    const docker = await fakeDocker([runningAlloy(), made()]);
    listening();
    docker.answers['POST /containers/alloy-dev-next/start'] = { status: 500, message: 'port is already allocated' };
    const said = listen();
    await expect(run(docker)).rejects.toThrow('Container alloy-dev-next could not be started: port is already allocated.\n    docker inspect alloy-dev-next');
    expect(said).toEqual(["The stack's Alloy does not listen; starting grafana-alloy again"]);
    expect(standing(docker)).toContain('grafana-alloy running 4317 4318 12345');
  });

  test('somebody has removed it: the old one is stopped, and the deployment makes another', async () => {
    const docker = await fakeDocker([runningAlloy()]);
    expect(await run(docker)).toBeUndefined();
    expect(standing(docker)).toEqual(['grafana-alloy exited 4317 4318 12345']);
  });
});

describe('likeness', () => {
  const inspected: Inspected = {
    Id: '0123456789abcdef', State: { Running: true },
    Config: { Image: 'grafana/alloy:1', Env: ['A=b'], Labels: { 'llm-observability.stack': 'x/dev' }, Hostname: '0123456789ab' },
    HostConfig: { Memory: 7, PortBindings: { '4317/tcp': [{ HostIp: '127.0.0.1', HostPort: '4417' }, { HostIp: '172.17.0.1', HostPort: '4417' }], '9/udp': [{ HostIp: '', HostPort: '10' }] } },
    NetworkSettings: { Networks: { 'observability-dev': { Aliases: ['alloy', '0123456789ab'] }, other: { Aliases: null } } },
  };

  test('the same in everything but its ports and its ID', () => {
    expect(JSON.parse(JSON.stringify(likeness(inspected, { 4317: 4317, 4318: 4318 })))).toEqual({
      Image: 'grafana/alloy:1', Env: ['A=b'], Labels: { 'llm-observability.stack': 'x/dev' },
      HostConfig: { Memory: 7, PortBindings: { '4317/tcp': [{ HostIp: '127.0.0.1', HostPort: '4317' }, { HostIp: '172.17.0.1', HostPort: '4317' }], '9/udp': [{ HostIp: '', HostPort: '10' }] } },
      NetworkingConfig: { EndpointsConfig: { 'observability-dev': { Aliases: ['alloy'] }, other: { Aliases: [] } } },
    });
  });

  test('a container is on ports when all of its own are among them', () => {
    expect(isOn(inspected, { 4317: 4417, 9: 10 })).toBe(true);
    expect(isOn(inspected, { 4317: 4417 })).toBe(false);
    expect(isOn(inspected, { 4317: 4317, 9: 10 })).toBe(false);
  });
});
