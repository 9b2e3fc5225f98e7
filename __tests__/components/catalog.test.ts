import * as fc from 'fast-check';
import { firstAdmin, hostName, hostNames, images, isStackName, maxConnectors, maxOtlpRequest, oldest, oldestEngineApi, ports, stackLabel, users, type ServiceName } from '../../components/catalog';
import * as values from '../../components/values';

const services = Object.keys(images) as ServiceName[];

test.each(services)('the image of %s is a reference that its own setting accepts, with a version', (service) => {
  expect(values.image(service)(images[service])).toBe(images[service]);
  expect(values.versionOf(images[service])).toMatch(/^\d+\.\d+\.\d+$/);
});

test.each(services)('the pinned version of %s is not older than the oldest supported one', (service) => {
  expect(values.compareVersions(values.versionOf(images[service]) ?? '', oldest[service])).toBeGreaterThanOrEqual(0);
});

test('names and numbers that data, applications and other programs rely on', () => {
  // Spelled again on purpose: a change here orphans volumes, or locks users out.
  expect(ports).toEqual({
    phoenix: { ui: 6006, otlpGrpc: 4317, metrics: 9090 },
    alloy: { otlpGrpc: 4317, otlpHttp: 4318, ui: 12345 },
    gate: { otlpHttp: 4318, health: 8080 },
    tunnel: { metrics: 20241 },
  });
  expect(users).toEqual({ phoenix: '65532:65532', alloy: '473:473', gate: '101:101', tunnel: '65532:65532' });
  expect(firstAdmin).toBe('admin@localhost');
  expect(stackLabel).toBe('llm-observability.stack');
  expect(oldestEngineApi).toBe('1.41');
  expect(maxOtlpRequest).toBe('64MiB');
});

test.each([
  [['phoenix', 'dev'], 'phoenix-dev'],
  [['phoenix', 'dev', 'data'], 'phoenix-dev-data'],
  [['observability', 'prod-eu'], 'observability-prod-eu'],
] as const)('hostName(%j) is %s', ([role, stack, part], name) => {
  expect(hostName(role, stack, part)).toBe(name);
});

/** Every name of a stack, with the kind of thing it is for. */
const namesOf = (stack: string, atEdge: boolean): string[] =>
  Object.entries(hostNames(stack, atEdge)).flatMap(([kind, names]) => names.map((name) => `${kind} ${name}`));

describe('the names of a stack on its Docker host', () => {
  // Spelled again on purpose: another name is another volume, without the data. What the program makes is held against
  // these in program.test.ts.
  test('one at the edge', () => {
    expect(hostNames('dev', true)).toEqual({
      container: ['central-dev-gate', 'central-dev-gate-config-files', 'alloy-dev', 'alloy-dev-config-files', 'alloy-dev-secret-files'],
      volume: ['central-dev-gate-config', 'alloy-dev-data', 'alloy-dev-config', 'alloy-dev-secrets'],
      network: ['observability-dev'],
    });
  });

  test('one with Phoenix, and with as many connectors as a tunnel can have', () => {
    const { container, volume, network } = hostNames('dev', false);
    const connectors = container.filter((name) => /^tunnel-dev-\d+$/.test(name));
    expect(container.filter((name) => !connectors.includes(name))).toEqual([
      'phoenix-dev', 'phoenix-dev-data-owner', 'tunnel-dev-secret-files', 'phoenix-dev-gate', 'phoenix-dev-gate-config-files',
      'alloy-dev', 'alloy-dev-config-files', 'alloy-dev-secret-files',
    ]);
    expect([connectors.length, connectors[0], connectors.at(-1)]).toEqual([maxConnectors, 'tunnel-dev-1', 'tunnel-dev-25']);
    expect(volume).toEqual(['phoenix-dev-data', 'tunnel-dev-secrets', 'phoenix-dev-gate-config', 'alloy-dev-data', 'alloy-dev-config', 'alloy-dev-secrets']);
    expect(network).toEqual(['observability-dev']);
  });

  test.each([true, false])('none is there twice, and none is that of another stack (at the edge: %s)', (atEdge) => {
    const names = namesOf('dev', atEdge);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => [...namesOf('prod', true), ...namesOf('prod', false)].includes(name))).toEqual([]);
  });
});

describe('what a stack may be called', () => {
  test.each(['dev', 'Prod-EU', '2026.11', 'a_b', 'a', 'a'.repeat(41)])('%s', (name) => expect(isStackName(name)).toBe(true));

  test.each(['', '-dev', '.dev', '_dev', 'a b', 'a/b', 'org/project/dev', '../dev', 'dév', 'dev\n', 'a'.repeat(42)])('not %j', (name) =>
    expect(isStackName(name)).toBe(false));

  test('whatever it is, Docker takes every name that is made of it', () => {
    const docker = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
    fc.assert(
      fc.property(fc.stringMatching(/^[\w.-]{1,42}$/).filter(isStackName), fc.boolean(), (stack, atEdge) => {
        const { container, volume, network } = hostNames(stack, atEdge);
        expect([...container, ...volume, ...network].filter((name) => !docker.test(name))).toEqual([]);
      }),
    );
  });
});
