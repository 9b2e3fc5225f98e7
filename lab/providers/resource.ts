import type { Props, Shape } from './fields';

/** One resource type: its table of fields, and its operations. Errors become the step's error. */
export interface Resource {
  readonly shape: Shape;
  /** The real provider's own notes in the state, so that it accepts the state as its own. */
  readonly meta?: string;
  /** `name` is generated from the resource's name if it is not set. */
  readonly autoname?: true;
  readonly deleteBeforeReplace?: true;
  /**
   * The published provider is built with the newer plugin framework: defaults are not in the inputs, nulls not in the state,
   * and a difference names properties instead of paths.
   */
  readonly framework?: true;
  /** What is wrong with the inputs as a whole, by property. */
  readonly validate?: (inputs: Props) => Record<string, string>;
  /** Values that follow from others. */
  readonly derive?: (inputs: Props) => Props;
  /** The state that inputs lead to, if the rules of plan.ts do not determine it. The result of an operation is recorded unchanged. */
  readonly plan?: (prior: Props | null, inputs: Props) => Props;
  /** @throws Halfway when the thing exists but is not as it should be */
  create(planned: Props): Promise<{ id: string; state: Props }>;
  /** Undefined if it no longer exists. */
  read(id: string, state: Props): Promise<{ id: string; state: Props } | undefined>;
  /** Returns what to record over the plan. Without it a change is only recorded. */
  update?(id: string, old: Props, planned: Props): Promise<Props>;
  delete(id: string, state: Props): Promise<void>;
}

export interface Provider {
  readonly version: string;
  readonly resources: Readonly<Record<string, Resource>>;
  readonly invokes?: Readonly<Record<string, (args: Props) => Promise<Props>>>;
  /** @throws Error for a setting that this stand-in does not support */
  configure?(config: Props): Promise<void> | void;
}

/** A create that got as far as creating the thing: it is recorded, with the error, and the next update repairs it. */
export class Halfway extends Error {
  constructor(message: string, readonly id: string) {
    super(message);
  }
}
