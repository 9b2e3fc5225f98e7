import type { CheckRequest } from '@pulumi/pulumi/proto/provider_pb';
import { createHash } from 'node:crypto';
import type { Props } from './fields';
import type { Resource } from './resource';

/** The engine's proposal, else the previous name, else the resource's name and seven random digits. */
export function autoname(name: string, olds: Props, request: CheckRequest): string {
  const proposed = request.getAutonaming()?.getProposedName();
  const kept = (olds['__defaults'] as string[] | undefined)?.includes('name') ? (olds['name'] as string) : undefined;
  return kept ?? (proposed || `${name}-${createHash('sha256').update(request.getRandomseed_asU8()).update(name).digest('hex').slice(0, 7)}`);
}

/** A name that was not generated is in use until the old resource is gone. */
export function fixedName(of: Resource, news: Props): boolean {
  return !!of.autoname && !(news['__defaults'] as string[] | undefined)?.includes('name');
}
