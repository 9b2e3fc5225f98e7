/**
 * The seed's set-up: two compose projects, as the survey has read them and as the engine lists them.
 */
import { oldSetup, type OldSetup } from '../../../ops/support/adopt/old-setup';
import type { OldContainer } from '../../../ops/support/adopt/old-container';
import type { Adoption } from '../../../ops/support/adopt/record';
import { composed, fakeContainer, type FakeContainer } from '../../support/fake-docker';

export const nobody = { phoenix: undefined, alloy: undefined };

export const up = {
  phoenix: 'cd /srv/arize-phoenix && docker compose -p arize-phoenix -f /srv/arize-phoenix/docker-compose.yml up -d',
  alloy: 'cd /srv/alloy && docker compose -p alloy up -d',
};

export const phoenix = (over: Partial<OldContainer> = {}): OldContainer => ({
  name: 'arize-phoenix-phoenix-1', status: 'running', image: 'arizephoenix/phoenix:latest', imageId: 'sha256:1d',
  env: { PHOENIX_WORKING_DIR: '/phoenix_storage' }, args: [],
  mounts: [{ kind: 'volume', source: 'arize-phoenix_phoenix_data', path: '/phoenix_storage' }],
  published: [], onHostNetwork: false, networks: [], removedAtStop: false, composeUp: up.phoenix, ...over,
});

export const alloy = (over: Partial<OldContainer> = {}): OldContainer =>
  phoenix({ name: 'grafana-alloy', image: 'grafana/alloy:v1.18.1', env: {}, mounts: [], composeUp: up.alloy, ...over });

/** Ports as the compose files publish them, host port by port of the container. */
export const seedPorts = { phoenix: { 6006: 6006, 4317: 14317, 4318: 14318 }, alloy: { 4317: 4317, 4318: 4318, 12345: 12345 } } as const;

export const published = (ports: Readonly<Record<number, number>>, address = '127.0.0.1'): OldContainer['published'] =>
  Object.entries(ports).map(([internal, external]) => ({ internal: Number(internal), external, address }));

/** The set-up with its ports, and what of it differs. */
export function setupOf(over: { phoenix?: Partial<OldContainer>; alloy?: Partial<OldContainer> } = {}): OldSetup {
  const { setup } = oldSetup([
    phoenix({ published: published(seedPorts.phoenix), ...over.phoenix }),
    alloy({ published: published(seedPorts.alloy), ...over.alloy }),
  ], { phoenix: over.phoenix?.name, alloy: over.alloy?.name }, 'dev');
  return setup as OldSetup;
}

type Shape = Parameters<typeof fakeContainer>[1];

/** On an engine, at work; published on every address, as the compose files do. */
export const runningPhoenix = (over: Shape = {}): FakeContainer =>
  fakeContainer('arize-phoenix-phoenix-1', {
    image: 'arizephoenix/phoenix:latest', labels: composed('arize-phoenix', 'phoenix'), env: { PHOENIX_WORKING_DIR: '/phoenix_storage' }, ports: seedPorts.phoenix,
    mounts: [{ Type: 'volume', Name: 'arize-phoenix_phoenix_data', Source: '/var/lib/docker/volumes/arize-phoenix_phoenix_data/_data', Destination: '/phoenix_storage' }],
    ...over,
  });
export const runningAlloy = (over: Shape = {}): FakeContainer =>
  fakeContainer('grafana-alloy', { image: 'grafana/alloy:v1.18.1', labels: composed('grafana-alloy', 'alloy'), ports: seedPorts.alloy, ...over });

/** The record of an adoption by the stack `dev`. */
export const adoption = (over: Partial<Adoption> = {}): Adoption => ({
  phase: 'adopted', rehearsal: { 4317: 4417, 4318: 4418, 12345: 12445 }, phoenix: 'arize-phoenix-phoenix-1', alloy: 'grafana-alloy', port: '6006',
  data: { image: 'sha256:arize-phoenix-phoenix-1', mount: { kind: 'volume', source: 'arize-phoenix_phoenix_data', path: '/phoenix_storage' }, directory: '/phoenix_storage' },
  ...over,
});

export const recordLabel = 'llm-observability.adoption';
