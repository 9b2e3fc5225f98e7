/** A resource in the state, as in the output of `pulumi stack export`. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly protect?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface StackState {
  readonly resources: readonly StateResource[];
  /** Operations that were in progress when an earlier run ended. */
  readonly pending: readonly { readonly type: string; readonly urn: string }[];
}
