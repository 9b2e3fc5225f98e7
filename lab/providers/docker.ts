import { addressIn } from './docker-address';
import { container } from './docker-container';
import { Engine } from './docker-engine';
import { localImage, remoteImage, repoDigest } from './docker-image';
import { getNetwork, network } from './docker-network';
import { volume } from './docker-volume';
import { isEmpty } from './fields';
import type { Provider } from './resource';
import { serve } from './serve';

/**
 * Stand-in for the docker provider plugin 5.2.0, for machines that cannot download the published one: the resources and
 * functions this project uses, over the Docker Engine API. Names, defaults, replacements and recorded state are those of the
 * published provider, found by running both.
 */

/** The provider; exported so that tests can call its methods without a process. */
export function docker(engine: Engine = new Engine()): Provider {
  return {
    version: '5.2.0',
    async configure(config) {
      const context = 'context' in config ? config['context'] : process.env['DOCKER_CONTEXT'];
      const refused = Object.entries({ registryAuth: config['registryAuth'], context }).flatMap(([key, value]) => (value === undefined || isEmpty(value) || value === '[]' ? [] : [key]));
      if (refused.length > 0) {
        throw new Error(`this stand-in of the docker provider does not know ${refused.map((key) => `docker:${key}`).join(', ')}: install the published plugin with \`pulumi plugin install resource docker 5.2.0\`, or unset it`);
      }
      engine.address = addressIn(config, process.env) ?? engine.address;
      await engine.configure();
    },
    resources: {
      'docker:index/container:Container': container(engine),
      'docker:index/network:Network': network(engine),
      'docker:index/remoteImage:RemoteImage': remoteImage(engine),
      'docker:index/volume:Volume': volume(engine),
    },
    invokes: {
      'docker:index/getNetwork:getNetwork': ({ name }) => getNetwork(engine, String(name)),
      'docker:index/getRemoteImage:getRemoteImage': async ({ name }) => {
        const found = await localImage(engine, String(name));
        if (!found) {
          throw new Error(`did not find docker image '${String(name)}'`);
        }
        return { id: found.Id, name: String(name), repoDigest: repoDigest(String(name), found.RepoDigests) };
      },
    },
  };
}

if (require.main === module) {
  void serve(docker());
}
