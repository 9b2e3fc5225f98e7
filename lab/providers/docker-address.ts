import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../engine';
import type { Props } from './fields';

/**
 * How the engine is reached; undefined if nothing names one. Variables count as in the published provider: those with material
 * only if the configuration does not have even an empty text, DOCKER_CERT_PATH always, DOCKER_SSH_OPTS if the list is empty.
 */
export function addressIn(config: Props, env: NodeJS.ProcessEnv): Engine | undefined {
  const text = (key: string): string => (typeof config[key] === 'string' ? config[key] : '');
  const material = (key: string, variable: string): string => (key in config ? text(key) : env[variable] ?? '');
  const [ca, cert, key] = [material('caMaterial', 'DOCKER_CA_MATERIAL'), material('certMaterial', 'DOCKER_CERT_MATERIAL'), material('keyMaterial', 'DOCKER_KEY_MATERIAL')];
  const certPath = text('certPath') || env['DOCKER_CERT_PATH'] || '';
  if ([ca, cert, key].some((given) => given !== '')) {
    if (certPath !== '') {
      throw new Error('when using raw certificates, certPath must not be specified');
    }
    if ([ca, cert, key].includes('')) {
      throw new Error('certMaterial, keyMaterial, and caMaterial must all be specified');
    }
  }
  for (const file of certPath === '' ? [] : ['cert.pem', 'key.pem', 'ca.pem']) {
    if (!existsSync(join(certPath, file))) {
      throw new Error(file === 'ca.pem' ? `could not read CA certificate "${join(certPath, file)}"` : `could not load X509 key pair: open ${join(certPath, file)}: no such file or directory`);
    }
  }
  const host = text('host') || env['DOCKER_HOST'] || '';
  if (host === '') {
    return undefined;
  }
  const options = config['sshOpts'];
  const listed = (typeof options === 'string' && options !== '' ? JSON.parse(options) : options ?? []) as string[];
  const sshOpts = listed.length > 0 ? listed : env['DOCKER_SSH_OPTS']?.split(/\s+/).filter(Boolean) ?? [];
  const tls = certPath !== '' ? { certPath } : ca !== '' ? { ca, cert, key } : undefined;
  return { host, ...(tls ? { tls } : {}), ...(sshOpts.length > 0 ? { sshOpts } : {}) };
}
