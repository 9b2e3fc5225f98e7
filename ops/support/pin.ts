import type { Engine } from '../../engine';
import { askRegistry } from './registry';
import type { Logins } from './registry-login';
import { helpWith } from './registry-trouble';

export interface Pin {
  readonly service: string;
  /** As currently in the source. */
  readonly pinned: string;
  /** Without its digest. */
  readonly reference: string;
  /** Undefined if there is none to write. */
  readonly digest?: string;
  /** Why there is none. */
  readonly why?: string;
  readonly mend: readonly string[];
}

/** The current digest of a pinned image in its registry. */
export async function pinOf(engine: Engine, service: string, pinned: string, logins: Logins, again: string): Promise<Pin> {
  const [reference = ''] = pinned.split('@');
  const asked = { service, pinned, reference, mend: [] };
  const answer = await askRegistry(engine, reference, await logins(reference));
  if (answer.kind !== 'there') {
    const instead = (): string => '$EDITOR components/catalog.ts';
    return { ...asked, why: answer.why, mend: helpWith(answer.sort, { reference, again, instead }) };
  }
  if (answer.architectures === undefined) {
    return { ...asked, why: 'the registry has it for one platform only, and its digest would exclude all others', mend: [`docker buildx imagetools inspect ${reference}`] };
  }
  return { ...asked, digest: answer.digest };
}

/** The source with the digest; a reference that occurs more than once, or not at all, is not replaced automatically. */
export function withPin(source: string, { pinned, reference, digest = '' }: Pin): string | { readonly why: string; readonly mend: readonly string[] } {
  const parts = source.split(`'${pinned}'`);
  return parts.length === 2
    ? parts.join(`'${reference}@${digest}'`)
    : { why: parts.length === 1 ? 'components/catalog.ts does not contain it as one string' : 'components/catalog.ts contains it more than once', mend: ['$EDITOR components/catalog.ts'] };
}
