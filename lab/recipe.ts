import { createHash } from 'node:crypto';

/** What is built. Everything that changes the result belongs in name, version and inputs: the cache key is derived from them. */
export interface Recipe {
  /** Name as people write it: "Alloy". Letters, digits, dot, dash. */
  name: string;
  version: string;
  /** Whatever else the result depends on: flags, file contents, keys of other recipes. Must survive JSON. */
  inputs: unknown;
  /** Where its parts come from: "the Go module proxy". */
  from: string;
  cost: Cost;
}

/** What building takes with empty caches, as measured. Disk in megabytes. */
export interface Cost extends Disk {
  /** On two idle cores. */
  minutes: number;
  /** Additional space at the peak, free again afterwards. */
  meanwhile?: Disk;
}

/** Megabytes in this folder's cache, in the caches of Go, in the Docker engine. */
export interface Disk {
  cache?: number;
  go?: number;
  engine?: number;
}

/** Directory name of a recipe's result: name, version and a hash of all inputs, including the kind of this machine. */
export function cacheKey(recipe: Recipe): string {
  const content = JSON.stringify([recipe.name, recipe.version, recipe.inputs, process.platform, process.arch]);
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
  return `${recipe.name}-${recipe.version}-${hash}`.toLowerCase();
}

/** "Alloy 1.11.0". */
export const titleOf = ({ name, version }: Recipe): string => `${name} ${version}`;

/** The message when it begins: "Alloy 1.11.0: making it from the Go module proxy (about 5 minutes, once)". */
export function announcement(recipe: Recipe): string {
  return `${titleOf(recipe)}: making it from ${recipe.from} (about ${duration(recipe.cost.minutes)}, once)`;
}

/** "half a minute", "5 minutes". */
export function duration(minutes: number): string {
  if (minutes <= 0.5) return 'half a minute';
  const whole = Math.ceil(minutes);
  return whole === 1 ? 'a minute' : `${whole} minutes`;
}
