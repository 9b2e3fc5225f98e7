import { ports } from '../../components/catalog';
import { engineHost } from '../../components/engine';
import { from } from '../../provider/container-reach';
import type { Route } from '../../provider/delivery';
import { here } from '../../provider/reach';
import type { Outputs } from './outputs';

/**
 * How a person's command reaches a stack: as an application of this machine would, or, where the engine
 * runs on another one and nothing is published for this one, from inside its private network.
 * @param redeploy command that puts the stack's containers back
 */
export function routeOf({ endpoints, internal, containers, auth, adminSecret, dockerHost }: Outputs, redeploy: string): Route {
  const engine = engineHost(dockerHost ?? undefined);
  const inside = from(engine, containers.phoenix);
  const rest = { engine, inside, metrics: `http://127.0.0.1:${ports.phoenix.metrics}/metrics`, containers, auth, adminSecret, redeploy };
  return /^(unix|npipe):/.test(engine)
    ? { ...rest, reach: here, endpoints: { otlpHttp: endpoints.otlpHttp, alloyUi: endpoints.alloyUi, phoenix: endpoints.phoenixUi } }
    : { ...rest, reach: inside, endpoints: internal };
}
