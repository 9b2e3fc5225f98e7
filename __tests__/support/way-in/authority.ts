import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tempDir } from '../temp';

export interface Authority {
  /** Its certificate, as a company hands it out. */
  readonly file: string;
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** A certificate authority of its own, and a certificate from it for some names. */
export function authority(names: readonly string[]): Authority {
  const dir = tempDir();
  // What a company hands out, everybody may read.
  fs.chmodSync(dir, 0o755);
  const at = (name: string): string => path.join(dir, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2', '-subj', '/CN=Example Corporation Authority', '-addext', 'keyUsage=critical,keyCertSign');
  openssl('req', ...key, '-keyout', at('site.key'), '-out', at('site.csr'), '-subj', `/CN=${names[0]}`);
  fs.writeFileSync(at('names'), `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\n`);
  openssl('x509', '-req', '-in', at('site.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('names'), '-out', at('site.pem'));
  return { file: at('ca.pem'), key: fs.readFileSync(at('site.key')), cert: fs.readFileSync(at('site.pem')) };
}
