import { from } from './container-reach';
import { checkDelivery, type Delivery } from './delivery';
import type { Route } from './route';
import { tell } from './progress';
import { recordedEngine } from './recorded-engine';
import type { Kind } from './resource';
import { checkStores, type StoreDelivery } from './store-check';

/** A route that is asked from inside the private network throughout. */
interface InnerRoute extends Omit<Route, 'reach' | 'inside' | 'headers'> {
  /** Whether Phoenix asks for credentials, and PHOENIX_ADMIN_SECRET, where it is in this stack. */
  readonly auth?: boolean;
  readonly adminSecret?: string;
  /** Headers with which it is asked where it is in another. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface DeliveryCheckInputs extends InnerRoute {
  /** IDs and hashes of everything on the path: when one is another, the path has to prove itself again. */
  readonly path: readonly string[];
}

/** Milliseconds that the span may take, and while Phoenix works off what an outage has left. */
const timeoutMs = 60_000;
const longestMs = 900_000;

/** What of what was sent has arrived. */
interface Arrival {
  readonly delivery: Delivery;
  readonly stores: readonly StoreDelivery[];
}

/** Milliseconds that a store may take: remote write collects for 5 s, and a token that was changed is read within a second. */
const storeMs = 20_000;

/**
 * Fails the deployment when a trace does not arrive after a change of what it passes through, or when a store of metrics or logs
 * does not take what it is sent for a reason that stays. One that is busy is told.
 */
export const deliveryCheck = (check: (route: InnerRoute) => Promise<Arrival> = fromInside): Kind<DeliveryCheckInputs, DeliveryCheckInputs> => {
  const prove = async (inputs: DeliveryCheckInputs): Promise<DeliveryCheckInputs> => {
    const { delivery: { failure }, stores } = await check(inputs);
    if (failure) {
      throw new Error([`A trace does not arrive. ${failure.hop}: ${failure.cause}.`, ...failure.mend.map((command) => `    ${command}`)].join('\n'));
    }
    const refused = stores.flatMap((store) => store.failure ?? []);
    for (const { hop, cause } of refused.filter(({ passing }) => passing)) {
      tell(`${hop}: ${cause}.`);
    }
    const lasting = refused.filter(({ passing }) => !passing);
    if (lasting.length > 0) {
      throw new Error(lasting.flatMap(({ hop, cause, mend }) => [`${hop}: ${cause}.`, ...mend.map((command) => `    ${command}`)]).join('\n'));
    }
    return inputs;
  };
  return { create: prove, update: (_, inputs) => prove(inputs) };
};

/** From inside the gate, which reaches all of them. */
async function fromInside({ auth, adminSecret, headers = auth ? { authorization: `Bearer ${adminSecret}` } : {}, ...route }: InnerRoute): Promise<Arrival> {
  const engine = recordedEngine(route.engine);
  const reach = from(engine, route.containers.gate, 'bash');
  try {
    const whole: Route = { ...route, headers, engine, reach, inside: reach };
    const delivery = await checkDelivery(whole, timeoutMs, longestMs);
    return { delivery, stores: delivery.ok ? await checkStores(whole, storeMs) : [] };
  } finally {
    reach.close();
  }
}
