import * as net from 'node:net';

const servers: net.Server[] = [];

/** A port that the system chooses, with a listener of this process until the end of the test. */
export async function heldPort(host = '127.0.0.1'): Promise<number> {
  const server = net.createServer();
  servers.push(server);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  return (server.address() as net.AddressInfo).port;
}

afterEach(() => Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve)))));
