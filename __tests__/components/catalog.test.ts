import * as fs from 'node:fs';
import * as fc from 'fast-check';
import { firstAdmin, images, oldest, oldestEngineApi, ports, users, type ServiceName } from '../../components/catalog';
import { hostName, hostNames, isStackName, maxConnectors, stackLabel } from '../../components/names';
import { reliedOn, type Reliance } from '../../components/relied-on';
import { compareVersions, versionOf } from '../../components/image-reference';
import { image } from '../../settings/image-parse';
import { withTable } from '../../ops/support/readme-tables';
import { updating } from '../support/golden';
import { rows } from '../support/rows';

const services = Object.keys(images) as ServiceName[];

test.each(services)('the image of %s is a reference that its own setting accepts, with a version', (service) => {
  expect(image(service)(images[service])).toBe(images[service]);
  expect(versionOf(images[service])).toMatch(/^\d+\.\d+\.\d+$/);
});

test.each(services)('the pinned version of %s is not older than the oldest supported one', (service) => {
  expect(compareVersions(versionOf(images[service]) ?? '', oldest[service])).toBeGreaterThanOrEqual(0);
});

describe('what is relied on in the images', () => {
  const rows = (service: ServiceName): readonly Reliance[] => reliedOn[service];

  test('sets the oldest version of each', () => {
    expect(Object.keys(reliedOn)).toEqual(services);
    expect(oldest).toEqual({ phoenix: '18.1.0', alloy: '1.11.0', gate: '1.18.0', tunnel: '2025.4.0', prometheus: '2.33.0', grafana: '11.1.0', victorialogs: '1.52.1' });
  });

  test.each(services)('%s: every row has a version and somebody who needs it, and asks for no newer one than is pinned', (service) => {
    for (const { what, since, where, without } of rows(service)) {
      expect([what, where].every((text) => text !== '' && text.trim() === text)).toBe(true);
      expect(since).toMatch(/^\d+\.\d+\.\d+$/);
      expect(compareVersions(since, versionOf(images[service]) ?? '')).toBeLessThanOrEqual(0);
      if (without === undefined) {
        expect(compareVersions(since, oldest[service])).toBeLessThanOrEqual(0);
      }
    }
  });

  test.each(services)("%s: the user whom the containers run as is in it", (service) => {
    expect(rows(service).map(({ what, where }) => `${what} ${where}`).join()).toContain(users[service]);
  });

  test("so are Phoenix's ports, which are its own", () => {
    const text = rows('phoenix').map(({ what }) => what).join();
    expect(Object.values(ports.phoenix).filter((port) => !text.includes(String(port)))).toEqual([]);
  });

  test('docs/images.md shows it', () => {
    const file = 'docs/images.md';
    const table = services.flatMap((service) => [
      `**${service}**, \`${images[service]}\`, ${oldest[service]} or newer`,
      '',
      '| Relied on | Since | For |',
      '| --- | --- | --- |',
      ...rows(service).map(({ what, since, where, without }) => `| ${what} | ${since}${without === undefined ? '' : `; on older ones ${without}`} | ${where} |`),
      '',
    ]).join('\n');
    const now = fs.readFileSync(file, 'utf8');
    const expected = withTable(now, 'relied on', table);
    if (updating() && now !== expected) {
      fs.writeFileSync(file, expected);
    }
    expect(fs.readFileSync(file, 'utf8')).toBe(expected);
  });
});

