import { from } from './container-reach';
import { checkDelivery, type Delivery } from './delivery';
import type { Route } from './route';
import { tell } from './progress';
import { recordedEngine } from './recorded-engine';
import type { Kind } from './resource';
import { checkStores, type StoreDelivery } from './store-check';

/** A route on which all requests come from inside the private network. */
interface InnerRoute extends Omit<Route, 'reach' | 'inside' | 'headers'> {
  /** Whether Phoenix requires credentials, and PHOENIX_ADMIN_SECRET, if it is in this stack. */
  readonly auth?: boolean;
  readonly adminSecret?: string;
  /** Headers of requests to it if it is in a different one. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface DeliveryCheckInputs extends InnerRoute {
  /** IDs and hashes of everything on the path: when one changes, the path is checked again. */
  readonly path: readonly string[];
}

/** Milliseconds that the span may take, and that it may take while Phoenix works off the backlog of an outage. */
const timeoutMs = 60_000;
const longestMs = 900_000;

/** What has arrived of what was sent. */
interface Arrival {
  readonly delivery: Delivery;
  readonly stores: readonly StoreDelivery[];
}

/** Milliseconds that a store may take: remote write collects for 5 s, and a changed token is read within a second. */
const storeMs = 20_000;

/**
 * Fails the deployment if a trace does not arrive after a change to its path, or if a store of metrics or logs refuses data for
 * a permanent reason. A busy store is only reported.
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
