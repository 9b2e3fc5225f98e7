/**
 * Pulumi's state learns that Alloy is in another container than the one that it has made, of which that one was made.
 */
import type { Pulumi } from '../pulumi';

/** As `pulumi stack export` writes it; the rest of it is passed on. */
interface Exported {
  readonly deployment: { readonly resources?: readonly { readonly urn: string; readonly id?: string; readonly outputs?: Readonly<Record<string, unknown>> }[] };
}

/** The state with another ID for a resource, if it has that resource; providers go by the one among its outputs. */
export function withId<T extends Exported>(exported: T, resource: string, id: string): T {
  const { deployment } = exported;
  const resources = (deployment.resources ?? []).map((one) => (one.urn.endsWith(`::${resource}`) ? { ...one, id, outputs: { ...one.outputs, id } } : one));
  return { ...exported, deployment: { ...deployment, resources } };
}

/**
 * Tells the state which container a resource is. What else is different about it a refresh finds.
 * @returns whether the state has that resource
 */
export async function point(pulumi: Pulumi, resource: string, id: string): Promise<boolean> {
  const exported = await pulumi.exported<Exported>();
  const resources = exported.deployment.resources ?? [];
  const changed = withId(exported, resource, id);
  if (JSON.stringify(changed) === JSON.stringify(exported)) {
    return resources.some(({ urn }) => urn.endsWith(`::${resource}`));
  }
  await pulumi.imported(changed, 'writing the state of the stack');
  return true;
}
