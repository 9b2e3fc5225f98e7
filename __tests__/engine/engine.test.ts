import { at, commandEnvironment, infoCommand, isLocal, remedies, whyNoAddress, withoutPassword, type Engine } from '../../engine';

const [folder, text]: Engine[] = [
  { host: 'tcp://192.0.2.1:2376', tls: { certPath: '/certs' } },
  { host: 'tcp://192.0.2.1:2376', tls: { ca: 'a', cert: 'c', key: 'k' } },
];

const plain = { DOCKER_CONTEXT: '', DOCKER_TLS: '', DOCKER_TLS_VERIFY: '', DOCKER_CERT_PATH: '' };

test.each<[string, Engine | undefined, Record<string, string>, string]>([
  ['the usual engine', at('unix:///var/run/docker.sock'), { ...plain, DOCKER_HOST: 'unix:///var/run/docker.sock' }, 'DOCKER_HOST=unix:///var/run/docker.sock docker info'],
  ['another socket', at('unix:///run/x.sock'), { ...plain, DOCKER_HOST: 'unix:///run/x.sock' }, 'DOCKER_HOST=unix:///run/x.sock docker info'],
  ['one with certificates', folder, { ...plain, DOCKER_HOST: 'tcp://192.0.2.1:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' }, 'DOCKER_HOST=tcp://192.0.2.1:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs docker info'],
  // The docker command takes no certificate as text, and nobody's command shows a key.
  ['one whose certificates are text', text, { ...plain, DOCKER_HOST: 'tcp://192.0.2.1:2376' }, 'DOCKER_HOST=tcp://192.0.2.1:2376 docker info'],
])('what leads the docker command to %s', (_, engine = at(''), environment, command) => {
  expect([commandEnvironment(engine), infoCommand(engine)]).toEqual([environment, command]);
});

test.each<[string, Engine, string, boolean]>([
  ['it speaks TLS, as Go tells whoever does not', at('tcp://h:2376'), 'status 400: Client sent an HTTP request to an HTTPS server.', true],
  ['it is told so with certificates at hand', folder, 'status 400: Client sent an HTTP request to an HTTPS server.', false],
  ['nobody listens', at('tcp://h:2376'), 'connect ECONNREFUSED 192.0.2.1:2376', false],
])('what leads on where %s', (_, engine, reason, certificates) => {
  expect(remedies(engine, reason)).toEqual([
    ...(certificates ? ['export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/path/of/a/folder/with/ca.pem,cert.pem,key.pem'] : []),
    infoCommand(engine),
  ]);
});

test.each([['unix:///run/x.sock', true], ['npipe:////./pipe/docker_engine', true], ['tcp://127.0.0.1:2375', false], ['ssh://localhost', false]])('%s shares the ports of this machine: %s', (host, local) => {
  expect(isLocal(at(host))).toBe(local);
});

test.each(['unix:///var/run/docker.sock', 'unix:///a b.sock', 'npipe:////./pipe/docker_engine', 'tcp://192.0.2.7:2375', 'tcp://[::1]:2375', 'tcp://host', 'ssh://me@example.com', 'ssh://me@example.com:2222/'])(
  '%s is an address', (address) => expect(whyNoAddress(address)).toBeUndefined());

test.each([
  ['ssh://me@host', 'ssh://me@host'],
  ['ssh://me:pass@host', 'ssh://me:[secret]@host'],
  ['tcp://:pass@host:1', 'tcp://:[secret]@host:1'],
  ['http://me:p:a@s/s@host/x', 'http://me:[secret]@host/x'],
  ['ssh://me:pass@one ssh://you:word@two', 'ssh://me:[secret]@one ssh://you:[secret]@two'],
  ['me:pass@host:1', 'me:[secret]@host:1'],
  ['me:p@ss@reg.example.com/x:1.0.0', 'me:[secret]@reg.example.com/x:1.0.0'],
  ['https://token@host/x', 'https://[secret]@host/x'],
  ['Bearer pass', 'Bearer [secret]'],
  ['Authorization: basic cGFzcw==', 'Authorization: basic [secret]'],
  ['https://host/x?tenant=1&api_key=pass#id_token=pass', 'https://host/x?tenant=[secret]&api_key=[secret]#id_token=[secret]'],
  ['host=db password=pass user=me', 'host=db password=[secret] user=me'],
  ['{"user":"me","password":"pass"}', '{"user":"me","password":"[secret]"}'],
  ['api-key: pass', 'api-key: [secret]'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_', '[secret]'],
  ['nginx:1.30.6@sha256:0123', 'nginx:1.30.6@sha256:0123'],
  ['reg.example.com/secret:1.0.0', 'reg.example.com/secret:1.0.0'],
  ['(&(objectClass=user)(uid=me))', '(&(objectClass=user)(uid=me))'],
  ['Ada Lovelace=ada@example.com;Bob=bob@example.com', 'Ada Lovelace=ada@example.com;Bob=bob@example.com'],
  ['tcp://[::1]:2375', 'tcp://[::1]:2375'],
  ['tcp://host:2375', 'tcp://host:2375'],
  ['unix:///run/me@home/docker.sock', 'unix:///run/me@home/docker.sock'],
])('%s is shown as %s', (address, shown) => {
  expect(withoutPassword(address)).toBe(shown);
});
