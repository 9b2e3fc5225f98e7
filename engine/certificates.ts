import { configDir } from './context';
import type { Tls } from './engine';
import type { EngineProblem, EngineSettings, Surroundings } from './choose';
import { whyUnusable } from './tls';

/** Settings with certificates; the docker provider reads them under the same names. */
export const tlsKeys = ['docker:certPath', 'docker:caMaterial', 'docker:certMaterial', 'docker:keyMaterial'] as const;

export interface Certificates {
  readonly tls?: Tls;
  readonly problems: readonly EngineProblem[];
}

/** Files with these texts, by the names that Docker gives them. */
const fileOf: Readonly<Record<string, string>> = { 'docker:caMaterial': 'ca.pem', 'docker:certMaterial': 'cert.pem', 'docker:keyMaterial': 'key.pem' };

const folder = '/path/of/a/folder/with/ca.pem,cert.pem,key.pem';

/** Certificates for a `tcp://` address: from the settings, else from the environment as the docker command line reads it. */
export function certificatesFor(settings: EngineSettings, { env, home }: Surroundings): Certificates {
  const { 'docker:certPath': certPath, 'docker:caMaterial': ca, 'docker:certMaterial': cert, 'docker:keyMaterial': key } = settings;
  const texts = tlsKeys.slice(1);
  const missing = texts.filter((name) => settings[name] === undefined);
  if (certPath !== undefined && missing.length < texts.length) {
    return refused('docker:certPath', certPath, `${texts.join(', ')} contain the same as text; the docker provider takes one of the two`, ['pulumi config rm docker:certPath']);
  }
  if (ca !== undefined && cert !== undefined && key !== undefined) {
    return checked('docker:certMaterial', undefined, { ca, cert, key }, [`pulumi config set docker:certPath ${folder}`]);
  }
  if (missing.length < texts.length) {
    return { problems: missing.map((name) => ({ key: name, rule: 'TLS needs the authority, the certificate and the key together', mend: [`pulumi config set ${name === 'docker:keyMaterial' ? '--secret ' : ''}${name} < ${fileOf[name]}`] })) };
  }
  if (certPath !== undefined) {
    return checked('docker:certPath', certPath, { certPath }, [`pulumi config set docker:certPath ${folder}`]);
  }
  return fromEnvironment(env, configDir(env, home));
}

/** Without one of the first two, DOCKER_CERT_PATH has no effect: the connection is plain. */
function fromEnvironment({ DOCKER_TLS_VERIFY: verify, DOCKER_TLS: unverified, DOCKER_CERT_PATH: certPath }: NodeJS.ProcessEnv, usual: string): Certificates {
  if (verify) {
    const [key, value] = certPath ? ['DOCKER_CERT_PATH', certPath] as const : ['DOCKER_TLS_VERIFY', verify] as const;
    return checked(key, value, { certPath: certPath || usual }, [`export DOCKER_CERT_PATH=${folder}`]);
  }
  return unverified
    ? refused('DOCKER_TLS', unverified, "that is TLS without a check of the engine's certificate, and the docker provider has no such option", [`export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=${folder}`])
    : { problems: [] };
}

/** Certificates in the settings that this engine does not use. */
export function unused(settings: EngineSettings, why: string): EngineProblem[] {
  return tlsKeys.filter((key) => settings[key] !== undefined).map((key) => ({ key, rule: why, mend: [`pulumi config rm ${key}`] }));
}

function checked(key: string, value: string | undefined, tls: Tls, mend: readonly string[]): Certificates {
  const why = whyUnusable(tls);
  return why === undefined ? { tls, problems: [] } : refused(key, value, why, mend);
}

function refused(key: string, value: string | undefined, rule: string, mend: readonly string[]): Certificates {
  return { problems: [{ key, ...(value === undefined ? {} : { value }), rule, mend }] };
}
