import { engineMessage, engineRequest } from '../../components/engine';

export interface RegistryAnswer {
  /** Whether the registry could be reached, whatever it said. */
  readonly answers: boolean;
  /** Digest of the reference, `sha256:…`; for an image for several platforms the one of its index, which fits all of them. */
  readonly digest?: string;
  /** Why there is no digest. */
  readonly reason?: string;
}

/**
 * Asks the registry of an image about a reference. The engine asks, because the engine pulls: its network,
 * proxies and mirrors are the ones that count, and they need not be this machine's.
 */
export async function askRegistry(host: string, reference: string, timeoutMs = 15_000): Promise<RegistryAnswer> {
  try {
    const answer = await engineRequest(host, 'GET', `/distribution/${reference}/json`, { timeoutMs });
    if (answer.status === 200) {
      const { Descriptor } = JSON.parse(answer.body.toString()) as { Descriptor: { digest: string } };
      return { answers: true, digest: Descriptor.digest };
    }
    // The engine passes on what a registry says (401, 403, 404) and answers 500 where it reached none.
    return { answers: answer.status < 500, reason: engineMessage(answer) };
  } catch (error) {
    return { answers: false, reason: (error as Error).message };
  }
}
