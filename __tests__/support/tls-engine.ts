import * as fs from 'node:fs';
import * as https from 'node:https';
import * as net from 'node:net';
import * as path from 'node:path';

/** What Go's HTTP server says, before any handler, to who speaks no TLS (net/http, conn.serve). */
const plainRefusal = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

/**
 * An engine that listens as `dockerd --tlsverify` does: it asks for a client certificate of its own authority.
 * @param folder ca.pem, cert.pem and key.pem
 * @returns its port on loopback
 */
export async function tlsEngine(folder: string): Promise<number> {
  const read = (file: string): Buffer => fs.readFileSync(path.join(folder, file));
  const engine = https.createServer({ ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem'), requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const url = (request.url ?? '').replace(/^\/v\d+\.\d+(?=\/)/, '');
    response.setHeader('api-version', '1.47');
    response.end(url === '/_ping' ? 'OK' : JSON.stringify({ url: request.url }));
  });
  const sockets = new Set<net.Socket>();
  const port = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.once('data', (first: Buffer) => {
      // A handshake record of TLS.
      if (first[0] !== 0x16) {
        socket.end(plainRefusal);
        return;
      }
      socket.pause();
      socket.unshift(first);
      engine.emit('connection', socket);
    });
  });
  await new Promise<void>((resolve) => port.listen(0, '127.0.0.1', resolve));
  running.push(() => {
    sockets.forEach((socket) => socket.destroy());
    return new Promise((resolve) => port.close(resolve));
  });
  return (port.address() as net.AddressInfo).port;
}

const running: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(running.map((end) => end())));
