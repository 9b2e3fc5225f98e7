import { images, type ServiceName } from '../../components/catalog';
import { commandEnvironment, type Engine } from '../../engine';
import { forgetStale, surveyImages, type Survey } from '../../ops/support/image-survey';
import { imagesAtHand, imagesOfRun, partsToBuild, type Chosen, type RunOptions } from '../../ops/support/images';
import { buildPlan } from '../../ops/support/lab';
import { Failure } from '../../ops/support/say';
import { fakeEngine, type Answer, type FakeEngine } from '../support/fake-engine';
import { listen } from '../support/said';
import { nobody } from '../support/web';

jest.mock('../../ops/support/lab', () => ({ buildPlan: jest.fn(), told: (work: Promise<unknown>) => work }));

type Built = 'phoenix' | 'alloy' | 'gate';
const { phoenix, alloy, gate, tunnel, grafana } = images;
const tags: Readonly<Record<Built, string>> = { phoenix: 'lab/phoenix:20.26.1', alloy: 'lab/alloy:1.11.0', gate: 'lab/nginx:1.22.1' };

/** What lab/ has made, and what of it was built in this test. */
let there: Set<string>;
let built: string[];
let said: string[];
beforeEach(() => {
  there = new Set();
  built = [];
  said = listen();
  jest.mocked(buildPlan).mockReset().mockResolvedValue({
    plan: async (parts: readonly Built[]) => parts.filter((part) => !there.has(part)),
    image: async (part: Built) => tags[part],
    build: async (parts: readonly Built[]) => void parts.forEach((part) => (built.push(part), there.add(part))),
  } as never);
});

