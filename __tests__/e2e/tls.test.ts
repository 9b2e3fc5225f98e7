/**
 * What other machines reach, over TLS: nginx and Alloy as the program makes them, with a certificate of an authority of its
 * own. An address of loopback stands for one of the machine's others.
 */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import * as tls from 'node:tls';
import { promisify } from 'node:util';
import { Network, Volume } from '@pulumi/docker';
import { Alloy } from '../../components/alloy';
import { aliases } from '../../components/catalog';
import { doorOf } from '../../stack/door';
import { Gate } from '../../components/gate';
import { readSettings } from '../../settings/settings';
import type { Tls } from '../../components/tls';
import { freePort } from '../../lab';
import { deploy, type Registered } from '../support/deployment';
import { engineAuthority, type EngineAuthority } from '../support/engine-authority';
import { docker, until } from './checkout';
import { Containers, inputsOf, type Container } from './containers';
import { usedImages } from './images';

const stack = `tls-e2e-${process.pid}`;
let engine: Containers;
const [here, there] = ['127.0.0.1', '127.0.0.2'];

/** A certificate that is known. */
type Known = Tls & Record<'certificate' | 'key', string>;

let authority: EngineAuthority;
let first: Known;
let ca: string;
const read = (folder: string): Known => ({ certificate: fs.readFileSync(path.join(folder, 'cert.pem'), 'utf8'), key: fs.readFileSync(path.join(folder, 'key.pem'), 'utf8'), addresses: [there] });

beforeAll(async () => {
  authority = engineAuthority();
  const folder = authority.server('phoenix.lan', there);
  first = read(folder);
  ca = fs.readFileSync(path.join(folder, 'ca.pem'), 'utf8');
  engine = await Containers.of(stack);
});

afterAll(() => engine.remove());

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** One request; over TLS whoever answers has to be trusted by the authority. */
function ask(url: string, { body, ...options }: https.RequestOptions & { readonly body?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? https : http).request(url, { agent: false, ca, ...options });
    request.on('response', (answer) => void text(answer).then((said) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: said })));
    request.on('error', reject).end(body);
  });
}

