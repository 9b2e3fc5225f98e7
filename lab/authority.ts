import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask, command } from './command';
import { aptInstall } from './debian';

/**
 * A certificate authority for tests, in a folder, created with the commands of docs.docker.com/engine/security/protect-access.
 * The files in every folder that it returns have the names that Docker uses: `ca.pem`, `cert.pem`, `key.pem`.
 */
export class Authority {
  private constructor(private readonly dir: string) {}

  /** @param dir must not exist yet */
  static async create(dir: string, name = 'Lab of llm-observability'): Promise<Authority> {
    if ((await ask('openssl', ['version'])) === undefined) await aptInstall(['openssl']);
    await mkdir(dir, { mode: 0o700 });
    await openssl(dir, 'req', '-x509', ...newKey('ca-key.pem'), '-out', 'ca.pem', '-days', days, '-subj', `/CN=${name}`, '-addext', 'keyUsage=critical,keyCertSign');
    return new Authority(dir);
  }

  /**
   * For a server under these names and addresses.
   * @returns the folder; an engine takes it for `startEngine({ tls })`
   */
  server(folder: string, hosts: readonly string[] = ['localhost', '127.0.0.1']): Promise<string> {
    const names = hosts.map((host) => `${/^[\d.]+$|:/.test(host) ? 'IP' : 'DNS'}:${host}`);
    return this.issue(folder, hosts[0] ?? 'server', [`subjectAltName=${names.join(',')}`, 'extendedKeyUsage=serverAuth']);
  }

  /**
   * For a client that may use the engines of this authority.
   * @returns the folder, for `DOCKER_CERT_PATH`
   */
  client(folder: string, name = 'client'): Promise<string> {
    return this.issue(folder, name, ['extendedKeyUsage=clientAuth']);
  }

  /** Deletes the key: nothing else can be signed after this. */
  async retire(): Promise<void> {
    await rm(join(this.dir, 'ca-key.pem'));
  }

  private async issue(folder: string, name: string, extensions: readonly string[]): Promise<string> {
    const dir = join(this.dir, folder);
    await mkdir(dir);
    await writeFile(join(dir, 'extensions'), `${extensions.join('\n')}\n`);
    await openssl(dir, 'req', ...newKey('key.pem'), '-out', 'request', '-subj', `/CN=${name}`);
    await openssl(
      dir, 'x509', '-req', '-in', 'request', '-extfile', 'extensions', '-out', 'cert.part', '-days', days,
      '-CA', join(this.dir, 'ca.pem'), '-CAkey', join(this.dir, 'ca-key.pem'), '-CAcreateserial',
    );
    await command('cp', [join(this.dir, 'ca.pem'), dir]);
    await rename(join(dir, 'cert.part'), join(dir, 'cert.pem'));
    for (const file of ['extensions', 'request']) await rm(join(dir, file));
    return dir;
  }
}

/** Longer than any test, and too short to be used for anything else. */
const days = '2';

const newKey = (file: string): string[] => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file];

function openssl(cwd: string, ...args: string[]): Promise<string> {
  return command('openssl', args, { cwd });
}