/** What a Docker Engine (28.5) answers when its network knows no name. */
const away: Answer = { status: 500, body: JSON.stringify({ message: 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 192.0.2.53:53: no such host' }) };
const answers = (status: number, message: string): Answer => ({ status, body: JSON.stringify({ message }) });
const known: Answer = {
  Descriptor: { mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json', digest: 'sha256:1d', size: 529 },
  Platforms: [{ architecture: 'amd64', os: 'linux' }, { architecture: 'arm64', os: 'linux' }],
};
const onEngine = (...references: string[]): Record<string, Answer> => Object.fromEntries(references.map((reference) => [`/images/${reference}/json`, { Id: 'sha256:1d' }]));
const inRegistry = (table: Readonly<Record<string, Answer>>): Record<string, Answer> => Object.fromEntries(Object.entries(table).map(([reference, answer]) => [`/distribution/${reference}/json`, answer]));
const noRegistry = inRegistry({ [phoenix]: away, [alloy]: away, [gate]: away, [tunnel]: away });

const engineWith = (table: Readonly<Record<string, Answer>>, over?: 'tcp'): Promise<FakeEngine> => fakeEngine({ '/version': { ApiVersion: '1.51', Arch: 'amd64' }, ...table }, over);
const noLogins = async (): Promise<object> => ({});
const survey = (engine: Engine, settings: Readonly<Record<string, string>> = {}): Promise<Survey> => surveyImages(engine, settings, { logins: noLogins });
const options: RunOptions = { stack: 'dev', consent: 'ask', again: 'npm run up', againMs: 0, logins: noLogins };
const chosen = async (engine: Engine, settings: Readonly<Record<string, string>> = {}, more: Partial<RunOptions> = {}): Promise<Chosen> =>
  imagesOfRun(engine, await survey(engine, settings), settings, { ...options, ...more });
const services = ({ images: surveyed }: Survey): string[] => surveyed.map(({ service }) => service);
const states = ({ images: surveyed }: Survey): Record<string, string> => Object.fromEntries(surveyed.map(({ service, state }) => [service, state.kind]));
async function failure(run: Promise<unknown>): Promise<string> {
  const error = await run.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(Failure);
  return (error as Failure).message;
}

describe('the survey', () => {
  test('images that are on the engine are taken as they are, and no registry is asked', async () => {
    const { engine, requests } = await engineWith(onEngine(phoenix, alloy, gate));
    expect(states(await survey(engine))).toEqual({ phoenix: 'on the engine', alloy: 'on the engine', gate: 'on the engine' });
    expect(requests.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([phoenix, alloy, gate].map((reference) => `GET /images/${reference}/json`).sort());
  });

  test('of the others it tells who has them', async () => {
    const { engine } = await engineWith({ ...onEngine(gate), ...inRegistry({ [phoenix]: known, [alloy]: answers(429, 'toomanyrequests: You have reached your unauthenticated pull rate limit.') }) });
    expect((await survey(engine)).images).toEqual([
      { service: 'phoenix', reference: phoenix, own: false, state: { kind: 'there', digest: 'sha256:1d', architectures: ['amd64', 'arm64'] } },
      { service: 'alloy', reference: alloy, own: false, state: expect.objectContaining({ kind: 'refused', sort: 'limited' }) },
      { service: 'gate', reference: gate, own: false, state: { kind: 'on the engine' } },
    ]);
  });

  test('one that is not made for the processor of the engine is none', async () => {
    const { engine } = await engineWith({ '/version': { ApiVersion: '1.51', Arch: 'riscv64' }, ...onEngine(phoenix, alloy), ...inRegistry({ [gate]: known }) });
    expect((await survey(engine)).images[2]?.state).toMatchObject({ kind: 'refused', sort: 'platform', why: 'it is made for amd64, arm64, and the engine runs on riscv64' });
  });

  test('logins go along with the questions', async () => {
    const mine = 'registry.example.com/team/alloy:v1.18.1';
    const { engine, requests } = await engineWith({ ...onEngine(phoenix, gate), ...inRegistry({ [mine]: known }) });
    await surveyImages(engine, { 'alloy:image': mine, 'docker:registryAuth': '[{"address":"registry.example.com","username":"ann","password":"s3cret"}]' });
    const asked = requests.find(({ url }) => url === `/distribution/${mine}/json`);
    expect(JSON.parse(Buffer.from(String(asked?.headers['x-registry-auth']), 'base64url').toString())).toEqual({ username: 'ann', password: 's3cret', serveraddress: 'registry.example.com' });
  });

  test.each<[string, Record<string, string>, ServiceName[]]>([
    ['a central stack', {}, ['phoenix', 'alloy', 'gate']],
    ['one at the edge has no Phoenix', { 'edge:central': 'prod' }, ['alloy', 'gate']],
    ['one that deploys Prometheus', { 'prometheus:enabled': 'true' }, ['phoenix', 'alloy', 'gate', 'prometheus']],
    ['one that publishes has a tunnel', { 'tunnel:hostname': 'phoenix.example.com' }, ['phoenix', 'alloy', 'gate', 'tunnel']],
    ['one that takes from other hosts too', { 'tunnel:otlpHostname': 'otlp.example.com' }, ['phoenix', 'alloy', 'gate', 'tunnel']],
    ['one with Grafana', { 'grafana:enabled': 'true' }, ['phoenix', 'alloy', 'gate', 'grafana']],
    ['one whose hostname is still to be filled in has none', { 'tunnel:hostname': ' ', 'tunnel:connectors': '3' }, ['phoenix', 'alloy', 'gate']],
  ])('%s', async (_, settings, expected) => {
    const { engine } = await engineWith(onEngine(phoenix, alloy, gate, tunnel, grafana));
    expect(services(await survey(engine, settings))).toEqual(expected);
  });

  test('what is no image is for the program to refuse, with every other setting', async () => {
    const { engine, requests } = await engineWith(onEngine(phoenix, gate));
    expect(services(await survey(engine, { 'alloy:image': 'grafana/alloy:latest' }))).toEqual(['phoenix', 'gate']);
    expect(requests.map(({ url }) => url).filter((url) => url.includes('alloy'))).toEqual([]);
  });

  test('an engine that does not answer is named, with the command', async () => {
    const engine: Engine = { host: (await nobody()).replace('http:', 'tcp:') };
    expect(await failure(survey(engine))).toMatch(new RegExp(`^The Docker Engine at ${engine.host} does not answer: .*ECONNREFUSED.*\n {4}DOCKER_HOST=${engine.host} docker info$`));
  });

  test('nor is one that answers something else taken for one without images', async () => {
    const { engine } = await engineWith({ ...onEngine(phoenix, alloy), [`/images/${gate}/json`]: answers(500, 'layer does not exist') });
    expect(await failure(survey(engine))).toContain('layer does not exist');
  });
});

describe('a deployment', () => {
  test('pulls what a registry has, and nothing stands in for anything', async () => {
    const { engine } = await engineWith({ ...onEngine(gate), ...inRegistry({ [phoenix]: known, [alloy]: known }) });
    const { images: instead, pull } = await chosen(engine);
    expect([instead, pull.map(({ service, reference }) => [service, reference])]).toEqual([{}, [['phoenix', phoenix], ['alloy', alloy]]]);
    expect(buildPlan).not.toHaveBeenCalled();
    expect(said).toEqual([]);
  });

  test('names at once all that is refused, why, and what helps', async () => {
    const mine = 'registry.example.com:5000/team/alloy:v1.18.1';
    const { engine } = await engineWith(inRegistry({
      [phoenix]: answers(429, 'toomanyrequests: You have reached your unauthenticated pull rate limit.'),
      [mine]: answers(403, 'denied: requested access to the resource is denied'),
      [gate]: answers(404, 'manifest unknown: manifest unknown'),
    }));
    expect(await failure(chosen(engine, { 'alloy:image': mine }))).toBe([
      '3 images cannot be pulled; nothing was deployed.',
      `  phoenix: ${phoenix} from Docker Hub: the registry answers 429: it was asked too often (toomanyrequests: You have reached your unauthenticated pull rate limit.)`,
      `  alloy: ${mine}: the registry requires a login that may pull it, or does not know it (denied: requested access to the resource is denied)`,
      `  gate: ${gate} from Docker Hub: the registry does not know it (manifest unknown: manifest unknown)`,
      '    docker login   # Docker Hub allows more pulls with a login',
      '    npm run up   # later',
      '    docker login registry.example.com:5000',
      `    npm run up -- -c alloy:image=${alloy}`,
      '    npm run up -- -c gate:image=nginx:VERSION   # a version that exists',
    ].join('\n'));
    expect([built, jest.mocked(buildPlan).mock.calls]).toEqual([[], []]);
  });

  test('names the stack and the command that goes on', async () => {
    const { engine } = await engineWith({ ...onEngine(phoenix, alloy), ...inRegistry({ [gate]: answers(404, 'manifest unknown: manifest unknown') }) });
    expect(await failure(chosen(engine, {}, { stack: 'prod', again: 'npm run adopt' }))).toContain('npm run up -- --stack prod -c gate:image=');
  });

  test('builds nothing while one image is refused, though others cannot be reached', async () => {
    const { engine } = await engineWith({ ...noRegistry, ...inRegistry({ [gate]: answers(500, 'received unexpected HTTP status: 503 Service Unavailable') }) });
    expect(await failure(chosen(engine))).toMatch(/^An image cannot be pulled[^]*gate: .*503/);
    expect(built).toEqual([]);
  });
});

describe('where no registry can be reached', () => {
  test('what can be built is, on the engine of the stack, for this run', async () => {
    const { engine } = await engineWith(noRegistry);
    expect(await chosen(engine, {}, { consent: 'yes' })).toEqual({ images: tags, pull: [] });
    expect(built).toEqual(['phoenix', 'alloy', 'gate']);
    expect(jest.mocked(buildPlan).mock.calls.at(-1)).toEqual([['phoenix', 'alloy', 'gate'], 'yes', { env: commandEnvironment(engine) }]);
    expect(said).toEqual([
      `Images of phoenix, alloy, gate: no registry can be reached (Docker Hub: its name is not known where the engine runs); using ${tags.phoenix}, ${tags.alloy}, ${tags.gate} for this run`,
    ]);
  });

  test('part by part: only what cannot be had', async () => {
    const { engine } = await engineWith({ ...onEngine(phoenix), ...inRegistry({ [alloy]: away, [gate]: known }) });
    const { images: instead, pull } = await chosen(engine);
    expect([instead, pull.map(({ service }) => service), built]).toEqual([{ alloy: tags.alloy }, ['gate'], ['alloy']]);
  });

  test('what was built before is used without a question, and the registry is not asked once more for it', async () => {
    there = new Set(['phoenix', 'alloy', 'gate']);
    const { engine, requests } = await engineWith(noRegistry);
    expect((await chosen(engine, {}, { consent: 'never' })).images).toEqual(tags);
    expect([built, requests.filter(({ url }) => url.startsWith('/distribution/')).length]).toEqual([[], 3]);
    expect(jest.mocked(buildPlan).mock.calls.map(([parts]) => parts)).toEqual([[]]);
  });

  test('who says no gets no build', async () => {
    const { engine } = await engineWith(noRegistry);
    const ready = await (buildPlan as unknown as () => Promise<unknown>)();
    jest.mocked(buildPlan).mockImplementation(async (parts) => {
      if (parts.length > 0) {
        throw new Failure('Nothing was built.');
      }
      return ready as never;
    });
    expect(await failure(chosen(engine))).toBe('Nothing was built.');
    expect(built).toEqual([]);
  });

  test('a network that comes back meanwhile is seen before anything is built', async () => {
    let asked = 0;
    const path = `/distribution/${gate}/json`;
    const table = { '/version': { Arch: 'amd64' }, ...onEngine(phoenix, alloy) };
    Object.defineProperty(table, path, { get: () => (asked++ === 0 ? away : known) });
    const { engine } = await fakeEngine(table);
    const { images: instead, pull } = await chosen(engine);
    expect([instead, pull.map(({ service }) => service), built]).toEqual([{}, ['gate'], []]);
  });

  test('an image that somebody has set is not for this program to replace', async () => {
    there = new Set(['phoenix', 'alloy', 'gate']);
    const mine = 'registry.invalid/team/alloy:v1.18.1';
    const { engine } = await engineWith({ ...noRegistry, ...inRegistry({ [mine]: away }) });
    const message = await failure(chosen(engine, { 'alloy:image': mine }));
    expect(message).toMatch(/^An image cannot be pulled; nothing was deployed\.\n {2}alloy: registry\.invalid\/team\/alloy:v1\.18\.1: its name is not known/);
    expect(message).toContain('npm run up -- -c alloy:image=');
  });

  test('cloudflared is not built: it leads to where only who reaches a registry gets', async () => {
    there = new Set(['phoenix', 'alloy', 'gate']);
    const { engine } = await engineWith(noRegistry);
    expect(await failure(chosen(engine, { 'tunnel:hostname': 'phoenix.example.com' }))).toContain(`tunnel: ${tunnel} from Docker Hub: its name is not known`);
  });

  test('nothing is built on an engine elsewhere, and the lab is not asked', async () => {
    const { engine } = await engineWith(noRegistry, 'tcp');
    expect(await failure(chosen(engine))).toMatch(/^3 images cannot be pulled/);
    expect(partsToBuild(engine, await survey(engine))).toEqual([]);
    expect(buildPlan).not.toHaveBeenCalled();
  });

  test('an engine without the docker command line beside it says what is missing', async () => {
    jest.mocked(buildPlan).mockRejectedValue(new Failure('docker is not on PATH.'));
    const { engine } = await engineWith(noRegistry);
    expect(await failure(chosen(engine))).toBe('docker is not on PATH.');
    expect(await imagesAtHand(engine, await survey(engine))).toEqual({});
  });
});

describe('a preview', () => {
  test('uses what was built before, builds nothing and says nothing; the others keep their names', async () => {
    there = new Set(['alloy']);
    const { engine } = await engineWith(noRegistry);
    expect(await imagesAtHand(engine, await survey(engine))).toEqual({ alloy: tags.alloy });
    expect([built, said]).toEqual([[], []]);
  });

  test('uses the published image as soon as a registry answers, whatever it says', async () => {
    there = new Set(['phoenix', 'alloy', 'gate']);
    const { engine } = await engineWith({ ...onEngine(phoenix), ...inRegistry({ [alloy]: known, [gate]: answers(500, 'received unexpected HTTP status: 503 Service Unavailable') }) });
    expect(await imagesAtHand(engine, await survey(engine))).toEqual({});
    expect(buildPlan).not.toHaveBeenCalled();
  });
});

test('a plan for all that is to be built knows the images', async () => {
  const { engine } = await engineWith({ ...onEngine(gate), ...noRegistry });
  expect(partsToBuild(engine, await survey(engine, { 'alloy:image': 'mine/alloy:1.12.0' }))).toEqual(['phoenix']);
});

describe('what an earlier version wrote into the stack file', () => {
  const file = { 'phoenix:image': 'lab/phoenix:20.26.1', 'alloy:image': 'lab/alloy:1.11.0', 'gate:image': 'lab/nginx:1.22.1' };

  test('counts as not set: the published images are looked for', async () => {
    const { engine } = await engineWith({ ...onEngine(...Object.values(tags)), ...inRegistry({ [phoenix]: known, [alloy]: known, [gate]: known }) });
    const found = await survey(engine, file);
    expect(found.images.map(({ reference, own }) => [reference, own])).toEqual([[phoenix, false], [alloy, false], [gate, false]]);
    expect(found.stale).toEqual(['phoenix:image', 'alloy:image', 'gate:image']);
  });

  test('is removed, with a line', async () => {
    const { engine } = await engineWith(onEngine(phoenix, alloy, gate));
    const removed: (readonly string[])[] = [];
    await forgetStale(await survey(engine, { 'alloy:image': 'lab/alloy:1.11.0' }), async (keys) => removed.push(keys));
    expect(removed).toEqual([['alloy:image']]);
    expect(said).toEqual(['Removed from the stack file: alloy:image, which named what an earlier version had built here. Which image a run uses is now decided in each run.']);
    await forgetStale(await survey(engine, {}), async (keys) => removed.push(keys));
    expect([removed.length, said.length]).toEqual([1, 1]);
  });

  test('somebody\'s own build is theirs, in whatever folder', async () => {
    const own = { 'alloy:image': 'lab/alloy-mine:1.11.0', 'gate:image': 'lab/gate:1.22.1', 'tunnel:hostname': 'a.example.com', 'tunnel:image': 'lab/cloudflared:2026.8.2' };
    const { engine } = await engineWith(onEngine(phoenix, 'lab/alloy-mine:1.11.0', 'lab/gate:1.22.1', 'lab/cloudflared:2026.8.2'));
    const found = await survey(engine, own);
    expect([found.stale, found.images.filter((one) => one.own).map(({ reference }) => reference)]).toEqual([[], ['lab/alloy-mine:1.11.0', 'lab/gate:1.22.1', 'lab/cloudflared:2026.8.2']]);
  });
});
