import { images } from '../../components/catalog';
import { alloyImage, gateImage, phoenixImage } from '../../lab/images';
import { askRegistry } from '../../ops/support/registry';
import { imageSettings } from '../../ops/support/images';
import { setEnvironment } from '../support/environment';
import { fakeEngine, type FakeEngine } from '../support/fake-engine';
import { listen } from '../support/said';

jest.mock('../../lab/images', () => ({ phoenixImage: jest.fn(), alloyImage: jest.fn(), gateImage: jest.fn() }));
jest.mock('../../ops/support/registry', () => ({ askRegistry: jest.fn() }));

type ServiceName = 'phoenix' | 'alloy' | 'gate';
const { phoenix, alloy, gate } = images;
const built: Readonly<Record<ServiceName, string>> = { phoenix: 'lab/phoenix:20.26.1-abc', alloy: 'lab/alloy:1.11.0-def', gate: 'lab/gate:1.22.1-012' };
const builders = { phoenix: phoenixImage, alloy: alloyImage, gate: gateImage };

/** The engine each image was built on, as the docker command line would find it. */
let builtOn: Record<string, string | undefined>;
let said: string[];
beforeEach(() => {
  builtOn = {};
  said = listen();
  setEnvironment({ DOCKER_HOST: undefined });
  for (const service of Object.keys(built) as ServiceName[]) {
    jest.mocked(builders[service]).mockReset().mockImplementation(async () => {
      builtOn[service] = process.env['DOCKER_HOST'];
      return built[service];
    });
  }
  jest.mocked(askRegistry).mockReset().mockResolvedValue({ answers: false });
});

const engineWith = (...references: string[]): Promise<FakeEngine> =>
  fakeEngine(Object.fromEntries(references.map((reference) => [`/images/${reference}/json`, { Id: 'sha256:1d' }])));
const probed = (): string[] => jest.mocked(askRegistry).mock.calls.map(([, reference]) => reference).sort();

test('images that are on the engine are taken as they are, and no registry is asked', async () => {
  const { host, requests } = await engineWith(phoenix, alloy, gate);
  expect(await imageSettings({ 'docker:host': host })).toEqual({});
  expect(requests.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([phoenix, alloy, gate].map((reference) => `GET /images/${reference}/json`).sort());
  expect(probed()).toEqual([]);
  expect(builtOn).toEqual({});
});

test('images whose registry answers are pulled by the deployment', async () => {
  jest.mocked(askRegistry).mockResolvedValue({ answers: true });
  const { host } = await engineWith();
  expect(await imageSettings({ 'docker:host': host })).toEqual({});
  expect(probed()).toEqual([phoenix, alloy, gate].sort());
  expect(builtOn).toEqual({});
  expect(said).toEqual([]);
});

test('what cannot be had is built on the engine of the stack, said and stored', async () => {
  const { host } = await engineWith();
  expect(await imageSettings({ 'docker:host': host })).toEqual({ 'phoenix:image': built.phoenix, 'alloy:image': built.alloy, 'gate:image': built.gate });
  expect(builtOn).toEqual({ phoenix: host, alloy: host, gate: host });
  expect(said.sort()).toEqual([
    `Image of alloy: the registry of ${alloy} does not answer; using ${built.alloy} (setting alloy:image)`,
    `Image of gate: the registry of ${gate} does not answer; using ${built.gate} (setting gate:image)`,
    `Image of phoenix: the registry of ${phoenix} does not answer; using ${built.phoenix} (setting phoenix:image)`,
  ]);
});

test('part by part: only what cannot be had', async () => {
  const { host } = await engineWith(phoenix, gate);
  expect(await imageSettings({ 'docker:host': host })).toEqual({ 'alloy:image': built.alloy });
  expect(probed()).toEqual([alloy]);
  expect(builtOn).toEqual({ alloy: host });
});

test("a person's own image is theirs", async () => {
  const { host, requests } = await engineWith();
  const settings = { 'docker:host': host, 'phoenix:image': 'registry.example/phoenix:20.0.0', 'alloy:image': 'mine/alloy:1.12.0', 'gate:image': 'mine/nginx:1.29.0' };
  expect(await imageSettings(settings)).toEqual({});
  expect([requests, probed(), builtOn]).toEqual([[], [], {}]);
});

test('an image that was built before is looked after by its builder, and nothing is stored again', async () => {
  const { host } = await engineWith();
  expect(await imageSettings({ 'docker:host': host, 'phoenix:image': built.phoenix, 'alloy:image': built.alloy, 'gate:image': built.gate })).toEqual({});
  expect(builtOn).toEqual({ phoenix: host, alloy: host, gate: host });
  expect(said).toEqual([]);
});

test('a newer one takes the place of one that was built before', async () => {
  const { host } = await engineWith(phoenix, alloy, gate);
  expect(await imageSettings({ 'docker:host': host, 'phoenix:image': 'lab/phoenix:19.0.0-old' })).toEqual({ 'phoenix:image': built.phoenix });
});

test('nothing is built on an engine elsewhere', async () => {
  const { host } = await fakeEngine({}, 'tcp');
  expect(await imageSettings({ 'docker:host': host })).toEqual({});
  expect([probed(), builtOn]).toEqual([[], {}]);
});

test('without a setting the engine is the one of DOCKER_HOST', async () => {
  const { host } = await engineWith(phoenix, alloy, gate);
  setEnvironment({ DOCKER_HOST: host });
  expect(await imageSettings({})).toEqual({});
});

describe('a stack at the edge', () => {
  const atEdge = { 'edge:central': 'prod' };

  test('needs no image of Phoenix: nobody looks for one', async () => {
    const { host, requests } = await engineWith(alloy, gate);
    expect(await imageSettings({ ...atEdge, 'docker:host': host })).toEqual({});
    expect(requests.map(({ url }) => url).sort()).toEqual([alloy, gate].map((reference) => `/images/${reference}/json`).sort());
    expect(probed()).toEqual([]);
  });

  test('nor is one built where there is no registry', async () => {
    const { host } = await engineWith();
    expect(await imageSettings({ ...atEdge, 'docker:host': host })).toEqual({ 'alloy:image': built.alloy, 'gate:image': built.gate });
    expect(builtOn).toEqual({ alloy: host, gate: host });
    expect(phoenixImage).not.toHaveBeenCalled();
    expect(probed()).toEqual([alloy, gate].sort());
    expect(said.sort()).toEqual([
      `Image of alloy: the registry of ${alloy} does not answer; using ${built.alloy} (setting alloy:image)`,
      `Image of gate: the registry of ${gate} does not answer; using ${built.gate} (setting gate:image)`,
    ]);
  });
});

test('cloudflared is neither looked for nor built: it leads to where only who reaches a registry gets', async () => {
  const published = { 'tunnel:hostname': 'phoenix.example.com', 'tunnel:image': 'lab/cloudflared:2026.8.2-345' };
  const { host, requests } = await engineWith();
  expect(await imageSettings({ ...published, 'docker:host': host })).toEqual({ 'phoenix:image': built.phoenix, 'alloy:image': built.alloy, 'gate:image': built.gate });
  expect([...requests.map(({ url }) => url), ...probed()].filter((one) => one.includes('cloudflared'))).toEqual([]);
  expect(probed()).toEqual([phoenix, alloy, gate].sort());
});
