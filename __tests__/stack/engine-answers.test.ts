import { container, current, fakeEngine } from '../support/fake-engine';
import { inspect, inspectAt, own } from '../support/inspect-host';

// What runs on the machine of the test must not matter.
jest.mock('../../engine/host-ports', () => ({ ...jest.requireActual<object>('../../engine/host-ports'), isHeld: () => Promise.resolve(false) }));

describe('ports that the engine lists for the containers of the stack', () => {
  const both = [container('phoenix-dev', 6006, own), container('alloy-dev', 4318, own), container('phoenix-prod', 9000, { 'llm-observability.stack': 'llm-observability/prod' })];
  const phoenix = {
    Name: '/phoenix-dev',
    NetworkSettings: {
      Ports: {
        '4317/tcp': [{ HostIp: '127.0.0.1', HostPort: '14317' }],
        '6006/tcp': [{ HostIp: '127.0.0.1', HostPort: '14318' }, { HostIp: '127.0.0.1', HostPort: '6006' }],
        '9090/tcp': null,
      },
    },
  };
  const inOrder = [
    { internal: 4317, external: 14317, ip: '127.0.0.1' },
    { internal: 6006, external: 14318, ip: '127.0.0.1' },
    { internal: 6006, external: 6006, ip: '127.0.0.1' },
  ];

  test('come by container, in the order of the engine, and those of others are not asked for', async () => {
    const engine = await fakeEngine({
      ...current,
      '/containers/json': both,
      '/containers/phoenix-dev-id/json': phoenix,
      '/containers/alloy-dev-id/json': { Name: '/alloy-dev', NetworkSettings: { Ports: {} } },
    });
    expect(await inspectAt(engine.engine)).toMatchObject({ problems: [], listed: { 'phoenix-dev': inOrder, 'alloy-dev': [] } });
    expect(engine.requests.filter(({ url }) => url.includes('-id/')).map(({ url }) => url).sort()).toEqual([
      '/containers/alloy-dev-id/json', '/containers/phoenix-dev-id/json',
    ]);
  });

  test('a container that goes meanwhile lists nothing', async () => {
    const gone = { status: 404, body: '{"message":"No such container"}' };
    const answers = { '/containers/json': both, '/containers/phoenix-dev-id/json': phoenix, '/containers/alloy-dev-id/json': gone };
    expect(await inspect({}, answers)).toMatchObject({ problems: [], listed: { 'phoenix-dev': inOrder } });
  });
});
