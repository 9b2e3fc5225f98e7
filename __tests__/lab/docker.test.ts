import * as grpc from '@grpc/grpc-js';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import * as status from '@pulumi/pulumi/proto/status_pb';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as os from 'node:os';
import * as path from 'node:path';
import * as tar from 'tar-stream';
import { at } from '../../engine';
import { docker } from '../../lab/providers/docker';
import { cpusText, flattenPorts } from '../../lab/providers/docker-container-state';
import { Engine } from '../../lab/providers/docker-engine';
import { repoDigest } from '../../lab/providers/docker-image';
import { unknown, type Props } from '../../lab/providers/fields';
import { formatDuration, parseDuration } from '../../lab/providers/go-duration';
import { methods } from '../../lab/providers/serve';

/** An engine that remembers what it was asked, and answers by method and path. */
type Answer = { status?: number; body?: object | Buffer | string };
interface Asked { call: string; body: Buffer }

let directory: string;
let server: http.Server;
let asked: Asked[];
let answers: Record<string, Answer | (() => Answer)>;
let service: grpc.UntypedServiceImplementation;

const inspected = (change: object = {}) => ({
  Id: 'c1', Name: '/c', Image: 'sha256:1', Platform: 'linux',
  State: { Running: true, ExitCode: 0 },
  Config: { Image: 'i', Hostname: 'h', Domainname: '', Cmd: ['sh'], Entrypoint: null, User: '', WorkingDir: '', Tty: false, OpenStdin: false, StopTimeout: null },
  HostConfig: {
    Memory: 0, MemoryReservation: 0, MemorySwap: 0, ShmSize: 67108864, NanoCpus: 0, Init: false, CpuShares: 0, CpusetCpus: '',
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 }, LogConfig: { Type: 'json-file', Config: {} }, CapAdd: null, CapDrop: null, ExtraHosts: null, Ulimits: null, Devices: null,
    AutoRemove: false, ReadonlyRootfs: false, PublishAllPorts: false, Privileged: false, Runtime: 'runc', NetworkMode: 'bridge', UsernsMode: '', IpcMode: 'private',
  },
  NetworkSettings: { Bridge: '', Ports: {}, Networks: {} },
  ...change,
});

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'engine-'));
  asked = [];
  answers = {
    'GET /_ping': {},
    'GET /images/i/json': { body: { Id: 'sha256:1', RepoDigests: [] } },
    'POST /containers/create': { status: 201, body: { Id: 'c1' } },
    'POST /containers/c1/start': { status: 204 },
    'GET /containers/c1/json': { body: inspected() },
  };
  server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = request.url?.replace(/^\/v\d+\.\d+(?=\/)/, '') ?? '';
      const route = `${request.method} ${url.split('?')[0]}`;
      if (route !== 'GET /_ping') {
        asked.push({ call: `${request.method} ${url}`, body: Buffer.concat(chunks) });
      }
      const found = answers[route];
      const { status: code = 200, body = '' } = (typeof found === 'function' ? found() : found) ?? { status: 404, body: { message: `no answer for ${route}` } };
      response.writeHead(code, { 'api-version': '1.41' }).end(Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(path.join(directory, 'engine.sock'), resolve));
  const engine = new Engine();
  engine.address = at(`unix://${path.join(directory, 'engine.sock')}`);
  service = methods(docker(engine));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  fs.rmSync(directory, { recursive: true });
});

function call<Q, A>(method: string, request: Q): Promise<A> {
  return new Promise((resolve, reject) => {
    (service[method] as grpc.handleUnaryCall<Q, A>)({ request } as grpc.ServerUnaryCall<Q, A>, (error, answer) => (error ? reject(error) : resolve(answer as A)));
  });
}

const urn = (type: string) => `urn:pulumi:s::p::docker:index/${type[0]?.toLowerCase()}${type.slice(1)}:${type}::x`;
const props = (struct: Struct | undefined) => (struct?.toJavaScript() ?? {}) as Props;

async function checked(type: string, inputs: Props): Promise<Props> {
  const request = new proto.CheckRequest();
  request.setUrn(urn(type));
  request.setNews(Struct.fromJavaScript(inputs));
  return props((await call<proto.CheckRequest, proto.CheckResponse>('check', request)).getInputs());
}

