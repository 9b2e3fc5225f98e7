import type { Cost } from './recipe';

/** Something that is to be done before a part is there. */
export interface Work {
  /** Parts that need the same do it once. */
  readonly key: string;
  /** Where its parts come from: "PyPI". */
  readonly from: string;
  readonly cost: Cost;
  /** Debian packages that are installed on this machine for it. */
  readonly packages: readonly string[];
}
