import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const controller = new AbortController();

/** Aborted once the deployment is cancelled. The provider runs for one deployment, so it stays aborted. */
export const cancelled = controller.signal;

// As many listeners as there are resources may wait at once.
setMaxListeners(0, cancelled);

/** Ends every wait of the provider. */
export const cancel = (): void => controller.abort();

/** Why a wait ended early. */
export class Cancelled extends Error {
  constructor() {
    super('the deployment was cancelled');
  }
}

/** Waits some milliseconds. @throws Cancelled as soon as the deployment is cancelled */
export async function pause(ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: cancelled }).catch(() => {
    throw new Cancelled();
  });
}
