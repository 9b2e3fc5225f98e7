/**
 * The container limits that an engine supports, and the settings that it cannot enforce.
 */
import type { Limits, Ulimit } from '../components/workload';
import type { Problem } from '../settings/problem';
import type { Settings } from '../settings/keys';
import type { Info, Inspected } from './engine-answers';

/**
 * @param own running containers of the stack
 * @param settable whether the engine accepts ulimits of a container as they are
 */
export function limitsOf({ MemoryLimit, SwapLimit, CpuCfsQuota }: Info, own: readonly Inspected[], settable: boolean): Limits {
  return { memory: MemoryLimit !== false, swap: SwapLimit !== false, cpus: CpuCfsQuota !== false, ulimits: settable && commonUlimits(own) };
}

/** The ulimits that all of them have: these include the engine's own, which cannot be queried otherwise. */
function commonUlimits(own: readonly Inspected[]): Ulimit[] {
  const [first = [], ...others] = own.map(({ HostConfig }) => HostConfig?.Ulimits ?? []);
  return first
    .filter(({ Name }) => others.every((listed) => listed.some((one) => one.Name === Name)))
    .map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard }));
}

/** What is not enforced on this host, for one line in every preview: a limit without effect is a surprise at the worst time. */
export function unlimited({ memory, swap, cpus }: Limits): string[] {
  return [
    ...(memory ? [] : ['the kernel of the Docker host has no memory limit: phoenix:memory and alloy:memory are not enforced']),
    ...(memory && !swap ? ['the kernel of the Docker host does not count swap: containers may use it beyond their memory limit'] : []),
    ...(cpus ? [] : ['the kernel of the Docker host has no CPU quota for this engine: phoenix:cpus and alloy:cpus are not enforced']),
  ];
}

/** Docker refuses a CPU limit above what the host has, and only after the old container is gone. */
export function tooManyCpus(settings: Settings, available: number): Problem[] {
  const atEdge = settings['edge:central'] !== undefined;
  return (atEdge ? ['alloy:cpus'] as const : ['phoenix:cpus', 'alloy:cpus'] as const)
    .filter((key) => Number(settings[key]) > available)
    .map((key) => ({
      key,
      // As a person writes it: the provider writes 10 as "10.".
      value: String(Number(settings[key])),
      rule: `the Docker host has ${available}`,
      mend: [`pulumi config set ${key} ${available}`],
    }));
}
