import * as fs from 'node:fs';
import { changesIn, nameOf, typeOf } from '../../../ops/support/preview/changes';
import { digestIn, type Digest, type Step } from '../../../ops/support/preview/digest';
import { changes, container, creates, digest, dnsRecord, image, keeps, network, password, removes, replaces, urnOf, volume, type Given } from '../../support/steps';

const kinds = (...steps: Step[]): string[] => changesIn(digest(...steps)).changes.map(({ kind, resource }) => `${kind} ${resource}`);
const whats = (...steps: Step[]): string[] => changesIn(digest(...steps)).changes.map(({ what }) => what);

const inComponent = 'urn:pulumi:dev::llm-observability::llm-observability:index:Alloy$docker:index/volume:Volume::alloy-data';

test('type and name in a URN, also of what is in a component', () => {
  expect([typeOf(inComponent), nameOf(inComponent)]).toEqual([volume, 'alloy-data']);
  expect([typeOf(urnOf(network, 'network')), nameOf(urnOf(network, 'network'))]).toEqual([network, 'network']);
  expect([typeOf(''), nameOf('')]).toEqual(['', '']);
});

describe('which', () => {
  test('what goes stands first, and those of a kind by their names', () => {
    expect(kinds(
      creates(volume, 'b'), creates(volume, 'a'), changes(container, 'c', { name: '1' }, { name: '2' }), replaces(container, 'e', {}), replaces(container, 'd', {}), removes(network, 'z'),
    )).toEqual(['remove z', 'replace d', 'replace e', 'change c', 'create a', 'create b']);
  });

  test('what is brought in from outside is new', () => {
    expect(kinds({ ...creates(volume, 'a'), op: 'import' })).toEqual(['create a']);
  });

  test.each(['same', 'read', 'refresh', 'create-replacement', 'delete-replaced', 'discard'])('%s is no change', (op) => {
    expect(kinds({ ...creates(volume, 'a'), op })).toEqual([]);
  });

  test('the stack, components, providers and the look at another stack are nothing on any host', () => {
    const types = ['pulumi:pulumi:Stack', 'pulumi:providers:docker', 'pulumi:pulumi:StackReference', 'llm-observability:index:Alloy'];
    expect(changesIn(digest(...types.map((type) => creates(type, 'a')), ...types.map((type) => keeps(type, 'b'))))).toEqual({ changes: [], same: 0 });
  });

  test('what is in a component is', () => {
    expect(changesIn(digest({ ...creates(volume, 'alloy-data', { name: 'alloy-dev-data' }), urn: inComponent })).changes.map(({ what }) => what)).toEqual(['volume alloy-dev-data']);
  });

  test('how many stay', () => {
    expect(changesIn(digest(keeps(volume, 'a'), keeps(network, 'b', { protect: true }), creates(volume, 'c'))).same).toBe(2);
    expect(changesIn({})).toEqual({ changes: [], same: 0 });
  });

  test('one that is protected from now on, or no longer, does not stay', () => {
    expect(changesIn(digest(keeps(volume, 'a', { protect: true }, {}), keeps(volume, 'b', {}, { protect: true }), keeps(volume, 'c', { protect: false }, {})))).toMatchObject({
      changes: [
        { kind: 'change', what: 'volume a', differences: [{ name: 'protected', before: ['true'], after: ['false'] }] },
        { kind: 'change', what: 'volume b', differences: [{ name: 'protected', before: ['false'], after: ['true'] }] },
      ],
      same: 1,
    });
  });
});

