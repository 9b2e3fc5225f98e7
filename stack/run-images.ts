/**
 * Images that one run uses instead of the pinned ones. The process that starts the CLI passes them in the environment.
 */
import { images, imagesVariable, type ServiceName } from '../components/catalog';
import type { Problem } from '../settings/problem';
import { BrokenRule } from '../settings/broken-rule';
import { image } from '../settings/image-parse';

/** By service. A missing service has its pinned image. */
export type RunImages = Partial<Record<ServiceName, string>>;

/** The variable for the CLI's environment; none if no image is chosen. */
export function imagesEnvironment(chosen: RunImages): Record<string, string> {
  return Object.keys(chosen).length === 0 ? {} : { [imagesVariable]: JSON.stringify(chosen) };
}

/**
 * Reads this run's images from the environment.
 * @returns settings (`alloy:image`) that apply if the stack sets none, and problems of the variable; then there are no settings
 */
export function imagesOfThisRun(env: NodeJS.ProcessEnv): { readonly settings: Readonly<Record<string, string>>; readonly problems: readonly Problem[] } {
  const raw = env[imagesVariable];
  if (raw === undefined || raw === '') {
    return { settings: {}, problems: [] };
  }
  const refused = (rule: string): ReturnType<typeof imagesOfThisRun> => ({
    settings: {},
    problems: [{ key: imagesVariable, value: raw, rule, mend: [`unset ${imagesVariable}`] }],
  });
  const chosen = parsed(raw);
  if (chosen === undefined) {
    return refused(`it is JSON by service, such as {"alloy":"${images.alloy}"}`);
  }
  for (const [service, reference] of Object.entries(chosen)) {
    if (!Object.hasOwn(images, service)) {
      return refused(`there is no service ${service}; there are ${Object.keys(images).join(', ')}`);
    }
    try {
      image(service as ServiceName)(reference);
    } catch (error) {
      if (!(error instanceof BrokenRule)) {
        throw error;
      }
      return refused(`the image of ${service}: ${error.message}`);
    }
  }
  return { settings: Object.fromEntries(Object.entries(chosen).map(([service, reference]) => [`${service}:image`, reference])), problems: [] };
}

function parsed(raw: string): Readonly<Record<string, string>> | undefined {
  try {
    const value: unknown = JSON.parse(raw);
    const fits = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every((one) => typeof one === 'string');
    return fits ? (value as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}
