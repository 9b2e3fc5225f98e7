import { imageReference } from '../../components/image-reference';
import { engineMessage, engineRequest, type Engine } from '../../engine';
import type { Login } from './registry-login';
import { plainly, troubleOf, type Trouble } from './registry-trouble';

export type RegistryAnswer =
  | {
      readonly kind: 'there';
      /** `sha256:…`; for an image for several platforms the one of its index, which fits all of them. */
      readonly digest: string;
      /** Processors that it is made for, where it is made for several. */
      readonly architectures?: readonly string[];
    }
  /** The engine has no way to it: no name, no route, refused or forbidden. */
  | ({ readonly kind: 'unreachable' } & Trouble)
  | ({ readonly kind: 'refused' } & Trouble);

/** What `GET /distribution/…/json` answers. */
interface Inspection {
  readonly Descriptor?: { readonly digest?: string; readonly mediaType?: string };
  readonly Platforms?: readonly { readonly architecture?: string }[];
}

/** The engine itself gives a registry up after 15 s, where that does not open its door, and waits for ever behind it. */
export const registryMs = 40_000;

/**
 * Asks the registry of an image about a reference. The engine asks, because the engine pulls: its network,
 * proxies and mirrors are the ones that count, and they need not be this machine's.
 * @throws Error when the engine does not answer
 */
export async function askRegistry(engine: Engine, reference: string, login: Login = {}, timeoutMs = registryMs): Promise<RegistryAnswer> {
  const answer = await engineRequest(engine, 'GET', `/distribution/${reference}/json`, { timeoutMs, ...(login.header ? { headers: { 'X-Registry-Auth': login.header } } : {}) })
    .catch((error: Error) => {
      if (/^no answer within/.test(error.message)) {
        return undefined;
      }
      throw error;
    });
  if (answer === undefined) {
    return told(troubleOf(`no answer within ${timeoutMs / 1000} s`), login);
  }
  if (answer.status !== 200) {
    return told(troubleOf(engineMessage(answer), answer.status), login);
  }
  const { Descriptor: { digest, mediaType = '' } = {}, Platforms = [] } = JSON.parse(answer.body.toString()) as Inspection;
  if (digest === undefined) {
    return { kind: 'refused', ...plainly('portal', 'the registry gives no digest of it') };
  }
  const architectures = Platforms.flatMap(({ architecture }) => architecture ?? []);
  return { kind: 'there', digest, ...(/list|index/.test(mediaType) ? { architectures } : {}) };
}

function told(trouble: Trouble, { trouble: unread }: Login): RegistryAnswer {
  if (trouble.sort === 'unreachable') {
    return { kind: 'unreachable', ...trouble };
  }
  return { kind: 'refused', ...trouble, ...(trouble.sort === 'login' && unread ? { why: `${trouble.why}; ${unread}` } : {}) };
}

/** Whether an image comes from there, which its name does not say. */
export const onDockerHub = (reference: string): boolean => imageReference(reference)?.registry === 'docker.io';

/** The registry of an image, as a person calls it. */
export function registryNamed(reference: string): string {
  return onDockerHub(reference) ? 'Docker Hub' : (imageReference(reference)?.registry ?? reference);
}