/** Status of an OTLP request over gRPC without spans, of HTTP and of gRPC. */
async function grpc(url: string, headers: http2.OutgoingHttpHeaders = {}): Promise<string> {
  const session = http2.connect(url, { ca });
  try {
    const stream = session.request({ ':method': 'POST', ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export', 'content-type': 'application/grpc', te: 'trailers', ...headers });
    let trailers: http2.IncomingHttpHeaders = {};
    stream.on('trailers', (found: http2.IncomingHttpHeaders) => (trailers = found));
    stream.end(Buffer.alloc(5));
    const answered = new Promise<http2.IncomingHttpHeaders>((resolve, reject) => {
      stream.on('response', resolve).on('error', reject);
      session.on('error', reject);
    });
    const answer = await answered;
    stream.resume();
    await once(stream, 'end');
    return `${String(answer[':status'])} ${String(trailers['grpc-status'] ?? answer['grpc-status'] ?? '-')}`;
  } finally {
    session.close();
  }
}

/** The certificate that is shown at a port. */
async function shown(port: number, options: tls.ConnectionOptions = {}): Promise<{ readonly protocol: string | null; readonly certificate: string }> {
  const socket = tls.connect({ host: there, port, ca, ...options });
  try {
    await once(socket, 'secureConnect');
    return { protocol: socket.getProtocol(), certificate: socket.getPeerX509Certificate()?.fingerprint256 ?? '' };
  } finally {
    socket.destroy();
  }
}

const fingerprint = ({ certificate }: Known): string => new X509Certificate(certificate).fingerprint256;
const otlp = { method: 'POST', headers: { 'content-type': 'application/x-protobuf' } };

/** Whether a user of an image can read a file in a volume. */
const canRead = (image: string, user: string, volume: string, file: string): Promise<boolean> =>
  promisify(execFile)('docker', ['run', '--rm', '--network', 'none', '--user', user, '--volume', `${volume}:/tls:ro`, '--entrypoint', 'cat', image, `/tls/${file}`]).then(() => true, () => false);

describe('the gate', () => {
  let image: string;
  let page: number;
  let grpcPort: number;
  let otlpPort: number;

  /** What it does with Phoenix's answers: it says how it was asked, and makes a cookie as Phoenix does. */
  const phoenix = `events {}
    pid /tmp/nginx.pid;
    error_log /dev/stderr;
    http {
      client_body_temp_path /tmp/a; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/c; uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e;
      server { listen 6006; location / { add_header Set-Cookie "phoenix-access-token=x; HttpOnly; Max-Age=60; Path=/; SameSite=strict"; return 200 "proto=$http_x_forwarded_proto"; } }
      server { listen 4317 http2; location / { default_type application/grpc; add_header grpc-status 0; return 200; } }
    }`;

  beforeAll(async () => {
    ({ gate: image } = await usedImages());
    [page, grpcPort, otlpPort] = [await freePort('0.0.0.0'), await freePort('0.0.0.0'), await freePort('0.0.0.0')];
    const { settings } = readSettings({ 'phoenix:hosts': 'phoenix.lan', 'phoenix:bind': `${here},${there}` }, 'llm-observability');
    const { resources } = await deploy(() => new Gate('gate', {
      stack, owner: engine.owner, image, network: new Network('network', { name: stack }),
      backend: { name: 'phoenix', signals: ['traces'], protocol: 'otlphttp', endpoint: `http://${aliases.phoenix}:6006` },
      door: {
        rules: doorOf(settings, []), bind: [here, there], auth: true, tls: first, uiPort: page, otlpGrpcPort: grpcPort, otlpHttpPort: otlpPort, listed: {}, ingestKeys: [],
        store: new Network('store', { name: stack }), destinations: [], after: new Volume('after', {}),
      },
    }));
    const standIn: Container = { name: `phoenix-${stack}-standin`, image, entrypoints: ['nginx'], command: ['-c', '/tmp-conf/nginx.conf', '-g', 'daemon off;'], volumes: [{ volumeName: `phoenix-${stack}-standin`, containerPath: '/tmp-conf' }], uploads: [{ file: '/tmp-conf/nginx.conf', content: phoenix }], networksAdvanced: [{ aliases: [aliases.phoenix] }] };
    for (const container of [standIn, ...inputsOf(resources, 'gate-config-files', 'gate-ingest-keys', 'gate-tls-files', 'gate-server')]) {
      await engine.make(container);
    }
    await until('the gate', () => ask(`http://${here}:${page}/`).then(({ status }) => status === 200, () => false));
  });

  it('is plain on loopback, and takes TLS alone on the same port of another address', async () => {
    expect(await ask(`http://${here}:${page}/`)).toMatchObject({ status: 200, body: 'proto=', headers: { 'set-cookie': ['phoenix-access-token=x; HttpOnly; Max-Age=60; Path=/; SameSite=strict'] } });
    expect((await ask(`https://${there}:${page}/`)).status).toBe(200);
    expect(await ask(`http://${there}:${page}/`)).toMatchObject({ status: 400, body: expect.stringContaining('HTTPS port') });
    await expect(ask(`https://${here}:${page}/`)).rejects.toThrow();
  });

  it('says that people come over HTTPS, and has their cookies stay there', async () => {
    const { headers, body } = await ask(`https://${there}:${page}/`, { headers: { 'x-forwarded-proto': 'http' } });
    expect(body).toBe('proto=https');
    expect(headers['set-cookie']?.map((cookie) => cookie.split('; ').sort())).toEqual([['phoenix-access-token=x', 'HttpOnly', 'Max-Age=60', 'Path=/', 'SameSite=strict', 'Secure'].sort()]);
    expect(headers).not.toHaveProperty('strict-transport-security');
  });

  it('takes OTLP over HTTP and over gRPC', async () => {
    expect((await ask(`https://${there}:${otlpPort}/v1/traces`, otlp)).status).toBe(200);
    expect((await ask(`https://${there}:${page}/v1/traces`, otlp)).status).toBe(200);
    expect(await grpc(`https://${there}:${grpcPort}`)).toBe('200 0');
    expect(await grpc(`http://${here}:${grpcPort}`)).toBe('200 0');
  });

  it('answers to its own names alone, and to no other site', async () => {
    for (const port of [page, otlpPort]) {
      expect((await ask(`https://${there}:${port}/`, { servername: 'phoenix.lan', headers: { host: 'evil.example' } })).status).toBe(421);
    }
    expect(await grpc(`https://${there}:${grpcPort}`, { ':authority': 'evil.example' })).toMatch(/^421/);
    expect((await ask(`https://${there}:${page}/`, { headers: { host: `phoenix.lan:${page}`, origin: 'https://evil.example' } })).status).toBe(403);
    expect((await ask(`https://${there}:${page}/`, { headers: { host: `phoenix.lan:${page}`, origin: `https://phoenix.lan:${page}` } })).status).toBe(200);
  });

  it.each([['TLSv1', false], ['TLSv1.1', false], ['TLSv1.2', true], ['TLSv1.3', true]] as const)('%s: %s', async (version, taken) => {
    for (const port of [page, grpcPort, otlpPort]) {
      const connected = shown(port, { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' });
      await (taken ? expect(connected).resolves.toEqual({ protocol: version, certificate: fingerprint(first) }) : expect(connected).rejects.toThrow());
    }
  });

  it('has no cipher without forward secrecy', async () => {
    for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA']) {
      await expect(shown(page, { maxVersion: 'TLSv1.2', ciphers })).rejects.toThrow();
    }
  });

  it('is trusted by the authority alone', async () => {
    await expect(ask(`https://${there}:${page}/`, { ca: [] })).rejects.toThrow(/certificate/);
    await expect(ask(`https://${there}:${page}/`, { servername: 'elsewhere.lan' })).rejects.toThrow(/altnames/);
  });

  it('alone can read the certificate and the key, and root', async () => {
    for (const file of ['certificate.pem', 'key.pem']) {
      expect(await canRead(image, '101:101', `phoenix-${stack}-gate-tls`, file)).toBe(true);
      expect(await canRead(image, '65534:65534', `phoenix-${stack}-gate-tls`, file)).toBe(false);
    }
  });

  it('shows nothing of the key', async () => {
    const line = first.key.split('\n')[1] ?? '';
    expect(line).not.toBe('');
    for (const name of [`phoenix-${stack}-gate`, `phoenix-${stack}-gate-tls-files`]) {
      expect(await docker('inspect', name)).not.toContain(line);
      expect(await docker('logs', name)).not.toContain(line);
    }
  });
});

describe('Alloy', () => {
  let image: string;
  let resources: ReadonlyMap<string, Registered>;
  let grpcPort: number;
  let httpPort: number;
  let uiPort: number;
  const name = `alloy-${stack}`;

  const deployed = async (certificate: Tls): Promise<ReadonlyMap<string, Registered>> => (await deploy(() => new Alloy('alloy', {
    stack, owner: engine.owner, image, network: new Network('network', { name: stack }), backends: [], bind: [here, there], tls: certificate, tokenOn: [],
    otlpGrpcPort: grpcPort, otlpHttpPort: httpPort, uiPort, listed: {}, memoryMiB: 384, queueMiB: 128, cpus: '1.0', protectData: false,
  }))).resources;

  beforeAll(async () => {
    ({ alloy: image } = await usedImages());
    [grpcPort, httpPort, uiPort] = [await freePort('0.0.0.0'), await freePort('0.0.0.0'), await freePort('0.0.0.0')];
    resources = await deployed(first);
    const [config, secrets, files, server] = inputsOf(resources, 'alloy-config-files', 'alloy-secret-files', 'alloy-tls-files', 'alloy-server') as [Container, Container, Container, Container];
    for (const container of [config, secrets, files]) {
      await engine.make(container);
    }
    await engine.make({ ...server, ports: server.ports?.filter(({ internal }) => internal !== 12345) ?? [] });
    await until('Alloy', () => ask(`http://${here}:${httpPort}/v1/traces`, otlp).then(({ status }) => status === 200, () => false));
  });

  it('is plain on loopback, and takes TLS alone on the same ports of another address', async () => {
    expect((await ask(`https://${there}:${httpPort}/v1/traces`, otlp)).status).toBe(200);
    expect(await grpc(`https://${there}:${grpcPort}`)).toBe('200 0');
    expect(await grpc(`http://${here}:${grpcPort}`)).toBe('200 0');
    expect((await ask(`http://${there}:${httpPort}/v1/traces`, otlp)).status).toBe(400);
    await expect(ask(`http://${there}:${grpcPort}/`)).rejects.toThrow();
  });

  it.each([['TLSv1.1', false], ['TLSv1.2', true], ['TLSv1.3', true]] as const)('%s: %s', async (version, taken) => {
    for (const port of [grpcPort, httpPort]) {
      const connected = shown(port, { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0', ALPNProtocols: ['h2', 'http/1.1'] });
      await (taken ? expect(connected).resolves.toEqual({ protocol: version, certificate: fingerprint(first) }) : expect(connected).rejects.toThrow());
    }
  });

  it('alone can read the certificate and the key, and root', async () => {
    for (const file of ['certificate.pem', 'key.pem']) {
      expect(await canRead(image, '473:473', `alloy-${stack}-tls`, file)).toBe(true);
      expect(await canRead(image, '65534:65534', `alloy-${stack}-tls`, file)).toBe(false);
    }
  });

  it('refuses over TLS what is too large, as it does without', async () => {
    const body = '\0'.repeat(25 * 2 ** 20);
    for (const base of [`http://${here}:${httpPort}`, `https://${there}:${httpPort}`]) {
      expect((await ask(`${base}/v1/traces`, { ...otlp, body }).catch(() => ({ status: 400 }))).status).toBe(400);
    }
  });

  it('shows another certificate without a restart', async () => {
    const started = (): Promise<string> => docker('inspect', '--format', '{{.State.StartedAt}} {{.RestartCount}}', name);
    const before = await started();
    const next = read(authority.server('phoenix.lan', there));
    const [files] = inputsOf(await deployed(next), 'alloy-tls-files') as [Container];
    await engine.replace(files);
    for (const port of [grpcPort, httpPort]) {
      await until('the next certificate', () => shown(port, { ALPNProtocols: ['h2', 'http/1.1'] }).then(({ certificate }) => certificate === fingerprint(next), () => false));
    }
    expect(await started()).toBe(before);
  });
});
