import { inspectHost, type HostFacts } from '../../stack/preflight';
import { isSecretKey } from '../../settings/keys';
import { readSettings } from '../../settings/settings';
import type { Choice, Engine } from '../../engine';
import { current, fakeEngine, type Answer } from './fake-engine';

/** The stack whose host is inspected, and the label of what is its own. */
export const owner = 'llm-observability/dev';
export const own = { 'llm-observability.stack': owner };

/** The engine as the settings name it. */
export const named = (engine: Engine): Choice => ({ engine, source: 'docker:host', problems: [] });

/** Inspects a host with these settings; what the engine answers differs from a current one in `answers`. */
export async function inspect(config: Record<string, string> = {}, answers: Record<string, Answer> = {}, over: 'unix' | 'tcp' = 'unix'): Promise<HostFacts> {
  const { engine } = await fakeEngine({ ...current, ...answers }, over);
  return inspectAt(engine, config);
}

export function inspectAt(engine: Engine, config: Record<string, string> = {}, preview = true): Promise<HostFacts> {
  const { settings, problems } = readSettings(config, 'llm-observability', isSecretKey);
  expect(problems).toEqual([]);
  return inspectHost(named(engine), settings, owner, preview);
}
