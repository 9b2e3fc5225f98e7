/**
 * The images of a stack, those of its settings or the pinned ones, and where its engine gets them from.
 */
import { images, type ServiceName } from '../../components/catalog';
import { BrokenRule } from '../../settings/broken-rule';
import { image } from '../../settings/image-parse';
import { engineGet, engineMessage, engineRequest, remedies, type Engine } from '../../engine';
import { askRegistry, registryMs, type RegistryAnswer } from './registry';
import { loginsOf, type Logins } from './registry-login';
import { plainly } from './registry-trouble';
import { Failure, say } from './say';

/** An image of the stack, and where it is available. */
export interface SurveyedImage {
  readonly service: ServiceName;
  readonly reference: string;
  /** Whether it is set explicitly: then nothing replaces it. */
  readonly own: boolean;
  readonly state: { readonly kind: 'on the engine' } | RegistryAnswer;
}

export interface Survey {
  readonly images: readonly SurveyedImage[];
  /** Settings that an earlier version of this program wrote for the images that lab/ had built. They count as not set. */
  readonly stale: readonly string[];
}

export interface SurveyOptions {
  readonly logins?: Logins;
  /** Milliseconds for which a registry may be silent. */
  readonly timeoutMs?: number;
}

/**
 * What lab/ builds. cloudflared is not included: a machine that can reach its service can also reach an image registry. No
 * package registry has Grafana.
 */
export type Buildable = Exclude<ServiceName, 'tunnel' | 'grafana'>;

/** What an earlier version set if it had built something. */
const written: Readonly<Record<Buildable, RegExp>> = { phoenix: /^lab\/phoenix:/, alloy: /^lab\/alloy:/, gate: /^lab\/nginx:/, prometheus: /^lab\/prometheus:/, victorialogs: /^lab\/victorialogs:/ };

export const isBuildable = (service: ServiceName): service is Buildable => Object.hasOwn(written, service);

/**
 * The images of a stack, and where the engine gets them from.
 * @throws Failure if the engine does not respond
 */
export async function surveyImages(engine: Engine, settings: Readonly<Record<string, string>>, options: SurveyOptions = {}): Promise<Survey> {
  const asked = { logins: loginsOf(settings), timeoutMs: registryMs, ...options };
  const chosen = servicesOf(settings).map((service) => ({ service, ...choiceOf(service, settings) }));
  const surveyed = chosen.filter(({ service, reference }) => isReference(service, reference));
  const states = await engineTold(engine, Promise.all(surveyed.map(({ reference }) => stateOf(engine, reference, asked))));
  return {
    images: surveyed.map(({ service, reference, own }, index) => ({ service, reference, own, state: states[index] ?? { kind: 'on the engine' } })),
    stale: chosen.filter(({ stale }) => stale).map(({ service }) => `${service}:image`),
  };
}

function servicesOf(settings: Readonly<Record<string, string>>): readonly ServiceName[] {
  const atEdge = settings['edge:central'] !== undefined;
  const published = !atEdge && Object.entries(settings).some(([key, value]) => /^tunnel:(?:\w*hostname|routes)$/i.test(key) && value.trim() !== '');
  return [...(atEdge ? [] : ['phoenix'] as const), 'alloy', 'gate', ...(['prometheus', 'victorialogs'] as const).filter((store) => settings[`${store}:enabled`] === 'true'), ...(published ? ['tunnel'] as const : []), ...(!atEdge && settings['grafana:enabled'] === 'true' ? ['grafana'] as const : [])];
}

function choiceOf(service: ServiceName, settings: Readonly<Record<string, string>>): { reference: string; own: boolean; stale: boolean } {
  const set = settings[`${service}:image`];
  const stale = set !== undefined && isBuildable(service) && written[service].test(set);
  return set === undefined || stale ? { reference: images[service], own: false, stale } : { reference: set, own: true, stale };
}

/** The program refuses an invalid reference, like every other setting. */
function isReference(service: ServiceName, reference: string): boolean {
  try {
    image(service)(reference);
    return true;
  } catch (error) {
    if (error instanceof BrokenRule) {
      return false;
    }
    throw error;
  }
}

/** @throws Error of the engine */
async function stateOf(engine: Engine, reference: string, { logins, timeoutMs }: Required<SurveyOptions>): Promise<SurveyedImage['state']> {
  const local = await engineRequest(engine, 'GET', `/images/${reference}/json`, { timeoutMs: 30_000 });
  if (local.status === 200) {
    return { kind: 'on the engine' };
  }
  if (local.status !== 404) {
    throw new Error(engineMessage(local));
  }
  const answer = await askRegistry(engine, reference, await logins(reference), timeoutMs);
  if (answer.kind !== 'there' || answer.architectures === undefined) {
    return answer;
  }
  const { Arch } = await engineGet<{ Arch: string }>(engine, '/version', 30_000);
  return answer.architectures.includes(Arch)
    ? answer
    : { kind: 'refused', ...plainly('platform', `it is made for ${answer.architectures.filter((one) => one !== 'unknown').join(', ')}, and the engine runs on ${Arch}`) };
}

async function engineTold<T>(engine: Engine, work: Promise<T>): Promise<T> {
  return work.catch((error: Error) => {
    throw new Failure(`The Docker Engine at ${engine.host} does not answer: ${error.message}.`, remedies(engine, error.message));
  });
}

/** The same, once more, for those that could not be reached. */
export async function surveyedAgain(engine: Engine, surveyed: readonly SurveyedImage[], settings: Readonly<Record<string, string>>, options: SurveyOptions): Promise<readonly SurveyedImage[]> {
  const asked = { logins: loginsOf(settings), timeoutMs: registryMs, ...options };
  const again = async (one: SurveyedImage): Promise<SurveyedImage> => (one.state.kind === 'unreachable' ? { ...one, state: await stateOf(engine, one.reference, asked) } : one);
  return engineTold(engine, Promise.all(surveyed.map(again)));
}

/** Removes settings from the stack file that an earlier version wrote there. @param remove `pulumi config rm-all`, for these keys */
export async function forgetStale({ stale }: Survey, remove: (keys: readonly string[]) => Promise<unknown>): Promise<void> {
  if (stale.length > 0) {
    await remove(stale);
    say(`Removed from the stack file: ${stale.join(', ')}, which named what an earlier version had built here. Which image a run uses is now decided in each run.`);
  }
}
