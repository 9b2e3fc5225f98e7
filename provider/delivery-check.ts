import { from } from './container-reach';
import { checkDelivery, type Delivery, type Route } from './delivery';
import { recordedEngine } from './recorded-engine';
import type { Kind } from './resource';

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

/** Fails the deployment when a trace does not arrive after a change of what it passes through. */
export const deliveryCheck = (check: (route: InnerRoute) => Promise<Delivery> = fromInside): Kind<DeliveryCheckInputs, DeliveryCheckInputs> => {
  const prove = async (inputs: DeliveryCheckInputs): Promise<DeliveryCheckInputs> => {
    const { failure } = await check(inputs);
    if (failure) {
      throw new Error([`A trace does not arrive. ${failure.hop}: ${failure.cause}.`, ...failure.mend.map((command) => `    ${command}`)].join('\n'));
    }
    return inputs;
  };
  return { create: prove, update: (_, inputs) => prove(inputs) };
};

/** From inside the gate, which reaches all of them. */
async function fromInside({ auth, adminSecret, headers = auth ? { authorization: `Bearer ${adminSecret}` } : {}, ...route }: InnerRoute): Promise<Delivery> {
  const engine = recordedEngine(route.engine);
  const reach = from(engine, route.containers.gate, 'bash');
  try {
    return await checkDelivery({ ...route, headers, engine, reach, inside: reach }, timeoutMs, longestMs);
  } finally {
    reach.close();
  }
}
