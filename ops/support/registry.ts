import { imageReference } from '../../components/image-reference';
import { engineMessage, engineRequest, type Engine } from '../../engine';
import type { Login } from './registry-login';
import { plainly, troubleOf, type Trouble } from './registry-trouble';

export type RegistryAnswer =
  | {
      readonly kind: 'there';
      /** `sha256:…`; for a multi-platform image the digest of its index, which is valid for all platforms. */
      readonly digest: string;
      /** Its architectures, if it is multi-platform. */
      readonly architectures?: readonly string[];
    }
  /** The engine cannot reach it: no name, no route, refused or forbidden. */
  | ({ readonly kind: 'unreachable' } & Trouble)
  | ({ readonly kind: 'refused' } & Trouble);

/** The response of `GET /distribution/…/json`. */
interface Inspection {
  readonly Descriptor?: { readonly digest?: string; readonly mediaType?: string };
  readonly Platforms?: readonly { readonly architecture?: string }[];
}

/** The engine itself gives up on a registry after 15 s if it cannot connect, but once connected it waits forever. */
export const registryMs = 40_000;

/**
 * Queries the registry of an image about a reference. The engine sends the request, because the engine pulls: its network,
 * proxies and mirrors are the ones that count, and they need not be this machine's.
 * @throws Error if the engine does not respond
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

/** Whether an image comes from Docker Hub, which its name does not contain. */
export const onDockerHub = (reference: string): boolean => imageReference(reference)?.registry === 'docker.io';

/** The registry of an image, as a person calls it. */
export function registryNamed(reference: string): string {
  return onDockerHub(reference) ? 'Docker Hub' : (imageReference(reference)?.registry ?? reference);
}