describe('what it is', () => {
  const files = { name: 'alloy-dev-config-files', start: false, restart: 'no', volumes: [{ volumeName: 'alloy-dev-config', containerPath: '/etc/alloy' }] };

  test.each([
    ['container alloy-dev', creates(container, 'alloy-server', { name: 'alloy-dev', restart: 'unless-stopped' })],
    ['job phoenix-dev-data-owner', creates(container, 'phoenix-data-owner', { name: 'phoenix-dev-data-owner', attach: true })],
    ['files in volume alloy-dev-config', creates(container, 'alloy-config-files', files)],
    ['files in volume alloy-dev-config', removes(container, 'alloy-config-files', files)],
    // Given away by a job; the list is a secret as a whole.
    ['files in volume phoenix-dev-secrets', creates(container, 'phoenix-secret-files', { name: 'phoenix-dev-secret-files', attach: true, uploads: '[secret]', volumes: [{ volumeName: 'phoenix-dev-secrets' }] })],
    ['files in volume bare', creates(container, 'bare', { name: 'bare', start: false })],
    ['network observability-dev', creates(network, 'network', { name: 'observability-dev' })],
    ['volume new', replaces(volume, 'data', { name: 'old' }, { name: 'new' })],
    ['image nginx:1.28.0', creates(image, 'gate-image', { name: 'nginx:1.28.0' })],
    ['generated secret phoenix-secret', creates(password, 'phoenix-secret')],
    ['DNS record phoenix.example.com', removes(dnsRecord, 'tunnel-dns-page', { name: 'phoenix.example.com' })],
    ['check that a trace arrives', changes('observability:index:DeliveryCheck', 'delivery', {})],
    ['API key in Phoenix: alloy', changes('observability:index:ApiKey', 'phoenix-key-alloy', { name: 'alloy' })],
    ['aws:s3/bucket:Bucket store', creates('aws:s3/bucket:Bucket', 'bucket', { name: 'store' })],
  ])('%s', (what, step) => {
    expect(whats(step)).toEqual([what]);
  });
});

describe('what is different', () => {
  const found = (step: Step): string[] => changesIn(digest(step)).changes.flatMap(({ differences }) => differences.map(({ name }) => name));

  test('is told of what changes or is replaced, not of what comes or goes as a whole', () => {
    const [before, after] = [{ name: 'a', user: '1' }, { name: 'a', user: '2' }];
    expect(found(changes(container, 'a', before, after))).toEqual(['user']);
    expect(found(replaces(container, 'a', before, after))).toEqual(['user']);
    expect(found(creates(container, 'a', after))).toEqual([]);
    expect(found(removes(container, 'a', before))).toEqual([]);
  });

  test('a secret that only the engine knows to be another one', () => {
    const step = changes(container, 'a', { envs: '[secret]' });
    expect(found(step)).toEqual([]);
    expect(found({ ...step, diffReasons: ['envs'] })).toEqual(['environment']);
    expect(found({ ...step, diffReasons: null })).toEqual([]);
  });

  test('what only follows from another change is not told: IDs of what it depends on', () => {
    const [before, after] = ['1', '2'].map((id) => ({ path: [id], server: id, entrance: id, auth: id }));
    expect(found(changes('observability:index:DeliveryCheck', 'delivery', before ?? {}, after))).toEqual(['auth']);
    expect(found(changes(container, 'other', before ?? {}, after))).toEqual(['auth', 'entrance', 'path', 'server']);
  });

  test.each(['config', 'secrets'])('nor the hash of a file that is shown as changed (%s), but another label is', (kind) => {
    const label = `llm-observability.stack.${kind}`;
    const labels = (...pairs: [string, string][]): Given => ({ labels: pairs.map(([name, value]) => ({ label: name, value })) });
    expect(found(replaces(container, 'a', labels([label, '1']), labels([label, '2'])))).toEqual([]);
    expect(found(replaces(container, 'a', labels([label, '1'], ['b', '1']), labels([label, '2'], ['b', '2'])))).toEqual(['labels']);
  });

  test('and that it is protected, before the rest', () => {
    const step = changes(volume, 'a', { name: 'a', driver: 'x' }, { name: 'a', driver: 'y' });
    expect(found({ ...step, newState: { ...step.newState, type: volume, protect: true } })).toEqual(['protected', 'driver']);
  });
});

test('of a real preview', () => {
  const { changes: found, same } = changesIn(digestIn(fs.readFileSync(`${__dirname}/fixtures/renamed.json`, 'utf8')) as Digest);
  expect([found.map(({ kind, what }) => `${kind} ${what}`), same]).toEqual([
    [
      'remove volume phoenix-dev-data',
      'replace intake of Phoenix',
      'replace job phoenix-dev-data-owner',
      'replace container phoenix-dev',
      'change check that a trace arrives',
      'change API key in Phoenix: alloy',
      'change settings that Phoenix takes through its API',
      'create volume phoenix-dev-store',
    ],
    2,
  ]);
});
