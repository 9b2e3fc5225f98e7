import { ports } from '../../components/catalog';
import { at, chooseEngine, isLocal } from '../../engine';
import { from } from '../../provider/container-reach';
import type { Route } from '../../provider/delivery';
import { here } from '../../provider/reach';
import { engineOf } from './docker';
import { isEdge, type EdgeOutputs, type Outputs } from './outputs';

/**
 * How a person's command reaches a stack: as an application of this machine would, or, where the engine
 * runs on another one and nothing is published for this one, from inside its private network.
 * @param redeploy command that puts the stack's containers back
 */
export function routeOf(outputs: Outputs | EdgeOutputs, redeploy: string): Route {
  const { endpoints, internal, containers, dockerHost } = outputs;
  // A stack of the first version of this program says only `docker:host`.
  const engine = outputs.engine ?? (dockerHost === null ? engineOf(chooseEngine({})) : at(dockerHost));
  if (isEdge(outputs)) {
    // The tunnel lets at Phoenix only who speaks TLS and shows a service token: that way leads through the gate.
    const inside = from(engine, containers.gate, 'bash');
    return { engine, inside, reach: inside, endpoints: internal, containers, headers: outputs.reader, central: outputs.central, redeploy };
  }
  const inside = from(engine, outputs.containers.phoenix);
  const headers: Record<string, string> = outputs.auth ? { authorization: `Bearer ${outputs.adminSecret}` } : {};
  const rest = { engine, inside, metrics: `http://127.0.0.1:${ports.phoenix.metrics}/metrics`, containers, headers, redeploy };
  return isLocal(engine)
    ? { ...rest, reach: here, endpoints: { otlpHttp: endpoints.otlpHttp, alloyUi: endpoints.alloyUi, phoenix: outputs.endpoints.phoenixUi } }
    : { ...rest, reach: inside, endpoints: internal };
}
