/** What is asked of the engine; the containers themselves are those of the end-to-end tests. */
import { Container } from '../../../ops/support/faults/container';
import { removeLabelled } from '../../../ops/support/faults/helper';
import { fakeEngine, type FakeEngine } from '../../support/fake-engine';

const done = { status: 204, body: '' };
const asked = ({ requests }: FakeEngine): string[] => requests.map(({ method, url, body }) => `${method} ${url}${body ? ` ${body}` : ''}`);
const inspected = {
  Id: 'abcdef0123456789',
  RestartCount: 0,
  State: { Pid: 4711, Running: true, StartedAt: '2026-01-01T00:00:00Z' },
  HostConfig: { Memory: 1 << 30, MemorySwap: 1 << 30 },
  NetworkSettings: { Networks: { 'observability-x': { Aliases: ['phoenix', 'abcdef012345'] } } },
};
const container = ({ engine }: FakeEngine): Container => new Container(engine, 'phoenix-x', 'python3', 'lab/phoenix:1');

test('a crash is a signal from outside: what Docker itself kills it does not start again', async () => {
  const engine = await fakeEngine({
    '/containers/phoenix-x/json': inspected,
    '/containers/create': { status: 201, body: '{"Id":"h"}' },
    '/containers/h/start': done,
    '/containers/h/wait': { StatusCode: 0 },
    '/containers/h': done,
  });
  await container(engine).crash();
  expect(asked(engine).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['GET /containers/phoenix-x/json', 'POST /containers/create', 'POST /containers/h/start', 'POST /containers/h/wait', 'DELETE /containers/h?force=1']);
  expect(JSON.parse(engine.requests[1]?.body ?? '')).toMatchObject({ Image: 'lab/phoenix:1', Cmd: ['4711'], HostConfig: { PidMode: 'host', NetworkMode: 'none' } });
});

test('a helper that fails says what it said, and is removed', async () => {
  const engine = await fakeEngine({
    '/containers/phoenix-x/json': inspected,
    '/containers/create': { status: 201, body: '{"Id":"h"}' },
    '/containers/h/start': done,
    '/containers/h/wait': { StatusCode: 1 },
    '/containers/h/logs': { status: 200, body: 'ProcessLookupError' },
    '/containers/h': done,
  });
  await expect(container(engine).crash()).rejects.toThrow('a helper ended with 1: ProcessLookupError');
  expect(asked(engine).at(-1)).toBe('DELETE /containers/h?force=1');
});

test('off its networks and back under the same names, without the one that Docker adds', async () => {
  const engine = await fakeEngine({ '/containers/phoenix-x/json': inspected, '/networks/observability-x/disconnect': done, '/networks/observability-x/connect': done });
  await (await container(engine).disconnect())();
  expect(asked(engine).slice(1)).toEqual([
    'POST /networks/observability-x/disconnect {"Container":"abcdef0123456789"}',
    'POST /networks/observability-x/connect {"Container":"abcdef0123456789","EndpointConfig":{"Aliases":["phoenix"]}}',
  ]);
});

test.each([[{ rss: 400 << 20 }], [{ anon: 400 << 20, shmem: 0 }]])('out of memory: the limit is what it uses and a little, and as before afterwards (%j)', async (stats) => {
  const looks = [inspected, { ...inspected, RestartCount: 1 }];
  const answers = { '/containers/phoenix-x/stats': { memory_stats: { stats } }, '/containers/phoenix-x/update': { Warnings: null } };
  const engine = await fakeEngine({ ...answers, get '/containers/phoenix-x/json'() {
    return looks.length > 1 ? looks.shift()! : looks[0]!;
  } });
  await container(engine).exhaustMemory();
  expect(asked(engine).filter((line) => line.includes('/update'))).toEqual([
    `POST /containers/phoenix-x/update {"Memory":${416 << 20},"MemorySwap":${416 << 20}}`,
    `POST /containers/phoenix-x/update {"Memory":${1 << 30},"MemorySwap":${1 << 30}}`,
  ]);
});

test('out of memory without a limit: afterwards there is one that is never reached', async () => {
  const unlimited = { ...inspected, HostConfig: { Memory: 0, MemorySwap: 0 } };
  const looks = [unlimited, { ...unlimited, RestartCount: 1 }];
  const answers = { '/containers/phoenix-x/stats': { memory_stats: { stats: { rss: 400 << 20 } } }, '/containers/phoenix-x/update': { Warnings: null } };
  const engine = await fakeEngine({ ...answers, get '/containers/phoenix-x/json'() {
    return looks.length > 1 ? looks.shift()! : looks[0]!;
  } });
  await container(engine).exhaustMemory();
  // Docker hands an unlimited swap (-1) on to nobody, and the kernel refuses memory above memory and swap.
  expect(JSON.parse(engine.requests.at(-1)?.body ?? '')).toEqual({ Memory: 64 * 2 ** 30, MemorySwap: 64 * 2 ** 30 });
});

test('the words of an engine that refuses', async () => {
  const engine = await fakeEngine({ '/containers/phoenix-x/pause': { status: 409, body: '{"message":"Container phoenix-x is already paused"}' } });
  await expect(container(engine).pause()).rejects.toThrow('container phoenix-x: Container phoenix-x is already paused');
});

test('what is removed is what carries the label, containers first', async () => {
  const query = `filters=${encodeURIComponent('{"label":["l=x"]}')}`;
  const engine = await fakeEngine({
    [`/containers/json?all=1&${query}`]: [{ Id: 'c' }],
    [`/networks?${query}`]: [{ Id: 'n' }],
    [`/volumes?${query}`]: { Volumes: [{ Name: 'v' }] },
    '/containers/c': done,
    '/networks/n': done,
    '/volumes/v': done,
  });
  await removeLabelled(engine.engine, 'l=x');
  expect(asked(engine).filter((line) => line.startsWith('DELETE'))).toEqual(['DELETE /containers/c?force=1&v=1', 'DELETE /networks/n', 'DELETE /volumes/v']);
});
