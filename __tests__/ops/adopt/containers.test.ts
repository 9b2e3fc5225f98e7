import { Containers } from '../../../ops/support/adopt/containers';
import { fakeContainer, fakeDocker } from '../../support/fake-docker';

test('a container is taken off its networks and put back with its aliases, as often as somebody asks', async () => {
  const docker = await fakeDocker([fakeContainer('phoenix-1')]);
  const containers = new Containers(docker.engine);
  const networks = await containers.networks('phoenix-1');
  // What stands for its ID is not its own.
  expect(networks).toEqual({ seed_default: ['phoenix'] });
  await containers.disconnect('phoenix-1', networks);
  expect(await containers.networks('phoenix-1')).toEqual({});
  await containers.disconnect('phoenix-1', networks);
  await containers.connect('phoenix-1', networks);
  await containers.connect('phoenix-1', networks);
  expect(await containers.networks('phoenix-1')).toEqual(networks);
  expect(docker.changes).toHaveLength(2);
});

test("on Docker's own bridge it has no alias", async () => {
  const docker = await fakeDocker([fakeContainer('phoenix-1', { network: 'bridge' })]);
  const containers = new Containers(docker.engine);
  const networks = await containers.networks('phoenix-1');
  await containers.disconnect('phoenix-1', networks);
  await containers.connect('phoenix-1', networks);
  expect(docker.changes.at(-1)).toBe('POST /networks/bridge/connect {"Container":"phoenix-1","EndpointConfig":{}}');
});
