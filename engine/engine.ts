/** A Docker Engine and how it is reached. Everything that speaks to an engine takes one of these. */
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

/** Where the Docker Engine listens when nothing else is said. */
export const defaultSocket = '/var/run/docker.sock';

/** The engine at a plain address. */
export const at = (host: string): Engine => ({ host });

/** Whether the engine shares this machine's ports and addresses. A virtual machine of a laptop does so as well. */
export const isLocal = ({ host }: Engine): boolean => /^(unix|npipe):/.test(host);

/** What the `docker` command line must have in its environment to speak to this engine. */
export function commandEnvironment({ host, tls }: Engine): Record<string, string> {
  const [verify, certPath] = tls && 'certPath' in tls ? ['1', tls.certPath] : ['', ''];
  // All of them are said: an empty one is none, and one of somebody's shell would lead elsewhere.
  return { DOCKER_HOST: host, DOCKER_CONTEXT: '', DOCKER_TLS: '', DOCKER_TLS_VERIFY: verify, DOCKER_CERT_PATH: certPath };
}

/** The command with which a person sees the engine's own answer. It names the usual engine as well: this shell may be on another one. */
export function infoCommand({ host, tls }: Engine): string {
  const variables = [`DOCKER_HOST=${host}`, ...(tls && 'certPath' in tls ? ['DOCKER_TLS_VERIFY=1', `DOCKER_CERT_PATH=${tls.certPath}`] : [])];
  return [...variables, 'docker info'].join(' ');
}

/**
 * The commands that lead on from an engine that does not answer.
 * @param reason why, in the words of the network or of the engine
 */
export function remedies(engine: Engine, reason: string): string[] {
  // What every server in Go says to who speaks no TLS.
  const speaksTls = engine.tls === undefined && /HTTP request to an HTTPS server/.test(reason);
  return [...(speaksTls ? ['export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/path/of/a/folder/with/ca.pem,cert.pem,key.pem'] : []), infoCommand(engine)];
}
