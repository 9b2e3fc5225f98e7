import { firstAdmin, hostName, images, maxOtlpRequest, oldest, oldestEngineApi, ports, stackLabel, users, type ServiceName } from '../../components/catalog';
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

test('two stacks have no name in common', () => {
  const names = (stack: string): string[] => ['phoenix', 'alloy', 'observability'].flatMap((role) => [hostName(role, stack), hostName(role, stack, 'data')]);
  expect(names('dev').filter((name) => names('prod').includes(name))).toEqual([]);
});
