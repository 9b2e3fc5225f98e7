import * as path from 'node:path';
import { cacheRoot, withLock } from '../../lab';

/** Enough for what the longest file does with them on a busy machine. */
export const patienceMs = 60 * 60_000;

let release: (() => void) | undefined;

/**
 * Waits until no other file of tests has the usual ports (4317, 4318, 6006, …): what needs them are the main job, an adoption of
 * what has them, and environments beside one that has them. For `beforeAll`, with `patienceMs`.
 */
export function take(): Promise<void> {
  return new Promise((taken, failed) => {
    withLock(path.join(cacheRoot(), 'usual-ports.lock'), () => {
      taken();
      return new Promise<void>((resolve) => (release = resolve));
    }).catch(failed);
  });
}

/** For `afterAll`, last of all. */
export function giveBack(): void {
  release?.();
}
