import { routeOf } from '../../ops/support/route';
import { from } from '../../provider/container-reach';
import { here, type Reach } from '../../provider/reach';
import { setEnvironment } from '../support/environment';
import { adminSecret, outputs } from '../support/services';

jest.mock('../../provider/container-reach', () => ({ from: jest.fn() }));

const inside: Reach = { ask: async () => ({ status: 200, text: '' }), close: () => undefined };
beforeEach(() => {
  setEnvironment({ DOCKER_HOST: undefined });
  jest.mocked(from).mockReset().mockReturnValue(inside);
});

const published = { otlpHttp: 'http://10.0.0.5:4318', alloyUi: 'http://127.0.0.1:12345', phoenix: 'http://127.0.0.1:6006' };
const internal = { otlpHttp: 'http://alloy:4318', alloyUi: 'http://alloy:12345', phoenix: 'http://phoenix:6006' };
const deployed = (dockerHost: string | null): Parameters<typeof routeOf>[0] => outputs(published.otlpHttp, published.alloyUi, published.phoenix, dockerHost);

test.each<[string, string | null, string | undefined, string]>([
  ['the usual engine', null, undefined, 'unix:///var/run/docker.sock'],
  ['that of the environment', null, 'unix:///run/user/1000/docker.sock', 'unix:///run/user/1000/docker.sock'],
  ['that of the stack', 'unix:///other.sock', 'tcp://10.0.0.9:2375', 'unix:///other.sock'],
  ['that of Windows', 'npipe:////./pipe/docker_engine', undefined, 'npipe:////./pipe/docker_engine'],
])('an engine on this machine: as an application would, through what is published (%s)', (_, dockerHost, variable, engine) => {
  setEnvironment({ DOCKER_HOST: variable });
  const { reach, inside: within, ...rest } = routeOf(deployed(dockerHost), 'npm run up');
  expect(reach).toBe(here);
  expect(within).toBe(inside);
  expect(rest).toEqual({ engine, metrics: 'http://127.0.0.1:9090/metrics', endpoints: published, containers: deployed(null).containers, auth: false, adminSecret, redeploy: 'npm run up' });
  expect(jest.mocked(from).mock.calls).toEqual([[engine, 'phoenix-dev']]);
});

test.each<[string, string | null, string | undefined, string]>([
  ['over ssh', 'ssh://me@host', undefined, 'ssh://me@host'],
  ['over TCP', 'tcp://10.0.0.9:2375', 'unix:///other.sock', 'tcp://10.0.0.9:2375'],
  ['that of the environment', null, 'ssh://host', 'ssh://host'],
])('an engine on another machine: from inside the private network (%s)', (_, dockerHost, variable, engine) => {
  setEnvironment({ DOCKER_HOST: variable });
  const { reach, inside: within, ...rest } = routeOf({ ...deployed(dockerHost), auth: true }, 'npm run up -- --stack prod');
  expect([reach, within]).toEqual([inside, inside]);
  expect(rest).toEqual({ engine, metrics: 'http://127.0.0.1:9090/metrics', endpoints: internal, containers: deployed(null).containers, auth: true, adminSecret, redeploy: 'npm run up -- --stack prod' });
  expect(jest.mocked(from).mock.calls).toEqual([[engine, 'phoenix-dev']]);
});
