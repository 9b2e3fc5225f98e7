import { once } from 'node:events';
import * as net from 'node:net';

/** Below the ports that Linux, macOS and Windows use for outgoing connections, one of which could take the port between two uses. */
const [first, last] = [26_000, 32_000];

let next = first + Math.floor(Math.random() * (last - first));

/**
 * A port on which nothing listens, for a server that cannot choose one itself, or that restarts on the same one. No connection
 * takes it meanwhile, and no second call of this process returns it.
 * @param address where it has to be free; default: loopback
 */
export async function freePort(address = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = next;
    next = port + 1 < last ? port + 1 : first;
    const server = net.createServer().listen(port, address);
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
