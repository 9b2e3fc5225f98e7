import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';

/** A context of the docker command line, as in its files (cli/context/store). */
export interface Context {
  readonly host: string;
  /** Folder of its certificates, if it has any. */
  readonly certPath?: string;
  /** Whether it turns off the check of the engine's certificate. */
  readonly skipsVerify: boolean;
}

/** Folder of the docker command line's configuration. */
export const configDir = (env: NodeJS.ProcessEnv, home: string): string => env['DOCKER_CONFIG'] || path.join(home, '.docker');

/**
 * Name of the context selected with `docker context use`; undefined if none.
 * @throws Error that names the file, when it cannot be read
 */
export function currentContext(dir: string): string | undefined {
  const name = readJson<{ currentContext?: unknown } | null>(path.join(dir, 'config.json'))?.currentContext;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/**
 * The context of this name; undefined if there is none.
 * @throws Error that names the file, when it cannot be read
 */
export function readContext(dir: string, name: string): Context | undefined {
  const id = createHash('sha256').update(name).digest('hex');
  const meta = readJson<{ Endpoints?: { docker?: { Host?: unknown; SkipTLSVerify?: unknown } } } | null>(path.join(dir, 'contexts', 'meta', id, 'meta.json'));
  if (meta === undefined) {
    return undefined;
  }
  const { Host = '', SkipTLSVerify } = meta?.Endpoints?.docker ?? {};
  const certPath = path.join(dir, 'contexts', 'tls', id, 'docker');
  return { host: String(Host), skipsVerify: SkipTLSVerify === true, ...(fs.existsSync(certPath) ? { certPath } : {}) };
}

/** Undefined if the file does not exist or is empty. */
function readJson<T>(file: string): T | undefined {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return undefined;
    }
    throw new Error(`${file} cannot be read (${code ?? message})`);
  }
  try {
    return text.trim() === '' ? undefined : (JSON.parse(text) as T);
  } catch {
    throw new Error(`${file} is not JSON`);
  }
}
