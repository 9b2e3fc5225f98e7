import { whyNoAddress, withoutPassword } from './address';
import type { EngineProblem } from './choose';
import type { Engine } from './engine';

/**
 * Variables that the docker provider reads whatever its configuration, and that would lead it elsewhere (pulumi-docker's
 * provider/image.go creates a client from the environment first; observed with the published provider).
 */
export function misleading({ host, tls }: Engine, { DOCKER_CERT_PATH: certPath, DOCKER_HOST: variable }: NodeJS.ProcessEnv): EngineProblem[] {
  const used = tls !== undefined && 'certPath' in tls ? tls.certPath : undefined;
  const texts = tls !== undefined && 'key' in tls;
  return [
    ...(certPath && certPath !== used ? [{ key: 'DOCKER_CERT_PATH', value: certPath, rule: `the docker provider uses these certificates for every engine, and they are not for the one at ${host}`, mend: ['unset DOCKER_CERT_PATH'] }] : []),
    ...(variable && variable !== host && (texts || whyNoAddress(variable))
      ? [{ key: 'DOCKER_HOST', value: withoutPassword(variable), rule: `the docker provider uses that engine, but the stack is for ${host}`, mend: ['unset DOCKER_HOST'] }]
      : []),
  ];
}
