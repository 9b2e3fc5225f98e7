import { phoenixMetrics } from '../../components/catalog';
import { at, chooseEngine, isLocal } from '../../engine';
import { from } from '../../provider/container-reach';
import type { Route } from '../../provider/route';
import { here } from '../../provider/reach';
import { engineOf } from './docker';
import { isEdge, type EdgeOutputs, type Outputs } from './outputs';

/**
 * How a person's command reaches a stack: as an application of this machine would, or, where the engine
 * runs on another one and nothing is published for this one, or what is published takes TLS for names of other machines or may ask
 * for a token, from inside its private network.
 * @param redeploy command that puts the stack's containers back
 */
export function routeOf(outputs: Outputs | EdgeOutputs, redeploy: string): Route {
  const { endpoints, internal, containers, dockerHost } = outputs;
  // A stack of the first version of this program says only `docker:host`.
  const engine = outputs.engine ?? (dockerHost === null ? engineOf(chooseEngine({})) : at(dockerHost));
  // It is on every network. At the edge it also speaks TLS and shows the service token that the tunnel asks for.
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
