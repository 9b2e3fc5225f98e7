import { hostNames } from '../../components/names';
import type { HostFacts } from '../../stack/preflight';
import { container, type Answer } from '../support/fake-engine';
import { inspect, own } from '../support/inspect-host';

// What runs on the machine of the test must not matter.
jest.mock('../../engine/host-ports', () => ({ ...jest.requireActual<object>('../../engine/host-ports'), isHeld: () => Promise.resolve(false) }));

describe('names that are taken', () => {
  const named = (kind: 'container' | 'volume' | 'network', Name: string, Labels: Record<string, string> | null = {}): Record<string, Answer> =>
    ({
      container: { '/containers/json': [{ Id: 'x', Names: [`/${Name}`], State: 'exited', Labels, Ports: [] }] },
      volume: { '/volumes': { Volumes: [{ Name, Labels }] } },
      network: { '/networks': [{ Name, Labels }] },
    })[kind];
  const project = { 'com.docker.compose.project': 'llm' };
  const other = { 'llm-observability.stack': 'another/dev' };
  const anew = 'npm run up -- --stack OTHER_NAME';
  const [all, atEdge] = [hostNames('dev', false), hostNames('dev', true)];

  test.each<['container' | 'volume' | 'network', string, Record<string, string> | null, string, string[]]>([
    ['container', 'phoenix-dev', {}, 'container phoenix-dev has a name that this stack needs; give the stack a different name, or the container', [anew, 'docker rename phoenix-dev phoenix-dev-old']],
    ['container', 'alloy-dev', project, 'container alloy-dev of compose project llm has a name that this stack needs; give the stack a different name, or the container', [anew, 'docker rename alloy-dev alloy-dev-old']],
    ['container', 'tunnel-dev-25', other, 'container tunnel-dev-25 of stack another/dev has a name that this stack needs; give the stack a different name, or the container', [anew, 'docker rename tunnel-dev-25 tunnel-dev-25-old']],
    ['volume', 'phoenix-dev-data', null, 'volume phoenix-dev-data has a name that this stack needs; give the stack a different name', [anew]],
    ['volume', 'alloy-dev-data', project, 'volume alloy-dev-data of compose project llm has a name that this stack needs; give the stack a different name', [anew]],
    ['volume', 'tunnel-dev-secrets', other, 'volume tunnel-dev-secrets of stack another/dev has a name that this stack needs; give the stack a different name', [anew]],
    // A network cannot be given another name.
    ['network', 'observability-dev', {}, 'network observability-dev has a name that this stack needs; give the stack a different name', [anew]],
    ['network', 'observability-dev', other, 'network observability-dev of stack another/dev has a name that this stack needs; give the stack a different name', [anew]],
  ])('%s %s, labels %j', async (kind, name, labels, rule, mend) => {
    expect((await inspect({}, named(kind, name, labels))).problems).toEqual([{ key: 'stack', value: 'dev', rule, mend }]);
  });

  test('every name that the stack may take', async () => {
    const answers = {
      '/containers/json': all.container.map((name) => ({ Id: name, Names: [`/${name}`], State: 'created', Labels: {}, Ports: [] })),
      '/volumes': { Volumes: all.volume.map((Name) => ({ Name, Labels: null })) },
      '/networks': all.network.map((Name) => ({ Name, Labels: {} })),
    };
    const taken = ({ problems }: HostFacts): string[] => problems.map(({ rule }) => rule.split(' has ')[0] ?? '');
    const of = ({ container, volume, network }: typeof all): string[] =>
      [...container.map((name) => `container ${name}`), ...volume.map((name) => `volume ${name}`), ...network.map((name) => `network ${name}`)];
    expect(taken(await inspect({}, answers))).toEqual(of(all));
    // At the edge the names of Phoenix and of its gate are nobody's.
    const shared = of(atEdge).filter((name) => of(all).includes(name));
    expect(taken(await inspect({ 'edge:central': 'prod' }, answers)).sort()).toEqual(shared.sort());
    expect(of(all).filter((name) => !shared.includes(name)).every((name) => /^\w+ ((phoenix|journal|tunnel|grafana|example)-dev|observability-dev-store$)/.test(name))).toBe(true);
    expect(taken(await inspect({ 'edge:central': 'prod' }, named('container', 'central-dev-gate')))).toEqual(['container central-dev-gate']);
    expect(taken(await inspect({}, named('container', 'central-dev-gate')))).toEqual([]);
  });

  test.each(['container', 'volume', 'network'] as const)("the stack's own %s, and one of another kind or name, is in nobody's way", async (kind) => {
    const [name = ''] = all[kind];
    expect((await inspect({}, named(kind, name, own))).problems).toEqual([]);
    expect((await inspect({}, named(kind, name.replace('dev', 'prod')))).problems).toEqual([]);
    expect((await inspect({}, named(kind, `${name}-old`))).problems).toEqual([]);
    // A volume called as a container is, and so on.
    const elsewhere = (['container', 'volume', 'network'] as const).filter((one) => one !== kind);
    for (const one of elsewhere) {
      expect((await inspect({}, named(one, name))).problems).toEqual([]);
    }
  });

  test('a container counts for names in whatever state it is, and for ports only while it may hold them', async () => {
    const keysOf = async (State: string): Promise<string[]> =>
      (await inspect({}, { '/containers/json': [{ ...container('phoenix-dev', 6006), State }] })).problems.map(({ key }) => key);
    expect(await keysOf('running')).toEqual(['stack', 'phoenix:uiPort']);
    for (const state of ['exited', 'created', 'dead', 'removing']) {
      expect(await keysOf(state)).toEqual(['stack']);
    }
  });

  test('on another host as well', async () => {
    expect((await inspect({}, named('volume', 'alloy-dev-data'), 'tcp')).problems).toMatchObject([{ key: 'stack', value: 'dev' }]);
  });
});