async function create(type: string, inputs: Props, preview = false): Promise<{ id: string; state: Props }> {
  const request = new proto.CreateRequest();
  request.setUrn(urn(type));
  request.setProperties(Struct.fromJavaScript(await checked(type, inputs)));
  request.setPreview(preview);
  const answer = await call<proto.CreateRequest, proto.CreateResponse>('create', request);
  return { id: answer.getId(), state: props(answer.getProperties()) };
}

async function read(type: string, id: string, state: Props, inputs: Props = {}): Promise<{ id: string; state: Props; inputs: Props }> {
  const request = new proto.ReadRequest();
  request.setUrn(urn(type));
  request.setId(id);
  request.setProperties(Struct.fromJavaScript(state));
  request.setInputs(Struct.fromJavaScript(inputs));
  const answer = await call<proto.ReadRequest, proto.ReadResponse>('read', request);
  return { id: answer.getId(), state: props(answer.getProperties()), inputs: props(answer.getInputs()) };
}

async function update(olds: Props, news: Props): Promise<Props> {
  const request = new proto.UpdateRequest();
  request.setUrn(urn('Container'));
  request.setId('c1');
  request.setOlds(Struct.fromJavaScript(olds));
  request.setNews(Struct.fromJavaScript(await checked('Container', news)));
  return props((await call<proto.UpdateRequest, proto.UpdateResponse>('update', request)).getProperties());
}

/** What these inputs are for a container in this state: paths of what differs, and of those that replace it. */
async function differences(olds: Props, news: Props): Promise<{ differs: string[]; replaces: string[] }> {
  const request = new proto.DiffRequest();
  request.setUrn(urn('Container'));
  request.setId('c1');
  request.setOlds(Struct.fromJavaScript(olds));
  request.setNews(Struct.fromJavaScript(await checked('Container', news)));
  const answer = await call<proto.DiffRequest, proto.DiffResponse>('diff', request);
  return { differs: answer.getDiffsList(), replaces: answer.getReplacesList() };
}

async function remove(type: string, id: string, state: Props): Promise<void> {
  const request = new proto.DeleteRequest();
  request.setUrn(urn(type));
  request.setId(id);
  request.setProperties(Struct.fromJavaScript(state));
  await call('delete', request);
}

const calls = () => asked.map(({ call: made }) => made);
const sent = (start: string) => JSON.parse(asked.find(({ call: made }) => made.startsWith(start))?.body.toString() ?? 'null') as Record<string, never>;

test('a container is asked for in the engine\'s own terms', async () => {
  await create('Container', {
    name: 'c', image: 'i', envs: ['B=2', 'A=1'], labels: [{ label: 'k', value: 'v' }], user: '0', memory: 64, memorySwap: -1, cpus: '0.5', stopTimeout: 5,
    ports: [{ internal: 80, external: 8080, ip: '127.0.0.1' }, { internal: 80, external: 8081 }, { internal: 53, protocol: 'udp' }],
    volumes: [{ volumeName: 'data', containerPath: '/data' }, { hostPath: '/etc/x', containerPath: '/x', readOnly: true }, { containerPath: '/anonymous' }],
    hosts: [{ host: 'a', ip: 'host-gateway' }], healthcheck: { tests: ['CMD', 'true'], interval: '1m30s', retries: 2 },
    capabilities: { drops: ['ALL'] }, securityOpts: ['no-new-privileges', 'systempaths=unconfined'], tmpfs: { '/tmp': 'rw' }, logOpts: { 'max-size': '1m' }, logDriver: 'json-file', restart: 'always',
  });
  expect(sent('POST /containers/create?name=c')).toMatchObject({
    Image: 'i', Env: ['A=1', 'B=2'], Labels: { k: 'v' }, User: '0', StopTimeout: 5,
    ExposedPorts: { '80/tcp': {}, '53/udp': {} }, Volumes: { '/data': {}, '/x': {}, '/anonymous': {} },
    Healthcheck: { Test: ['CMD', 'true'], Interval: 90e9, Timeout: 0, StartPeriod: 0, StartInterval: 0, Retries: 2 },
    HostConfig: {
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }, { HostIp: '0.0.0.0', HostPort: '8081' }], '53/udp': [{ HostIp: '0.0.0.0', HostPort: '0' }] },
      Binds: ['data:/data:rw', '/etc/x:/x:ro'], ExtraHosts: ['a:host-gateway'], CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'], MaskedPaths: [], ReadonlyPaths: [],
      Memory: 67108864, MemorySwap: -1, NanoCpus: 5e8, Init: false, Tmpfs: { '/tmp': 'rw' }, RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } }, NetworkMode: 'bridge',
    },
  });
});

