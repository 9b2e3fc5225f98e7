import type { Cost } from './recipe';

/** A step before a part exists. */
export interface Work {
  /** Parts that need the same step run it once. */
  readonly key: string;
  /** Where its parts come from: "PyPI". */
  readonly from: string;
  readonly cost: Cost;
  /** Debian packages that it installs on this machine. */
  readonly packages: readonly string[];
}
