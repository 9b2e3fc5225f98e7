import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { Engine } from '../engine';
import type { Settings } from '../settings/keys';

/**
 * The docker provider for exactly this engine. Pulumi's default provider would choose an engine again, by
 * different rules: DOCKER_CONTEXT overrides `docker:host`, and the current context is ignored.
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

/** The engine as a resource input. Only its key, if any, is secret: as an output all of it would be, also the address in messages. */
export function engineInput(engine: Engine): pulumi.Input<Engine> {
  const { tls } = engine;
  return tls !== undefined && 'key' in tls ? ({ ...engine, tls: { ...tls, key: pulumi.secret(tls.key) } } as pulumi.Input<object> as pulumi.Input<Engine>) : engine;
}

/** Set, though empty: otherwise the provider reads DOCKER_CONTEXT, DOCKER_CERT_PATH and so on. */
const notFromEnvironment = { context: '', certPath: '', caMaterial: '', certMaterial: '', keyMaterial: '' };
