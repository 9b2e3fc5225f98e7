import { EngineError, untilRemoved, type Engine } from './docker-engine';
import { isEmpty, isRecord, unknown, type Props, type Value } from './fields';

/** What networks and volumes have in common. */

export const fixed = { replaces: true } as const;
export const given = (props: Props, key: string) => (isEmpty(props[key]) || props[key] === unknown ? undefined : props[key]);
export const pairs = (value: Value | undefined) => Object.fromEntries((Array.isArray(value) ? value : []).filter(isRecord).map(({ label, value: text }) => [label, text]));
export const asLabels = (map: Record<string, string> | null) => Object.entries(map ?? {}).map(([label, value]) => ({ label, value }));

/** With the failed operation before the engine's own words. */
export async function said<T>(prefix: string, work: Promise<T>): Promise<T> {
  return work.catch((error: Error) => {
    throw new Error(`${prefix}: ${error.message}`);
  });
}

/**
 * Removes a thing that may be in use for another moment.
 * @param pending the state that the published provider names in its message
 * @param busy the engine's words while it is in use
 */
export function removed(engine: Engine, path: string, pending: string, busy: string): Promise<void> {
  return untilRemoved(pending, () => engine.raw('DELETE', path).then(() => true, (error: unknown) => {
    if (error instanceof EngineError && error.status === 404) {
      return true;
    }
    if (error instanceof Error && error.message.includes(busy)) {
      return false;
    }
    throw error;
  }));
}
