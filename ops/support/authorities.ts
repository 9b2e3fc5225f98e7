/**
 * Certificate authorities that this machine trusts. Node has its own list and reads no other, while curl and Go use the
 * machine's: behind a company's authority Node would fail where the others work.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as tls from 'node:tls';

/** Where Linux distributions and macOS keep all authorities in one file; the same places that Go checks. */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * All of them in PEM: Node's own, those of NODE_EXTRA_CA_CERTS, SSL_CERT_FILE and SSL_CERT_DIR, and the machine's.
 * @param env variables that name files; an unreadable file is skipped, as in Node, curl and Go
 */
export function authorities(env: NodeJS.ProcessEnv = process.env): string[] {
  const machine = env['SSL_CERT_FILE'] ? [env['SSL_CERT_FILE']] : bundles.filter((file) => fs.existsSync(file)).slice(0, 1);
  const files = [env['NODE_EXTRA_CA_CERTS'], ...machine, ...(env['SSL_CERT_DIR'] ?? '').split(path.delimiter).flatMap(filesIn)];
  return [...new Set([...tls.rootCertificates, ...systemStore(), ...files.flatMap((file) => (file ? certificatesIn(file) : []))])];
}

/** Authorities that are only in the operating system's store, such as the keychain of macOS. Node reads it from 22.15 on. */
function systemStore(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (kind: 'system') => string[] };
  return getCACertificates?.('system') ?? [];
}

function filesIn(dir: string): string[] {
  try {
    return dir ? fs.readdirSync(dir).map((name) => path.join(dir, name)) : [];
  } catch {
    return [];
  }
}

function certificatesIn(file: string): string[] {
  try {
    return fs.readFileSync(file, 'latin1').replace(/\r/g, '').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  } catch {
    return [];
  }
}
