/**
 * `npm run pin` as a person types it, in this process: with a Docker Engine on loopback that asks a registry on loopback as
 * the real one does, and a copy of the catalog.
 */
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { images } from '../../components/catalog';
import { projectDir } from '../../ops/support/backend';
import { Failure } from '../../ops/support/say';
import { setEnvironment } from '../support/environment';
import { Registry } from '../support/registry';
import { listen } from '../support/said';
import type * as typed from '../support/typed';
import { endsWithTests, nobody } from '../support/web';

const mockCommand: { main?: () => Promise<void> } = {};
jest.mock('../../ops/support/command-line', () => jest.requireActual<typeof typed>('../support/typed').keptMain(() => [], (run) => (mockCommand.main = run)));
jest.mock('../../ops/support/backend', () => jest.requireActual<typeof typed>('../support/typed').ownBackend());

const catalog = path.join(projectDir, 'components', 'catalog.ts');
const original = fs.readFileSync(path.join(__dirname, '..', '..', 'components', 'catalog.ts'), 'utf8');

let registry: Registry;
let said: string[];
beforeEach(async () => {
  registry = await Registry.start();
  said = listen();
  fs.mkdirSync(path.dirname(catalog), { recursive: true });
  fs.writeFileSync(catalog, original);
  setEnvironment({ DOCKER_CONTEXT: undefined, DOCKER_TLS_VERIFY: undefined, DOCKER_CONFIG: projectDir });
});
afterEach(() => registry.close());

/** What `GET /distribution/…/json` of a Docker Engine does, as far as a pin sees it: asks the registry, here the one on loopback for all of them. */
async function engine(): Promise<string> {
  const server = http.createServer((request, response) => {
    const say = (status: number, body: object): void => void response.writeHead(status, { 'api-version': '1.51' }).end(JSON.stringify(body));
    const [, name = '', tag = ''] = /\/distribution\/(.+):([^/]+)\/json$/.exec(request.url ?? '') ?? [];
    if (name === '') {
      return say(200, { ApiVersion: '1.51', Version: '28.5.2', Arch: 'amd64' });
    }
    void fetch(`http://${registry.address}/v2/${name}/manifests/${tag}`).then(async (answer) => {
      const text = await answer.text();
      if (answer.status === 404) {
        return say(404, { message: 'manifest unknown: manifest unknown' });
      }
      if (answer.status >= 500) {
        return say(500, { message: `received unexpected HTTP status: ${answer.status} ${answer.statusText}` });
      }
      const { manifests } = JSON.parse(text) as { manifests?: { platform: object }[] };
      const mediaType = answer.headers.get('content-type');
      say(200, { Descriptor: { mediaType, digest: answer.headers.get('docker-content-digest'), size: text.length }, Platforms: manifests ? manifests.map(({ platform }) => platform) : [{ architecture: 'amd64', os: 'linux' }] });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endsWithTests(server);
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Runs it. @returns the message of the failure with which it ended */
async function pin(host: string): Promise<string | undefined> {
  setEnvironment({ DOCKER_HOST: host });
  jest.isolateModules(() => void require('../../ops/pin'));
  const error = await mockCommand.main?.().then(() => undefined, (reason: Error) => reason);
  expect(error === undefined || error.constructor.name === Failure.name).toBe(true);
  return error?.message;
}

/** Without a digest, which the catalog may have. */
const bare = (reference: string): string => reference.split('@')[0] ?? '';
const repositoryOf = (reference: string): [string, string] => bare(reference).split(':') as [string, string];

/** All pinned images, each for two processors. @returns their digests */
async function published(): Promise<Record<string, string>> {
  const entries = Object.entries(images).map(async ([service, reference]) => [service, await registry.store.putIndex(...repositoryOf(reference))] as const);
  return Object.fromEntries(await Promise.all(entries));
}

test('the digest of every index is written behind its tag, and nothing else is changed', async () => {
  const digests = await published();
  expect(await pin(await engine())).toBeUndefined();
  const pinned = Object.entries(images).reduce((source, [service, reference]) => source.replace(`'${reference}'`, `'${bare(reference)}@${digests[service]}'`), original);
  expect(fs.readFileSync(catalog, 'utf8')).toBe(pinned);
  expect(said).toEqual([...Object.entries(images).map(([service, reference]) => `${service}: ${bare(reference)}@${digests[service]}`), expect.stringMatching(/^Written to components\/catalog\.ts\./)]);
});

test('all that cannot be pinned is named at once, and nothing is written', async () => {
  await published();
  const [phoenix] = repositoryOf(images.phoenix);
  registry.set(phoenix, 'unavailable');
  await registry.store.putImage(...repositoryOf(images.gate));
  const [alloy, tag] = repositoryOf(images.alloy);
  registry.store.remove(alloy, tag);
  expect(await pin(await engine())).toBe([
    'Nothing was written: all digests or none.',
    `  phoenix: ${bare(images.phoenix)}: the registry is out of order (received unexpected HTTP status: 503 Service Unavailable)`,
    `  alloy: ${bare(images.alloy)}: the registry does not know it (manifest unknown: manifest unknown)`,
    `  gate: ${bare(images.gate)}: the registry has it for one platform only, and its digest would exclude all others`,
    '    npm run pin   # later',
    '    $EDITOR components/catalog.ts   # a version that exists',
    `    docker buildx imagetools inspect ${bare(images.gate)}`,
  ].join('\n'));
  expect(fs.readFileSync(catalog, 'utf8')).toBe(original);
});

test.each([
  ['twice', `${original}\nconst again = '${images.gate}';\n`, 'components/catalog.ts contains it more than once'],
  ['in another form', original.replace(`'${images.gate}'`, `\`${images.gate}\``), 'components/catalog.ts does not contain it as one string'],
])('a reference that stands there %s is not for a program to replace', async (_, source, why) => {
  await published();
  fs.writeFileSync(catalog, source);
  expect(await pin(await engine())).toContain(`  gate: ${bare(images.gate)}: ${why}\n`);
  expect(fs.readFileSync(catalog, 'utf8')).toBe(source);
});

test('an engine that does not answer is told of, and none is installed or started', async () => {
  const host = (await nobody()).replace('http:', 'tcp:');
  expect(await pin(host)).toMatch(new RegExp(`^The Docker Engine at ${host} \\(DOCKER_HOST\\) does not answer`));
  expect(fs.readFileSync(catalog, 'utf8')).toBe(original);
});