describe('ulimits', () => {
  const ulimit = (name: string, value: number): { name: string; soft: number; hard: number } => ({ name, soft: value, hard: value });
  const [nproc, nofile, memlock] = [ulimit('nproc', 4096), ulimit('nofile', 16384), ulimit('memlock', -1)];
  const inputs = (...ulimits: object[]): Props => ({ name: 'c', image: 'i', ...(ulimits.length ? { ulimits: ulimits as Props[] } : {}) });
  /** An engine that lists these, in its own words. */
  const lists = (...ulimits: typeof nproc[]): void => {
    const listed = ulimits.map(({ name: Name, soft: Soft, hard: Hard }) => ({ Name, Soft, Hard }));
    answers['GET /containers/c1/json'] = { body: inspected({ HostConfig: { ...inspected().HostConfig, Ulimits: listed } }) };
  };
  const made = async (...ulimits: object[]): Promise<Props> => (await create('Container', inputs(...ulimits))).state;
  const none = { differs: [], replaces: [] };

  test('are asked for by name, and none where there are none', async () => {
    lists(nproc, nofile);
    await made(nproc, nofile);
    const asksFor = (): unknown => (sent('POST /containers/create?name=c')['HostConfig'] as { Ulimits: unknown }).Ulimits;
    expect(asksFor()).toEqual([{ Name: 'nofile', Soft: 16384, Hard: 16384 }, { Name: 'nproc', Soft: 4096, Hard: 4096 }]);
    asked = [];
    await made();
    expect(asksFor()).toBeNull();
  });

  test('come back in any order without a difference', async () => {
    lists(nproc, nofile);
    const state = await made(nproc, nofile);
    lists(nofile, nproc);
    const refreshed = await read('Container', 'c1', state, await checked('Container', inputs(nproc, nofile)));
    expect(await differences(refreshed.state, inputs(nproc, nofile))).toEqual(none);
    expect(await differences(refreshed.state, inputs(nofile, nproc))).toEqual(none);
  });

  test.each<[string, object[]]>([
    ['another number', [{ ...nproc, hard: 8192 }, nofile]],
    ['one less', [nproc]],
    ['one more', [nproc, nofile, memlock]],
    ['none', []],
  ])('%s replaces the container', async (_, next) => {
    lists(nproc, nofile);
    const found = await differences(await made(nproc, nofile), inputs(...next));
    expect(found.differs).not.toEqual([]);
    expect(found.replaces).toEqual(found.differs);
  });

  test("the engine's own count as the container's where it has any, and only there", async () => {
    lists(nproc, nofile, memlock);
    const state = await made(nproc, nofile);
    expect((await differences(state, inputs(nproc, nofile))).replaces).not.toEqual([]);
    expect(await differences(state, inputs(nproc, nofile, memlock))).toEqual(none);
    lists(memlock);
    expect(await differences(await made(), inputs())).toEqual(none);
  });
});

