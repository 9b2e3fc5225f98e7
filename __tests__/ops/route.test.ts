import { at, type Engine } from '../../engine';
import type { EdgeOutputs, Outputs } from '../../ops/support/outputs';
import { routeOf } from '../../ops/support/route';
import { from } from '../../provider/container-reach';
import { here, type Reach } from '../../provider/reach';
import { setEnvironment } from '../support/environment';
import { adminSecret, outputs } from '../support/services';

jest.mock('../../provider/container-reach', () => ({ from: jest.fn() }));

const inside: Reach = { ask: async () => ({ status: 200, text: '' }), close: () => undefined };
beforeEach(() => {
  setEnvironment({ DOCKER_HOST: undefined, HOME: '/nowhere', XDG_RUNTIME_DIR: undefined, COLIMA_HOME: undefined, XDG_CONFIG_HOME: undefined });
  jest.mocked(from).mockReset().mockReturnValue(inside);
});

const published = { otlpHttp: 'http://10.0.0.5:4318', alloyUi: 'http://127.0.0.1:12345', phoenix: 'http://127.0.0.1:6006' };
const internal = { otlpHttp: 'http://alloy:4318', alloyUi: 'http://alloy:12345', phoenix: 'http://phoenix:6006' };
const deployed = (dockerHost: string | null): Outputs => outputs(published.otlpHttp, published.alloyUi, published.phoenix, dockerHost);

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
  expect(rest).toEqual({ engine: at(engine), metrics: 'http://phoenix-server:9090/metrics', endpoints: published, containers: deployed(null).containers, headers: {}, redeploy: 'npm run up' });
  expect(jest.mocked(from).mock.calls).toEqual([[at(engine), 'phoenix-dev-gate', 'bash']]);
});

test.each<[string, string | null, string | undefined, string]>([
  ['over ssh', 'ssh://me@host', undefined, 'ssh://me@host'],
  ['over TCP', 'tcp://10.0.0.9:2375', 'unix:///other.sock', 'tcp://10.0.0.9:2375'],
  ['that of the environment', null, 'ssh://host', 'ssh://host'],
])('an engine on another machine: from inside the private network (%s)', (_, dockerHost, variable, engine) => {
  setEnvironment({ DOCKER_HOST: variable });
  const { reach, inside: within, ...rest } = routeOf({ ...deployed(dockerHost), auth: true }, 'npm run up -- --stack prod');
  expect([reach, within]).toEqual([inside, inside]);
  expect(rest).toEqual({ engine: at(engine), metrics: 'http://phoenix-server:9090/metrics', endpoints: internal, containers: deployed(null).containers, headers: { authorization: `Bearer ${adminSecret}` }, redeploy: 'npm run up -- --stack prod' });
  expect(jest.mocked(from).mock.calls).toEqual([[at(engine), 'phoenix-dev-gate', 'bash']]);
});

test.each(['otlpHttp', 'otlpGrpc', 'phoenixUi'] as const)('an engine on this machine where %s takes TLS, for names of other machines: from inside', (name) => {
  const stack = deployed('unix:///other.sock');
  const { reach, endpoints } = routeOf({ ...stack, endpoints: { ...stack.endpoints, [name]: stack.endpoints[name].replace('http:', 'https:') } }, 'npm run up');
  expect([reach, endpoints]).toEqual([inside, internal]);
});

test('an engine on this machine where Alloy asks for a token, which on 0.0.0.0 it does on loopback, too: from inside', () => {
  const { reach, endpoints, headers } = routeOf({ ...deployed('unix:///other.sock'), otlpToken: 'the-token' }, 'npm run up');
  expect([reach, endpoints, headers]).toEqual([inside, internal, {}]);
});

test('a stack of the first version, where it is not clear which engine is meant: none in its place', () => {
  setEnvironment({ DOCKER_CONTEXT: 'missing' });
  expect(() => routeOf(deployed(null), 'npm run up')).toThrow(/^DOCKER_CONTEXT is 'missing': there is no docker context of that name in .*\n {4}docker context ls\n/);
});

test.each<[string, Engine]>([
  ['on this machine', { host: 'unix:///run/user/1000/docker.sock' }],
  ['with certificates', { host: 'tcp://10.0.0.9:2376', tls: { ca: 'a', cert: 'c', key: 'k' } }],
  ['with options of ssh', { host: 'ssh://host', sshOpts: ['-i', '/key'] }],
])('a stack that says how its engine is reached is believed, whatever this shell uses (%s)', (_, engine) => {
  setEnvironment({ DOCKER_HOST: 'unix:///other.sock' });
  const route = routeOf({ ...deployed(engine.host), engine }, 'npm run up');
  expect([route.engine, route.reach === here]).toEqual([engine, engine.host.startsWith('unix:')]);
  expect(jest.mocked(from).mock.calls).toEqual([[engine, 'phoenix-dev-gate', 'bash']]);
});

describe('a stack at the edge', () => {
  const edge = (dockerHost: string | null): EdgeOutputs => ({
    endpoints: { otlpHttp: published.otlpHttp, otlpGrpc: 'http://10.0.0.5:4317', alloyUi: published.alloyUi },
    internal: { otlpHttp: 'http://alloy:4318', alloyUi: 'http://alloy:12345', phoenix: 'http://central-gate:4318' },
    central: { stack: 'prod', hostname: 'otlp.example.com', sendTo: 'alloy', token: 'edge' },
    alloyPage: { user: 'alloy', password: 'the-password-of-the-page' },
    reader: { 'cf-access-client-id': 'id', 'cf-access-client-secret': 's3cret', authorization: 'Bearer key' },
    signals: { traces: 'central', metrics: 'central', logs: 'central' },
    remote: null,
    containers: { alloy: 'alloy-edge', gate: 'central-edge-gate' },
    volumes: { alloy: 'alloy-edge-data' },
    dockerHost,
    images: { alloy: { name: 'grafana/alloy:v1.18.1', digest: '', id: 'sha256:2d' }, gate: { name: 'nginx:1.28.0', digest: '', id: 'sha256:3d' } },
  });

  test.each<[string, string | null, string | undefined, string]>([
    ['the usual engine', null, undefined, 'unix:///var/run/docker.sock'],
    ['that of the environment', null, 'ssh://host', 'ssh://host'],
    ['that of the stack', 'tcp://10.0.0.9:2375', 'unix:///other.sock', 'tcp://10.0.0.9:2375'],
  ])('wherever the engine is, from inside its gate, whose image has bash alone (%s)', (_, dockerHost, variable, engine) => {
    setEnvironment({ DOCKER_HOST: variable });
    const outputsOfIt = edge(dockerHost);
    const { reach, inside: within, ...rest } = routeOf(outputsOfIt, 'npm run up -- --stack edge');
    expect([reach, within]).toEqual([inside, inside]);
    // Phoenix has no metrics there, and the headers are those of who reads.
    expect(rest).toEqual({
      engine: at(engine),
      endpoints: outputsOfIt.internal,
      containers: outputsOfIt.containers,
      headers: outputsOfIt.reader,
      central: outputsOfIt.central,
      redeploy: 'npm run up -- --stack edge',
    });
    expect(jest.mocked(from).mock.calls).toEqual([[at(engine), 'central-edge-gate', 'bash']]);
  });

  test('with certificates, too', () => {
    const engine = { host: 'tcp://10.0.0.9:2376', tls: { certPath: '/certs' } };
    expect(routeOf({ ...edge(engine.host), engine }, 'npm run up').engine).toEqual(engine);
    expect(jest.mocked(from).mock.calls).toEqual([[engine, 'central-edge-gate', 'bash']]);
  });
});
