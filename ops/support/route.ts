import { phoenixMetrics } from '../../components/catalog';
import { at, chooseEngine, isLocal } from '../../engine';
import { from } from '../../provider/container-reach';
import type { Route } from '../../provider/route';
import { here } from '../../provider/reach';
import { engineOf } from './docker';
import { isEdge, type EdgeOutputs, type Outputs } from './outputs';

/**
 * How a person's command reaches a stack: as an application of this machine would; or from inside its private network, if the
 * engine runs on a different machine and nothing is published for this one, or if what is published uses TLS for names of other
 * machines or may require a token.
 * @param redeploy command that restores the stack's containers
 */
export function routeOf(outputs: Outputs | EdgeOutputs, redeploy: string): Route {
  const { endpoints, internal, containers, dockerHost } = outputs;
  // A stack of the first version of this program has only `docker:host`.
  const engine = outputs.engine ?? (dockerHost === null ? engineOf(chooseEngine({})) : at(dockerHost));
  // It is on every network. On an edge stack it also uses TLS and sends the service token that the tunnel requires.
  const inside = from(engine, containers.gate, 'bash');
  if (isEdge(outputs)) {
    return { engine, inside, reach: inside, endpoints: internal, containers, headers: outputs.reader, central: outputs.central, redeploy };
  }
  const headers: Record<string, string> = outputs.auth ? { authorization: `Bearer ${outputs.adminSecret}` } : {};
  const rest = { engine, inside, metrics: phoenixMetrics, containers, headers, redeploy };
  return isLocal(engine) && outputs.otlpToken === undefined && !Object.values(endpoints).some((url) => url.startsWith('https:'))
    ? { ...rest, reach: here, endpoints: { otlpHttp: endpoints.otlpHttp, alloyUi: endpoints.alloyUi, phoenix: outputs.endpoints.phoenixUi } }
    : { ...rest, reach: inside, endpoints: internal };
}
