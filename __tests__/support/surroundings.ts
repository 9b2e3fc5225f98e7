/** What surrounds the choice of an engine: a home with sockets in it, and the files of the docker command line. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import type { Surroundings } from '../../engine';
import { tempDir } from './temp';

/** A new home, without an engine. */
export function home(env: NodeJS.ProcessEnv = {}): Surroundings & { readonly usualSocket: string } {
  const dir = tempDir();
  return { env, home: dir, usualSocket: path.join(dir, 'usual.sock') };
}

/** A Unix socket on which somebody listens. */
export async function listeningSocket(): Promise<string> {
  const server = net.createServer();
  const file = path.join(tempDir(), 'listens.sock');
  await new Promise<void>((resolve) => server.listen(file, resolve));
  servers.push(server);
  return file;
}

/** Puts a name for it somewhere else. */
export function linked(socket: string, file: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.symlinkSync(socket, file);
}

export const contextId = (name: string): string => createHash('sha256').update(name).digest('hex');

/** A context as `docker context create` writes it (20.10.24 and 28.2.2: the same bytes). */
export function writeContext(config: string, name: string, host: string, { skipsVerify = false, certificates }: { skipsVerify?: boolean; certificates?: string } = {}): void {
  const meta = { Name: name, Metadata: {}, Endpoints: { docker: { Host: host, SkipTLSVerify: skipsVerify } } };
  writeMeta(config, name, JSON.stringify(meta));
  if (certificates) {
    const dir = path.join(config, 'contexts', 'tls', contextId(name), 'docker');
    fs.mkdirSync(dir, { recursive: true });
    ['ca.pem', 'cert.pem', 'key.pem'].filter((file) => fs.existsSync(path.join(certificates, file))).forEach((file) => fs.copyFileSync(path.join(certificates, file), path.join(dir, file)));
  }
}

/** The file of a context with this text. */
export function writeMeta(config: string, name: string, text: string): void {
  const dir = path.join(config, 'contexts', 'meta', contextId(name));
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(path.join(dir, 'meta.json'), text);
}

/** What `docker context use` writes. */
export function useContext(config: string, name: string): void {
  fs.mkdirSync(config, { recursive: true });
  fs.writeFileSync(path.join(config, 'config.json'), JSON.stringify({ auths: {}, currentContext: name }, undefined, '\t'));
}

const servers: net.Server[] = [];
afterAll(() => Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve)))));
