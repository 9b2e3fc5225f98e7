import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { Engine } from '../engine';
import type { Settings } from '../settings/keys';

/**
 * The docker provider for just this engine. The one that Pulumi makes by itself would look for an engine once more, by
 * rules of its own: it lets DOCKER_CONTEXT win over `docker:host`, and does not know the current context.
 */
export function dockerProvider({ host, tls, sshOpts }: Engine, settings: Settings): docker.Provider {
  const auth = settings['docker:registryAuth'];
  return new docker.Provider('engine', {
    host,
    ...notFromEnvironment,
    ...(tls === undefined ? {} : 'certPath' in tls ? { certPath: tls.certPath } : { caMaterial: tls.ca, certMaterial: tls.cert, keyMaterial: pulumi.secret(tls.key) }),
    ...(sshOpts ? { sshOpts: [...sshOpts] } : {}),
    ...(auth === undefined ? {} : { registryAuth: pulumi.secret(JSON.parse(auth) as docker.types.input.ProviderRegistryAuth[]) }),
    ...(settings['docker:disableDockerDaemonCheck'] ? { disableDockerDaemonCheck: true } : {}),
  });
}

/** The engine as an input of a resource: its key, where it has one, is a secret. That alone: as an output all of it would be one, and the address in no message. */
export function engineInput(engine: Engine): pulumi.Input<Engine> {
  const { tls } = engine;
  return tls !== undefined && 'key' in tls ? ({ ...engine, tls: { ...tls, key: pulumi.secret(tls.key) } } as pulumi.Input<object> as pulumi.Input<Engine>) : engine;
}

/** Said, though empty: what is not said the provider reads from DOCKER_CONTEXT, DOCKER_CERT_PATH and so on. */
const notFromEnvironment = { context: '', certPath: '', caMaterial: '', certMaterial: '', keyMaterial: '' };