test('networks take the default one\'s place, files are uploaded, and only then does it start', async () => {
  answers['POST /networks/bridge/disconnect'] = {};
  answers['POST /networks/private/connect'] = {};
  answers['PUT /containers/c1/archive'] = {};
  await create('Container', { name: 'c', image: 'i', networksAdvanced: [{ name: 'private', aliases: ['me'] }], uploads: [{ file: '/etc/a', content: 'päth\n', permissions: '0400' }, { file: '/etc/b', contentBase64: 'AAE=', executable: true }] });
  expect(calls()).toEqual([
    'GET /images/i/json', 'POST /containers/create?name=c', 'POST /networks/bridge/disconnect', 'POST /networks/private/connect',
    'PUT /containers/c1/archive?path=%2F', 'PUT /containers/c1/archive?path=%2F', 'POST /containers/c1/start', 'GET /containers/c1/json',
  ]);
  expect(sent('POST /networks/private/connect')).toMatchObject({ Container: 'c1', EndpointConfig: { Aliases: ['me'] } });
  const files: [string, number, Buffer][] = [];
  for (const { body } of asked.filter(({ call: made }) => made.startsWith('PUT'))) {
    const extract = tar.extract();
    extract.end(body);
    for await (const entry of extract) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) {
        chunks.push(chunk as Buffer);
      }
      files.push([entry.header.name, entry.header.mode ?? 0, Buffer.concat(chunks)]);
    }
  }
  expect(files.sort()).toEqual([['/etc/a', 0o400, Buffer.from('päth\n')], ['/etc/b', 0o744, Buffer.from([0, 1])]]);
});

test('a container that never gets healthy is recorded, with the error', async () => {
  answers['GET /containers/c1/json'] = { body: inspected({ State: { Running: true, ExitCode: 0, Health: { Status: 'starting' } } }) };
  const error = await create('Container', { name: 'c', image: 'i', wait: true, waitTimeout: 1 }).catch((e: grpc.ServiceError) => e) as grpc.ServiceError;
  expect(error.details).toBe(`creating ${urn('Container')}: 1 error occurred:\n\t* container failed to be in healthy state\n\n`);
  const detail = status.Status.deserializeBinary(error.metadata.get('grpc-status-details-bin')[0] as unknown as Uint8Array).getDetailsList()[0];
  expect(detail?.getTypeName()).toBe('pulumirpc.ErrorResourceInitFailed');
  const failed = proto.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() as Uint8Array);
  expect(failed.getId()).toBe('c1');
  expect(props(failed.getProperties())).toMatchObject({ id: 'c1', name: 'c', command: null, entrypoints: null, envs: [], networkDatas: null });
});

test('waiting needs a health check', async () => {
  await expect(create('Container', { name: 'c', image: 'i', wait: true })).rejects.toMatchObject({ details: expect.stringContaining("does not have a healthcheck defined") });
});

test('an engine\'s refusal comes as it is, and nothing is recorded', async () => {
  answers['POST /containers/create'] = { status: 409, body: { message: 'Conflict. The container name "/c" is already in use' } };
  const error = await create('Container', { name: 'c', image: 'i' }).catch((e: grpc.ServiceError) => e) as grpc.ServiceError;
  expect(error.details).toBe('1 error occurred:\n\t* Unable to create container: Error response from daemon: Conflict. The container name "/c" is already in use\n\n');
  expect(error.metadata).toBeUndefined();
});

test('a one-shot container is waited for and its output kept', async () => {
  const frame = (stream: number, text: string) => Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)]);
  answers['POST /containers/c1/wait'] = { body: { StatusCode: 3 } };
  answers['GET /containers/c1/logs'] = { body: Buffer.concat([frame(1, 'out\n'), frame(2, 'err\n')]) };
  answers['GET /containers/c1/json'] = { body: inspected({ State: { Running: false, ExitCode: 3 } }) };
  const { state } = await create('Container', { name: 'c', image: 'i', mustRun: false, attach: true, logs: true });
  expect(state).toMatchObject({ containerLogs: 'out\nerr\n', exitCode: 3, mustRun: false });
  expect((await read('Container', 'c1', state)).state).toMatchObject({ containerLogs: 'out\nerr\n', exitCode: 3, mustRun: false });
});

test('a preview asks the engine nothing', async () => {
  const { state } = await create('Container', { name: 'c', image: unknown, ports: [{ internal: 80 }] }, true);
  expect(asked).toEqual([]);
  expect(state).toMatchObject({ id: unknown, hostname: unknown, ports: [{ internal: 80, external: unknown, ip: '0.0.0.0', protocol: 'tcp' }] });
});

