import { existsSync } from 'node:fs';

/** Path of the bundle of authorities that this machine trusts; undefined if it is not in a usual place. */
export function machineCertificates(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const usual = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];
  return [env.SSL_CERT_FILE, ...usual].find((path) => path && existsSync(path));
}
