/**
 * Updates Pulumi's state: Alloy is in a new container, which was created from the one that Pulumi created.
 */
import type { Pulumi } from '../pulumi';

/** As `pulumi stack export` writes it; the rest of it is kept. */
interface Exported {
  readonly deployment: { readonly resources?: readonly { readonly urn: string; readonly id?: string; readonly outputs?: Readonly<Record<string, unknown>> }[] };
}

/** The state with a different ID for a resource, if it has that resource; providers use the ID among its outputs. */
export function withId<T extends Exported>(exported: T, resource: string, id: string): T {
  const { deployment } = exported;
  const resources = (deployment.resources ?? []).map((one) => (one.urn.endsWith(`::${resource}`) ? { ...one, id, outputs: { ...one.outputs, id } } : one));
  return { ...exported, deployment: { ...deployment, resources } };
}

/**
 * Records in the state which container a resource is. A refresh finds its other differences.
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