test('names and numbers that data, applications and other programs rely on', () => {
  // Spelled again on purpose: a change here orphans volumes, or locks users out.
  expect(ports).toEqual({
    phoenix: { ui: 6006, otlpGrpc: 4317, metrics: 9090 },
    alloy: { otlpGrpc: 4317, otlpHttp: 4318, ui: 12345, tlsGrpc: 14317, tlsHttp: 14318 },
    gate: { otlpHttp: 4318, health: 14319, ui: 6006, directGrpc: 4317, directHttp: 14318, tlsUi: 16006, tlsGrpc: 24317, tlsHttp: 24318, page: 9090 },
    journal: { otlpHttp: 4318 },
    example: { http: 10000 },
    tunnel: { metrics: 20241 },
    prometheus: { web: 9090 },
    victorialogs: { web: 9428 },
    grafana: { ui: 3000 },
  });
  expect(users).toEqual({ phoenix: '65532:65532', alloy: '473:473', gate: '101:101', journal: '65532:65532', example: '65532:65532', tunnel: '65532:65532', prometheus: '65534:65534', grafana: '472:0', victorialogs: '65532:65532' });
  expect(firstAdmin).toBe('admin@localhost');
  expect(stackLabel).toBe('llm-observability.stack');
  expect(oldestEngineApi).toBe('1.41');
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
      container: ['central-dev-gate', 'central-dev-gate-config-files', 'prometheus-dev-gate', 'prometheus-dev-gate-config-files', 'loki-dev-gate', 'loki-dev-gate-config-files', 'victorialogs-dev-gate', 'victorialogs-dev-gate-config-files', 'central-dev-gate-data-owner', 'prometheus-dev', 'prometheus-dev-data-owner', 'prometheus-dev-config-files', 'prometheus-dev-config-check', 'victorialogs-dev', 'victorialogs-dev-data-owner', 'alloy-dev', 'alloy-dev-config-files', 'alloy-dev-secret-files', 'alloy-dev-tls-files'],
      volume: ['central-dev-gate-config', 'prometheus-dev-gate-config', 'loki-dev-gate-config', 'victorialogs-dev-gate-config', 'central-dev-gate-data', 'prometheus-dev-data', 'prometheus-dev-config', 'victorialogs-dev-data', 'alloy-dev-data', 'alloy-dev-config', 'alloy-dev-secrets', 'alloy-dev-tls'],
      network: ['observability-dev'],
    });
  });

  test('one with Phoenix, and with as many connectors as a tunnel can have', () => {
    const { container, volume, network } = hostNames('dev', false);
    const connectors = container.filter((name) => /^tunnel-dev-\d+$/.test(name));
    expect(container.filter((name) => !connectors.includes(name))).toEqual([
      'phoenix-dev', 'phoenix-dev-data-owner', 'phoenix-dev-secret-files', 'tunnel-dev-secret-files', 'journal-dev', 'journal-dev-data-owner', 'journal-dev-secret-files',
      'phoenix-dev-gate', 'phoenix-dev-gate-config-files', 'prometheus-dev-gate', 'prometheus-dev-gate-config-files', 'loki-dev-gate', 'loki-dev-gate-config-files', 'victorialogs-dev-gate', 'victorialogs-dev-gate-config-files', 'phoenix-dev-gate-ingest-keys', 'phoenix-dev-gate-tls-files', 'phoenix-dev-egress', 'phoenix-dev-egress-config-files', 'phoenix-dev-database', 'phoenix-dev-database-config-files', 'phoenix-dev-database-check',
      'prometheus-dev', 'prometheus-dev-data-owner', 'prometheus-dev-config-files', 'prometheus-dev-config-check', 'victorialogs-dev', 'victorialogs-dev-data-owner', 'grafana-dev', 'grafana-dev-config-files', 'grafana-dev-secret-files', 'alloy-dev', 'alloy-dev-config-files', 'alloy-dev-secret-files', 'alloy-dev-tls-files',
      'example-dev', 'example-dev-program-files', 'example-dev-secret-files',
    ]);
    expect([connectors.length, connectors[0], connectors.at(-1)]).toEqual([maxConnectors, 'tunnel-dev-1', 'tunnel-dev-25']);
    expect(volume).toEqual(['phoenix-dev-data', 'phoenix-dev-secrets', 'tunnel-dev-secrets', 'journal-dev-data', 'journal-dev-secrets', 'phoenix-dev-gate-config', 'prometheus-dev-gate-config', 'loki-dev-gate-config', 'victorialogs-dev-gate-config', 'phoenix-dev-gate-ingest', 'phoenix-dev-gate-tls', 'phoenix-dev-egress-config', 'phoenix-dev-database-config', 'prometheus-dev-data', 'prometheus-dev-config', 'victorialogs-dev-data', 'grafana-dev-data', 'grafana-dev-config', 'grafana-dev-secrets', 'alloy-dev-data', 'alloy-dev-config', 'alloy-dev-secrets', 'alloy-dev-tls', 'example-dev-program', 'example-dev-secrets']);
    expect(network).toEqual(['observability-dev', 'observability-dev-store']);
  });

  test.each([true, false])('none is there twice, and none is that of another stack (at the edge: %s)', (atEdge) => {
    const names = namesOf('dev', atEdge);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => [...namesOf('prod', true), ...namesOf('prod', false)].includes(name))).toEqual([]);
  });
});

describe('what a stack may be called', () => {
  rows(['dev', 'Prod-EU', '2026.11', 'a_b', 'a', 'a'.repeat(41)])('%s', (name) => expect(isStackName(name)).toBe(true));

  rows(['', '-dev', '.dev', '_dev', 'a b', 'a/b', 'org/project/dev', '../dev', 'dév', 'dev\n', 'a'.repeat(42)])('not %j', (name) =>
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
