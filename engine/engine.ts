/** A Docker Engine and how it is reached. All code that talks to an engine takes one of these. */
export interface Engine {
  /** `unix:///path`, `npipe:////./pipe/name`, `tcp://host:port` or `ssh://user@host:port`. */
  readonly host: string;
  /** Authority and client certificate for `tcp://`. Default: none, and the connection is plain. */
  readonly tls?: Tls;
  /** Further arguments of the `ssh` command, for `ssh://`. Default: none. */
  readonly sshOpts?: readonly string[];
}

/**
 * Either a folder with ca.pem, cert.pem and key.pem, or their text. The docker provider takes both, and TLS only
 * together with a client certificate.
 */
export type Tls = { readonly certPath: string } | { readonly ca: string; readonly cert: string; readonly key: string };

/** Where the Docker Engine listens by default. */
export const defaultSocket = '/var/run/docker.sock';

/** The engine at a plain address. */
export const at = (host: string): Engine => ({ host });

/** Whether the engine shares this machine's ports and addresses. So does the virtual machine of Docker Desktop and the like. */
export const isLocal = ({ host }: Engine): boolean => /^(unix|npipe):/.test(host);

/** What the `docker` command line needs in its environment to reach this engine. */
export function commandEnvironment({ host, tls }: Engine): Record<string, string> {
  const [verify, certPath] = tls && 'certPath' in tls ? ['1', tls.certPath] : ['', ''];
  // All of them are set: an empty value means none, and a value from somebody's shell would lead elsewhere.
  return { DOCKER_HOST: host, DOCKER_CONTEXT: '', DOCKER_TLS: '', DOCKER_TLS_VERIFY: verify, DOCKER_CERT_PATH: certPath };
}

/** The command that shows the engine's own response. It names the usual engine as well: this shell may use a different one. */
export function infoCommand({ host, tls }: Engine): string {
  const variables = [`DOCKER_HOST=${host}`, ...(tls && 'certPath' in tls ? ['DOCKER_TLS_VERIFY=1', `DOCKER_CERT_PATH=${tls.certPath}`] : [])];
  return [...variables, 'docker info'].join(' ');
}

/**
 * Commands for an engine that does not respond.
 * @param reason why, in the words of the network or of the engine
 */
export function remedies(engine: Engine, reason: string): string[] {
  // What every Go server replies to a client that does not use TLS.
  const speaksTls = engine.tls === undefined && /HTTP request to an HTTPS server/.test(reason);
  return [...(speaksTls ? ['export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/path/of/a/folder/with/ca.pem,cert.pem,key.pem'] : []), infoCommand(engine)];
}
