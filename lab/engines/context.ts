import { command } from '../command';

export interface ContextOptions {
  /** Folder that replaces `~/.docker` (`DOCKER_CONFIG`). */
  readonly config: string;
  readonly name: string;
  readonly host: string;
  /** Folder with `ca.pem`, `cert.pem`, `key.pem`. */
  readonly tls?: string;
}

/** Creates a docker context with the docker command line itself. */
export async function createContext({ config, name, host, tls }: ContextOptions): Promise<void> {
  const material = tls ? ['ca', 'cert', 'key'].map((part) => `,${part}=${tls}/${part}.pem`).join('') : '';
  await docker(config, 'context', 'create', name, '--docker', `host=${host}${material}`);
}

/** `docker context use`, which decides if nothing else selects an engine. */
export async function useContext(config: string, name: string): Promise<void> {
  await docker(config, 'context', 'use', name);
}

async function docker(config: string, ...args: string[]): Promise<void> {
  // A variable that names an engine makes the command refuse, or warn that the context is not in use.
  await command('docker', args, { env: { DOCKER_CONFIG: config, DOCKER_HOST: undefined, DOCKER_CONTEXT: undefined } });
}
