import { engineHost } from '../components/engine';
import { from } from './container-reach';
import { checkDelivery, type Delivery, type Route } from './delivery';
import type { Kind } from './resource';

/** A route that is asked from inside Phoenix's container throughout. */
type InnerRoute = Omit<Route, 'reach' | 'inside'>;

export interface DeliveryCheckInputs extends InnerRoute {
  /** IDs and hashes of everything on the path: when one is another, the path has to prove itself again. */
  readonly path: readonly string[];
}

/** Milliseconds that the span may take, and while Phoenix works off what an outage has left. */
const timeoutMs = 60_000;
const longestMs = 900_000;

/** Fails the deployment when a trace does not arrive after a change of what it passes through. */
export const deliveryCheck = (check: (route: InnerRoute) => Promise<Delivery> = throughPhoenix): Kind<DeliveryCheckInputs, DeliveryCheckInputs> => {
  const prove = async (inputs: DeliveryCheckInputs): Promise<DeliveryCheckInputs> => {
    const { failure } = await check(inputs);
    if (failure) {
      throw new Error([`A trace does not arrive. ${failure.hop}: ${failure.cause}.`, ...failure.mend.map((command) => `    ${command}`)].join('\n'));
    }
    return inputs;
  };
  return { create: prove, update: (_, inputs) => prove(inputs) };
};

/** From inside Phoenix's container: its image has what it takes, and Alloy is in reach there. */
async function throughPhoenix(route: InnerRoute): Promise<Delivery> {
  const engine = engineHost(route.engine || undefined);
  const reach = from(engine, route.containers.phoenix);
  try {
    return await checkDelivery({ ...route, engine, reach, inside: reach }, timeoutMs, longestMs);
  } finally {
    reach.close();
  }
}