test('a stopped container shows as a difference, and the update starts it', async () => {
  const { state } = await create('Container', { name: 'c', image: 'i' });
  answers['GET /containers/c1/json'] = { body: inspected({ State: { Running: false, ExitCode: 137 } }) };
  const refreshed = await read('Container', 'c1', state, await checked('Container', { name: 'c', image: 'i' }));
  expect(refreshed.state).toMatchObject({ mustRun: false, exitCode: 137 });
  expect(refreshed.inputs).toMatchObject({ mustRun: false });
  asked = [];
  expect(await update(refreshed.state, { name: 'c', image: 'i' })).toMatchObject({ mustRun: true });
  expect(calls()).toEqual(['POST /containers/c1/start']);
});

test('what cannot be changed in place is recorded and nothing is done', async () => {
  const { state } = await create('Container', { name: 'c', image: 'i' });
  asked = [];
  const next = await update(state, { name: 'c', image: 'i', init: true, tmpfs: { '/t': '' }, healthcheck: { tests: ['CMD', 'true'] } });
  expect(next).toMatchObject({ init: true, tmpfs: { '/t': '' }, healthcheck: { tests: ['CMD', 'true'] } });
  expect(asked).toEqual([]);
  answers['POST /containers/c1/update'] = {};
  await update(state, { name: 'c', image: 'i', memory: 96, memorySwap: 96, restart: 'always' });
  expect(sent('POST /containers/c1/update')).toMatchObject({ Memory: 96 * 1024 * 1024, MemorySwap: 96 * 1024 * 1024, RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } });
});

test('a container that was removed by hand is gone from the state', async () => {
  const { state } = await create('Container', { name: 'c', image: 'i' });
  answers['GET /containers/c1/json'] = { status: 404, body: { message: 'No such container: c1' } };
  expect(await read('Container', 'c1', state)).toEqual({ id: '', state: {}, inputs: {} });
});

test('the ID among the properties counts, whatever the engine of Pulumi says', async () => {
  const { state } = await create('Container', { name: 'c', image: 'i' });
  answers['GET /containers/c2/json'] = { body: inspected({ Id: 'c2' }) };
  expect((await read('Container', 'c1', { ...state, id: 'c2' })).id).toBe('c2');
  expect((await read('Container', 'c2', state)).id).toBe('c1');
});

test.each([[null, 0], [20, 20]])('destroyGraceSeconds %s stops with a grace of %s s', async (destroyGraceSeconds, grace) => {
  Object.assign(answers, { 'POST /containers/c1/stop': {}, 'DELETE /containers/c1': {}, 'POST /containers/c1/wait': { status: 404, body: { message: 'No such container: c1' } } });
  await remove('Container', 'c1', { destroyGraceSeconds, removeVolumes: true });
  expect(calls()).toEqual([`POST /containers/c1/stop?t=${grace}`, 'DELETE /containers/c1?force=1&v=1', 'POST /containers/c1/wait?condition=not-running']);
});

test('a network in use is tried again until its endpoints are gone', async () => {
  let left = 2;
  answers['DELETE /networks/n1'] = () => (left-- > 0 ? { status: 403, body: { message: 'error while removing network: network n has active endpoints' } } : { status: 204 });
  await remove('Network', 'n1', {});
  expect(asked).toHaveLength(3);
});

test('an image that is here is not asked for elsewhere; one that is not is pulled, and a failed pull is told', async () => {
  expect(await create('RemoteImage', { name: 'i', keepLocally: true })).toMatchObject({ id: 'sha256:1i', state: { imageId: 'sha256:1', repoDigest: '', build: null, platform: null } });
  expect(calls()).toEqual(['GET /images/i/json']);
  answers['POST /images/create'] = { body: '{"status":"Pulling"}\n{"errorDetail":{"message":"denied"},"error":"denied"}\n' };
  await expect(create('RemoteImage', { name: 'team/other' })).rejects.toMatchObject({ details: expect.stringContaining('unable to pull image team/other: error pulling image team/other: denied') });
  expect(calls()).toContain('POST /images/create?fromImage=team%2Fother&tag=latest');
  asked = [];
  await remove('RemoteImage', 'x', { name: 'i', keepLocally: true });
  expect(asked).toEqual([]);
});

