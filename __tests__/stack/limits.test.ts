import { readSettings } from '../../settings/settings';
import { inspectHost, type HostFacts } from '../../stack/preflight';
import { container, current, fakeEngine, type Answer } from '../support/fake-engine';
import { inspect, named, own, owner } from '../support/inspect-host';

// What runs on the machine of the test must not matter.
jest.mock('../../engine/host-ports', () => ({ ...jest.requireActual<object>('../../engine/host-ports'), isHeld: () => Promise.resolve(false) }));

test('more CPUs than it has', async () => {
  const info = { '/info': { NCPU: 2, OperatingSystem: 'Debian' } };
  expect((await inspect({ 'phoenix:cpus': '2', 'alloy:cpus': '2.5' }, info)).problems).toEqual([
    { key: 'alloy:cpus', value: '2.5', rule: 'the Docker host has 2', mend: ['pulumi config set alloy:cpus 2'] },
  ]);
  const ten = { '/info': { NCPU: 10, OperatingSystem: 'Debian' } };
  expect((await inspect({ 'phoenix:cpus': '10', 'alloy:cpus': '20' }, ten)).problems).toMatchObject([{ key: 'alloy:cpus', rule: 'the Docker host has 10' }]);
});

test('at the edge the CPUs of Alloy count, those of Phoenix do not', async () => {
  const { engine } = await fakeEngine({ ...current, '/info': { NCPU: 2, OperatingSystem: 'Debian' } });
  const config = { 'phoenix:cpus': '4', 'alloy:cpus': '3' };
  const facts = (more: Record<string, string>): Promise<HostFacts> => inspectHost(named(engine), readSettings({ ...config, ...more }, 'llm-observability').settings, owner, true);
  expect((await facts({ 'edge:central': 'prod' })).problems).toEqual([{ key: 'alloy:cpus', value: '3', rule: 'the Docker host has 2', mend: ['pulumi config set alloy:cpus 2'] }]);
  expect((await facts({})).problems.map(({ key }) => key)).toEqual(['phoenix:cpus', 'alloy:cpus']);
});

describe('ulimits that the engine gives every container', () => {
  const ulimit = (name: string, value: number): { name: string; soft: number; hard: number } => ({ name, soft: value, hard: value });
  /** A stack whose containers list these, in the engine's words. */
  const stackWith = (lists: Readonly<Record<string, readonly ReturnType<typeof ulimit>[] | null | undefined>>): Record<string, Answer> => ({
    '/containers/json': Object.keys(lists).map((name) => container(name, 7777, own)),
    ...Object.fromEntries(Object.entries(lists).map(([name, list]) => [`/containers/${name}-id/json`, {
      Name: `/${name}`,
      ...(list === undefined ? {} : { HostConfig: { Ulimits: list && list.map(({ name: Name, soft: Soft, hard: Hard }) => ({ Name, Soft, Hard })) } }),
      NetworkSettings: { Ports: {} },
    }])),
  });
  const [bounded, memlock, core] = [ulimit('nproc', 4096), ulimit('memlock', -1), ulimit('core', 0)];

  test.each<[string, Parameters<typeof stackWith>[0], object[]]>([
    ['a stack with nothing that runs', {}, []],
    ['an engine with none', { 'web-dev': null, 'api-dev': null }, []],
    ['an engine that does not say', { 'web-dev': undefined }, []],
    ['one container', { 'web-dev': [bounded, memlock] }, [bounded, memlock]],
    ['what all have, in any order', { 'web-dev': [bounded, memlock], 'api-dev': [memlock, bounded] }, [bounded, memlock]],
    ['not what one alone has', { 'web-dev': [core, memlock], 'api-dev': [memlock] }, [memlock]],
  ])('%s', async (_, lists, ulimits) => {
    expect((await inspect({}, stackWith(lists))).limits.ulimits).toEqual(ulimits);
  });

  test('none where it is rootless', async () => {
    const info = { '/info': { ...(current['/info'] as object), SecurityOptions: ['name=rootless'] } };
    expect((await inspect({}, { ...stackWith({ 'web-dev': [memlock] }), ...info })).limits.ulimits).toBe(false);
  });
});
