import type { Engine } from '../../engine';
import { askRegistry, registryNamed } from '../../ops/support/registry';
import { helpWith, troubleOf } from '../../ops/support/registry-trouble';
import { fakeEngine } from '../support/fake-engine';
import { words } from '../support/registry-words';
import { nobody } from '../support/web';
import { rows } from '../support/rows';

const reference = 'grafana/alloy:v1.18.1';
const path = `/distribution/${reference}/json`;
const list = 'application/vnd.docker.distribution.manifest.list.v2+json';
const manifest = 'application/vnd.docker.distribution.manifest.v2+json';

test('a registry that knows the image gives its digest, and for which processors it is made', async () => {
  const answer = {
    Descriptor: { mediaType: list, digest: 'sha256:1d', size: 529 },
    Platforms: [{ architecture: 'amd64', os: 'linux' }, { architecture: 'arm64', os: 'linux', variant: 'v8' }, { architecture: 'unknown', os: 'unknown' }],
  };
  const { engine } = await fakeEngine({ [path]: answer });
  expect(await askRegistry(engine, reference)).toEqual({ kind: 'there', digest: 'sha256:1d', architectures: ['amd64', 'arm64', 'unknown'] });
});

test('of an image that is made for one processor it is not said: the engine may run it all the same', async () => {
  const { engine } = await fakeEngine({ [path]: { Descriptor: { mediaType: manifest, digest: 'sha256:1d', size: 424 }, Platforms: [{ architecture: 'amd64', os: 'linux' }] } });
  expect(await askRegistry(engine, reference)).toEqual({ kind: 'there', digest: 'sha256:1d' });
});

test('a login goes to the engine in a header', async () => {
  const { engine, requests } = await fakeEngine({ [path]: { Descriptor: { digest: 'sha256:1d' } } });
  await askRegistry(engine, reference, { header: 'bG9naW4=' });
  await askRegistry(engine, reference);
  expect(requests.map(({ url, headers }) => [url, headers['x-registry-auth']])).toEqual([[path, 'bG9naW4='], [path, undefined]]);
});

/** The engine answers the question about the image with this. */
async function askedOf(status: number, said: string): ReturnType<typeof askRegistry> {
  const { engine } = await fakeEngine({ [path]: { status, body: JSON.stringify({ message: said }) } });
  return askRegistry(engine, reference);
}

