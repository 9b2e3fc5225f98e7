/**
 * The state of a stack whose Docker Engine no longer exists: without the resources on it, so that the rest can be removed.
 */
import type { Pulumi } from './pulumi';

/** As `pulumi stack export` writes it; the rest of it is kept. */
interface Exported {
  readonly deployment: {
    readonly resources?: readonly Resource[];
    readonly pending_operations?: readonly { readonly resource: { readonly urn: string; readonly type?: string } }[];
  };
}

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly protect?: boolean;
  readonly dependencies?: readonly string[];
  readonly propertyDependencies?: Readonly<Record<string, readonly string[] | null>>;
  readonly deletedWith?: string;
}

/**
 * Whether a resource is on the engine, or queries what runs there. The check that records the engine queries nothing when it is
 * deleted, and is removed last: a run that continues from here uses it to recognize the engine.
 */
const isThere = (type: string): boolean => /^(docker:|pulumi:providers:docker$|observability:index:(?!EngineCheck$))/.test(type);

/** The state without what is on the engine, and with nothing protected. */
export function withoutEngine<T extends Exported>(exported: T): T {
  const { deployment } = exported;
  const all = deployment.resources ?? [];
  const kept = all.filter(({ type }) => !isThere(type));
  const urns = new Set(kept.map(({ urn }) => urn));
  const known = (dependencies: readonly string[] | null = []): string[] => (dependencies ?? []).filter((urn) => urns.has(urn));
  const resources = kept.map(({ protect: _, dependencies, propertyDependencies, deletedWith, ...rest }) => ({
    ...rest,
    ...(dependencies ? { dependencies: known(dependencies) } : {}),
    ...(propertyDependencies ? { propertyDependencies: Object.fromEntries(Object.entries(propertyDependencies).map(([name, one]) => [name, known(one)])) } : {}),
    ...(deletedWith !== undefined && urns.has(deletedWith) ? { deletedWith } : {}),
  }));
  const pending = deployment.pending_operations?.filter(({ resource }) => !isThere(resource.type ?? typeIn(resource.urn)));
  return { ...exported, deployment: { ...deployment, resources, ...(pending ? { pending_operations: pending } : {}) } };
}

/** `docker:index/container:Container` of `urn:pulumi:dev::project::parent$docker:index/container:Container::alloy`. */
const typeIn = (urn: string): string => urn.split('::')[2]?.split('$').at(-1) ?? '';

/** Removes what is on the engine from the state of a stack, and the protection from the rest. */
export async function forgetEngine(pulumi: Pulumi): Promise<void> {
  await pulumi.imported(withoutEngine(await pulumi.exported<Exported>()), 'taking what is on the engine out of the state');
}
