import type { Problem } from '../settings/problem';

/** What the engine needs from a kind of resource. Inputs come without their secret marks. */
export interface Kind<Inputs extends object, Outputs extends Inputs> {
  /** Outputs that are secret; inputs that came as secrets stay so by themselves. */
  readonly secrets?: readonly (keyof Outputs & string)[];
  /** Inputs whose change requires a replacement. */
  readonly identity?: readonly (keyof Inputs & string)[];
  /**
   * What is wrong with inputs that are all known, at every preview and before every deployment.
   * @param before inputs of the existing resource
   */
  check?(inputs: Inputs, before: Inputs | undefined): Promise<readonly Problem[]>;
  /** What is wrong already while some inputs are unknown: they come with this deployment. */
  planned?(inputs: Inputs): Promise<readonly Problem[]>;
  /**
   * Whether inputs that differ mean the same.
   * @param before outputs of the existing resource, including its inputs
   */
  same?(before: Outputs, after: Inputs): boolean;
  /** Whether the resource has to be repaired although its inputs are the same. */
  drifted?(outputs: Outputs): Promise<boolean>;
  /**
   * What a deployment would lead to, where that is known: everything else is `unknown`. Default: the inputs, and no output.
   * @param outputs what exists; undefined if nothing does yet
   * @param inputs may hold `unknown`
   */
  preview?(outputs: Outputs | undefined, inputs: Inputs): Promise<Outputs>;
  create(inputs: Inputs): Promise<Outputs>;
  update(outputs: Outputs, inputs: Inputs): Promise<Outputs>;
  /** The current state. */
  read?(outputs: Outputs): Promise<Outputs>;
  delete?(outputs: Outputs): Promise<void>;
}
