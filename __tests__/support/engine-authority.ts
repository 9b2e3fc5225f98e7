import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tempDir } from './temp';

export interface EngineAuthority {
  /** Folder for an engine that listens under these names and addresses: ca.pem, cert.pem, key.pem. */
  server(...hosts: readonly string[]): string;
  /** Folder for somebody who may use its engines, as DOCKER_CERT_PATH takes it. */
  client(): string;
}

/** A certificate authority by the commands of docs.docker.com/engine/security/protect-access. */
export function engineAuthority(): EngineAuthority {
  const dir = tempDir();
  openssl(dir, 'req', '-x509', ...newKey('ca-key.pem'), '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Engines for tests');
  const issued = (name: string, ...extensions: readonly string[]): string => {
    const folder = fs.mkdtempSync(path.join(dir, 'issued-'));
    fs.writeFileSync(path.join(folder, 'extensions'), `${extensions.join('\n')}\n`);
    openssl(folder, 'req', ...newKey('key.pem'), '-out', 'request', '-subj', `/CN=${name}`);
    openssl(folder, 'x509', '-req', '-in', 'request', '-extfile', 'extensions', '-out', 'cert.pem', '-days', '2', '-CA', '../ca.pem', '-CAkey', '../ca-key.pem', '-CAcreateserial');
    fs.copyFileSync(path.join(dir, 'ca.pem'), path.join(folder, 'ca.pem'));
    return folder;
  };
  return {
    server: (...hosts) => issued(hosts[0] ?? 'server', `subjectAltName=${hosts.map((host) => `${/^[\d.]+$|:/.test(host) ? 'IP' : 'DNS'}:${host}`).join(',')}`, 'extendedKeyUsage=serverAuth'),
    client: () => issued('client', 'extendedKeyUsage=clientAuth'),
  };
}

const newKey = (file: string): string[] => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file];

function openssl(cwd: string, ...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd, stdio: 'pipe' });
}