test('a name is made up once and then kept', async () => {
  const request = new proto.CheckRequest();
  request.setUrn(urn('Network'));
  request.setNews(Struct.fromJavaScript({}));
  request.setRandomseed(Buffer.from('seed'));
  const first = props((await call<proto.CheckRequest, proto.CheckResponse>('check', request)).getInputs());
  expect(first).toMatchObject({ name: expect.stringMatching(/^x-[0-9a-f]{7}$/), __defaults: ['ipamDriver', 'name'] });
  request.setOlds(Struct.fromJavaScript(first));
  request.setRandomseed(Buffer.from('another'));
  expect(props((await call<proto.CheckRequest, proto.CheckResponse>('check', request)).getInputs())['name']).toBe(first['name']);
});

test('it takes no secrets: the engine takes their marks off, and puts them back in the state', async () => {
  const request = new proto.ConfigureRequest();
  request.setAcceptsecrets(true);
  // The only kind of engine that is not asked at once.
  request.setArgs(Struct.fromJavaScript({ host: 'ssh://user@host' }));
  expect((await call<proto.ConfigureRequest, proto.ConfigureResponse>('configure', request)).getAcceptsecrets()).toBe(false);
});

test('a setting that the stand-in cannot honour is refused with the way out', async () => {
  const request = new proto.ConfigureRequest();
  request.setArgs(Struct.fromJavaScript({ context: 'away', registryAuth: '[{"address":"a"}]', sshOpts: '[]' }));
  await expect(call('configure', request)).rejects.toMatchObject({ details: expect.stringMatching(/docker:registryAuth, docker:context.*pulumi plugin install resource docker 5\.2\.0/) });
});

test.each([
  [{ certPath: '/nowhere' }, 'could not load X509 key pair: open /nowhere/cert.pem: no such file or directory'],
  [{ certMaterial: 'x', keyMaterial: 'x' }, 'certMaterial, keyMaterial, and caMaterial must all be specified'],
  [{ caMaterial: 'x', certMaterial: 'x', keyMaterial: 'x', certPath: '/nowhere' }, 'when using raw certificates, certPath must not be specified'],
])("certificates that do not go together: %j, in the published provider's words", async (config, words) => {
  const request = new proto.ConfigureRequest();
  request.setArgs(Struct.fromJavaScript({ host: 'tcp://127.0.0.1:1', ...config }));
  await expect(call('configure', request)).rejects.toMatchObject({ details: words });
});

test('an engine that does not answer is named before anything else', async () => {
  const request = new proto.ConfigureRequest();
  request.setArgs(Struct.fromJavaScript({ host: 'unix:///nowhere.sock' }));
  await expect(call('configure', request)).rejects.toMatchObject({ details: expect.stringContaining('failed to connect to any docker daemon') });
  request.setArgs(Struct.fromJavaScript({ host: 'ssh://user@host' }));
  await expect(call('configure', request)).resolves.toBeDefined();
});

test.each([['60s', '1m0s'], ['1m0s', '1m0s'], ['1.5s', '1.5s'], ['90m', '1h30m0s'], ['0', '0s'], ['250ms', '250ms'], ['1h', '1h0m0s'], ['2us', '2µs']])('%s is %s', (text, canonical) => {
  expect(formatDuration(parseDuration(text) as number)).toBe(canonical);
});

test.each(['', '5', 'often', '1 s', 's', '1d'])('%j is no duration', (text) => expect(parseDuration(text)).toBeUndefined());

test.each([[1e9, '1.0'], [5e8, '0.5'], [1.25e9, '1.25'], [2e9, '2.0'], [1e10, '10.']])('%s nano CPUs come back as %s', (nano, text) => expect(cpusText(nano)).toBe(text));

test('ports are read in the order of the container\'s ports', () => {
  expect(flattenPorts({ '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '1' }], '53/udp': [{ HostIp: '0.0.0.0', HostPort: '2' }], '9/tcp': null })).toEqual([
    { internal: 53, external: 2, ip: '0.0.0.0', protocol: 'udp' }, { internal: 8080, external: 1, ip: '127.0.0.1', protocol: 'tcp' },
  ]);
});

test('the digest of an image is the one of its own repository', () => {
  expect(repoDigest('nginx:1', ['other/nginx@sha256:a', 'nginx@sha256:b'])).toBe('nginx@sha256:b');
  expect(repoDigest('local:1', ['other/nginx@sha256:a'])).toBe('other/nginx@sha256:a');
  expect(repoDigest('built', null)).toBe('');
});
