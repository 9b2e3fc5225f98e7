/**
 * Settings of the namespace `docker`, by the names that the docker provider has for them: the stack passes them to it.
 */
import * as meant from './meant';
import { whyNoAddress } from '../engine';
import { fromFile, key, optional, secret } from './setting';
import { BrokenRule } from './broken-rule';
import { json, negatedBoolean, pem, pemExample, text } from './parse';

export const dockerKeys = {
  'docker:host': optional(
    'unix:///var/run/docker.sock',
    'Docker Engine to deploy to: `unix:///path`, `tcp://host:port` or `ssh://user@host`; without it the one that the `docker` command uses (`DOCKER_HOST`, `DOCKER_CONTEXT`, the current context), else the socket of Docker, Docker Desktop, Colima, OrbStack, Rancher Desktop or Podman that is there',
    dockerHost,
  ),
  'docker:context': optional('default', 'Docker context that names the engine, instead of `docker:host`', text),
  'docker:certPath': optional('/etc/docker/client', 'Folder with `ca.pem`, `cert.pem` and `key.pem` for an engine at `tcp://`; without it `DOCKER_CERT_PATH`, where `DOCKER_TLS_VERIFY` is set', absolutePath),
  'docker:caMaterial': fromFile('ca.pem', optional(pemExample, 'The authority of such an engine as text, with the next two instead of `docker:certPath`', pem)),
  'docker:certMaterial': fromFile('cert.pem', optional(pemExample, 'The client certificate as text', pem)),
  'docker:keyMaterial': fromFile('key.pem', secret('The key of the client certificate as text', pem)),
  'docker:sshOpts': optional('["-i","/home/me/.ssh/id_ed25519"]', 'Further arguments of `ssh` for an engine at `ssh://`, as a JSON array; without it `DOCKER_SSH_OPTS`', sshOptions),
  'docker:registryAuth': secret('Credentials of image registries, as a JSON array of `address`, `username` and `password`', registryAuth),
  'docker:disableDockerDaemonCheck': key('false', 'Whether a preview asks no Docker Engine; the docker provider does without one only for `ssh://`', negatedBoolean, 'true'),
} as const;

/** Address of a Docker Engine. */
export function dockerHost(raw: string): string {
  const wrong = whyNoAddress(raw);
  if (wrong) {
    throw new BrokenRule(wrong, meant.engineHost(raw));
  }
  return raw;
}

function absolutePath(raw: string): string {
  if (!raw.startsWith('/')) {
    throw new BrokenRule('the program and the provider run in different folders, so write a path from the root: /path/of/the/folder');
  }
  return raw;
}

function sshOptions(raw: string): readonly string[] {
  const list = json(raw);
  if (!Array.isArray(list) || !list.every((option) => typeof option === 'string')) {
    throw new BrokenRule('it is a JSON array with one text for each argument of ssh');
  }
  return list as string[];
}

/** @returns the text unchanged: its content is checked by the provider */
function registryAuth(raw: string): string {
  const list = json(raw);
  if (!Array.isArray(list) || !list.every((entry) => typeof (entry as { address?: unknown } | null)?.address === 'string')) {
    throw new BrokenRule('it is a JSON array of objects, each with an address');
  }
  return raw;
}
