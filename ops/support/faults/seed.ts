import { setTimeout as pause } from 'node:timers/promises';
import type { Engine } from '../../../engine';
import { laboratory } from '../lab';
import type { Outputs } from '../outputs';
import { Failure } from '../say';
import { Container } from './container';
import type { Target } from './target';

export interface SeedTarget extends Target {
  readonly remove: () => Promise<void>;
}

/**
 * Phoenix and Alloy in a docker-compose file, with the images of a stack; nothing runs yet.
 * @param above offset from the ports of the stack
 */
export async function seedOf({ images, endpoints }: Pick<Outputs, 'images' | 'endpoints'>, above = 0) {
  const port = (url: string): number => Number(new URL(url).port) + above;
  const { Seed } = await laboratory();
  return Seed.make({
    images: { phoenix: images.phoenix.name, alloy: images.alloy.name },
    ports: {
      phoenixUi: port(endpoints.phoenixUi),
      phoenixOtlpGrpc: port(endpoints.phoenixOtlpGrpc),
      phoenixOtlpHttp: port(endpoints.phoenixOtlpHttp),
      otlpGrpc: port(endpoints.otlpGrpc),
      otlpHttp: port(endpoints.otlpHttp),
      alloyUi: port(endpoints.alloyUi),
    },
  });
}

/** The same, running, 50 ports above the stack. */
export async function seedTarget(engine: Engine, outputs: Pick<Outputs, 'images' | 'endpoints'>): Promise<SeedTarget> {
  const { images, endpoints } = outputs;
  const above = 50;
  const seed = await seedOf(outputs, above);
  const remove = (): Promise<void> => seed.remove();
  try {
    await seed.compose('up', '-d');
    const at = (url: string): string => `http://127.0.0.1:${Number(new URL(url).port) + above}`;
    await answers(`${at(endpoints.phoenixUi)}/healthz`);
    await answers(`${at(endpoints.alloyUi)}/-/ready`);
    const helper = images.phoenix.name;
    return {
      receiver: at(endpoints.otlpHttp),
      alloyUi: at(endpoints.alloyUi),
      phoenix: new Container(engine, await seed.container('phoenix'), 'python3', helper),
      alloy: new Container(engine, await seed.container('alloy'), 'bash', helper),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function answers(url: string): Promise<void> {
  for (const deadline = Date.now() + 300_000; ; await pause(500)) {
    // A port of a container that does not listen yet may leave a request hanging without a response.
    if (await Promise.race([fetch(url).then((answer) => answer.ok, () => false), pause(5_000, false)])) {
      return;
    }
    if (Date.now() > deadline) {
      throw new Failure(`${url} did not answer within five minutes.`);
    }
  }
}
