import * as net from 'node:net';
import * as path from 'node:path';
import { at, type Engine } from '../../engine';
import { tempDir } from './temp';

/**
 * Something that listens on a Unix socket and answers each request, byte by byte, as it is told.
 * @param answer has the connection, and the first line of what was asked
 */
export async function rawEngine(answer: (socket: net.Socket, line: string) => void): Promise<Engine> {
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let head = '';
    socket.on('data', (chunk: Buffer) => {
      const known = head.includes('\r\n\r\n');
      head += chunk.toString('latin1');
      if (!known && head.includes('\r\n\r\n')) {
        answer(socket, head.split('\r\n')[0] ?? '');
      }
    });
  });
  const file = path.join(tempDir(), 'docker.sock');
  await new Promise<void>((resolve) => server.listen(file, resolve));
  servers.push(server);
  return at(`unix://${file}`);
}

/** An answer after which the connection ends. @param head status and headers, as they stand in the answer */
export const reply = (head: string, body: string): string => `HTTP/1.1 ${head}\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** That to the first question, which every client asks. */
export const pong = reply('200 OK\r\nApi-Version: 1.51', 'OK');

const sockets = new Set<net.Socket>();
const servers: net.Server[] = [];
afterAll(() => {
  sockets.forEach((socket) => socket.destroy());
  return Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});
