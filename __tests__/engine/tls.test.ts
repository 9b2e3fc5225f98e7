import * as net from 'node:net';
import * as path from 'node:path';
import { engineGet, type Engine, type Tls } from '../../engine';
import { inWords, materialOf } from '../../engine/tls';
import { engineAuthority } from '../support/engine-authority';
import { current, fakeEngine } from '../support/fake-engine';
import { tempDir } from '../support/temp';
import { tlsEngine } from '../support/tls-engine';

/** Long enough for any machine: it only ends a test that would hang. */
const patience = 20_000;
const [ours, theirs] = [engineAuthority(), engineAuthority()];
const client: Tls = { certPath: ours.client() };
const info = (engine: Engine): Promise<unknown> => engineGet(engine, '/info', patience);
const on = (port: number, tls?: Tls, name = '127.0.0.1'): Engine => ({ host: `tcp://${name}:${port}`, ...(tls ? { tls } : {}) });

describe('an engine that asks for a client certificate', () => {
  let port: number;
  beforeAll(async () => void (port = await tlsEngine(ours.server('127.0.0.1', 'localhost'))));

  test.each<[string, () => Engine]>([
    ['with a folder', () => on(port, client)],
    ['with text', () => on(port, materialOf(client))],
    ['by its name', () => on(port, client, 'localhost')],
  ])('answers whoever has one: %s', async (_, engine) => {
    expect(await info(engine())).toEqual({ url: '/v1.47/info' });
  });

  test('without TLS: what Go answers', async () => {
    await expect(info(on(port))).rejects.toThrow(new Error('status 400: Client sent an HTTP request to an HTTPS server.'));
  });

  test('certificates that went away meanwhile', async () => {
    const certPath = tempDir();
    await expect(info(on(port, { certPath }))).rejects.toThrow(`ENOENT: no such file or directory, open '${path.join(certPath, 'ca.pem')}'`);
  });
});

describe('an engine that is not trusted', () => {
  test('of another authority', async () => {
    await expect(info(on(await tlsEngine(theirs.server('127.0.0.1')), client))).rejects.toThrow(new Error('self-signed certificate in certificate chain'));
  });

  test('of another name', async () => {
    const port = await tlsEngine(ours.server('engine.example', '192.0.2.1'));
    await expect(info(on(port, client))).rejects.toThrow("Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is not in the cert's list: 192.0.2.1");
    await expect(info(on(port, client, 'localhost'))).rejects.toThrow("Hostname/IP does not match certificate's altnames: Host: localhost. is not in the cert's altnames: DNS:engine.example, IP Address:192.0.2.1");
  });

  test('that speaks no TLS', async () => {
    const { host } = await fakeEngine(current, 'tcp');
    await expect(info({ host, tls: client })).rejects.toThrow(new Error('what listens there does not use TLS'));
  });
});

/** Answers a handshake with an alert of TLS 1.2, as an engine that does not take the client's certificate. */
async function alerting(description: number): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, description])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return (server.address() as net.AddressInfo).port;
}
const servers: net.Server[] = [];
afterAll(() => Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve)))));

test.each([
  [42, 'it refuses the client certificate (sslv3 alert bad certificate)'],
  [45, 'it refuses the client certificate (sslv3 alert certificate expired)'],
  [48, 'it refuses the client certificate (tlsv1 alert unknown ca)'],
  [40, 'TLS failed (sslv3 alert handshake failure)'],
  [80, 'TLS failed (tlsv1 alert internal error)'],
])('an engine that ends the handshake with alert %d', async (description, message) => {
  await expect(info(on(await alerting(description), client))).rejects.toThrow(new Error(message));
});

test('words of OpenSSL that another Node writes, and of others', () => {
  // Seen: dockerd 20.10.24 with --tlsverify, and a client certificate of another authority.
  expect(inWords('809C8BB7327F0000:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number 42\n'))
    .toBe('it refuses the client certificate (sslv3 alert bad certificate)');
  expect(inWords('C0FCB7A1F77F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1605:SSL alert number 116\n'))
    .toBe('it refuses the client certificate (tlsv13 alert certificate required)');
  expect(inWords('connect ECONNREFUSED 127.0.0.1:2376')).toBe('connect ECONNREFUSED 127.0.0.1:2376');
});