describe('what an engine says of a registry in trouble', () => {
  rows(words)('of what engines have said, each sort is known', ({ sort, said, status }) => {
    expect(troubleOf(said, status)).toMatchObject({ sort, why: expect.stringContaining(said.replace(/\s+/g, ' ').trim()) });
  });

  // Their texts are in moby's source; neither the network here nor an image made these.
  test.each([
    ['unreachable', 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 127.0.0.53:53: server misbehaving'],
    ['unreachable', 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host'],
    ['unreachable', 'Get "https://192.0.2.7/v2/": dial tcp 192.0.2.7:443: connect: no route to host'],
    ['silent', 'Get "https://registry-1.docker.io/v2/": dial tcp 192.0.2.7:443: i/o timeout'],
    ['silent', 'Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)'],
    ['silent', 'Get "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout'],
    ['certificate', 'Get "https://registry.example.com/v2/": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-29T03:00:00Z is after 2026-01-01T00:00:00Z'],
    ['certificate', 'Get "https://192.0.2.7:5000/v2/": x509: cannot validate certificate for 192.0.2.7 because it doesn\'t contain any IP SANs'],
    ['platform', 'no matching manifest for linux/arm64/v8 in the manifest list entries'],
    ['platform', 'no match for platform in manifest: not found'],
    ['cut', 'read tcp 192.0.2.2:50000->192.0.2.7:443: read: connection reset by peer'],
    ['other', 'what nobody has thought of'],
  ])('%s: %s', (sort, said) => expect(troubleOf(said, 500).sort).toBe(sort));

  test('what an image is called says nothing of its registry', () => {
    const said = 'unknown: failed to resolve reference "denied.example.com/no-space-left-on-device/429:1.0.0": unexpected status from HEAD request to https://denied.example.com/v2/toomanyrequests/manifests/x509: 503 Service Unavailable';
    expect(troubleOf(said, 500).sort).toBe('faulty');
    expect(troubleOf('manifest for denied.example.com/unauthorized:1.0.0 not found: manifest unknown: manifest unknown', 404).sort).toBe('unknown');
  });

  test.each([[401, 'login'], [403, 'login'], [404, 'unknown'], [429, 'limited'], [500, 'other']])('where it has no words that are known, its status %i counts', (status, sort) => {
    expect(troubleOf('', status).sort).toBe(sort);
  });

  test('not to be reached is another thing than to be refused', async () => {
    expect(await askedOf(500, 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 192.0.2.53:53: no such host')).toEqual({
      kind: 'unreachable',
      sort: 'unreachable',
      meaning: 'its name is not known where the engine runs',
      why: 'its name is not known where the engine runs (Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 192.0.2.53:53: no such host)',
    });
    expect(await askedOf(404, 'manifest unknown: manifest unknown')).toMatchObject({ kind: 'refused', sort: 'unknown' });
  });

  test('a login that could not be read is told where the registry wants one, and only there', async () => {
    const ask = async (said: string): ReturnType<typeof askRegistry> => {
      const { engine } = await fakeEngine({ [path]: { status: 500, body: JSON.stringify({ message: said }) } });
      return askRegistry(engine, reference, { trouble: 'docker-credential-desktop is not on PATH' });
    };
    expect(await ask('no basic auth credentials')).toMatchObject({ sort: 'login', why: expect.stringMatching(/; docker-credential-desktop is not on PATH$/) });
    expect(await ask('received unexpected HTTP status: 503 Service Unavailable')).toMatchObject({ sort: 'faulty', why: expect.not.stringContaining('docker-credential') });
  });
});

test('a registry that says nothing is silent, and not away', async () => {
  const { engine } = await fakeEngine({ [path]: 'silence' });
  expect(await askRegistry(engine, reference, {}, 50)).toMatchObject({ kind: 'refused', sort: 'silent' });
});

test('an answer without a digest is no answer of a registry', async () => {
  const { engine } = await fakeEngine({ [path]: {} });
  expect(await askRegistry(engine, reference)).toMatchObject({ kind: 'refused', sort: 'portal' });
});

test('an engine that is gone is no word about a registry', async () => {
  const gone: Engine = { host: (await nobody()).replace('http:', 'tcp:') };
  await expect(askRegistry(gone, reference)).rejects.toThrow(/ECONNREFUSED/);
});

test.each([
  ['grafana/alloy:v1.18.1', 'Docker Hub'],
  ['nginx:1.30.6', 'Docker Hub'],
  ['registry.example.com:5000/team/alloy:v1.18.1', 'registry.example.com:5000'],
])('%s comes from %s', (image, registry) => expect(registryNamed(image)).toBe(registry));

describe('commands that help', () => {
  const asked = (image: string, own = true): Parameters<typeof helpWith>[1] => ({
    reference: image,
    again: 'npm run up',
    instead: (other) => `npm run up -- -c alloy:image=${other}`,
    pinned: own ? 'grafana/alloy:v1.18.1' : undefined,
  });
  const theirs = 'registry.example.com:5000/team/alloy:v1.18.1';

  test.each([
    ['login', theirs, ['docker login registry.example.com:5000', 'npm run up -- -c alloy:image=grafana/alloy:v1.18.1']],
    ['login', 'team/alloy:v1.18.1', ['docker login', 'npm run up -- -c alloy:image=grafana/alloy:v1.18.1']],
    ['limited', 'team/alloy:v1.18.1', ['docker login   # Docker Hub allows more pulls with a login', 'npm run up   # later']],
    ['unknown', theirs, ['npm run up -- -c alloy:image=grafana/alloy:v1.18.1']],
    ['faulty', theirs, ['npm run up   # later']],
    ['silent', theirs, ['npm run up   # later']],
    ['space', theirs, ['docker system df', 'docker image prune', 'npm run up']],
  ] as const)('%s, %s', (sort, image, commands) => expect(helpWith(sort, asked(image))).toEqual(commands));

  test('a pinned image that the registry does not know is not offered again', () => {
    expect(helpWith('unknown', asked('grafana/alloy:v1.18.1', false))).toEqual(['npm run up -- -c alloy:image=grafana/alloy:VERSION   # a version that exists']);
  });

  test('an authority goes where the engine looks for it: there is no folder for Docker Hub', () => {
    expect(helpWith('authority', asked(theirs))[0]).toContain('/etc/docker/certs.d/registry.example.com:5000/ca.crt');
    expect(helpWith('authority', asked('team/alloy:v1.18.1'))[0]).toMatch(/update-ca-certificates.*systemctl restart docker/);
  });

  test.each(['unreachable', 'proxy'] as const)("%s: the proxy is the engine's", (sort) => {
    expect(helpWith(sort, asked(theirs)).join('\n')).toMatch(/systemctl edit docker.*HTTPS_PROXY/);
  });
});
