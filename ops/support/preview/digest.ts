/** The output of `pulumi preview --json --show-sames`: the parts that are read here. */
export interface Digest {
  readonly steps?: readonly Step[];
  readonly diagnostics?: readonly { readonly message?: string; readonly severity?: string }[];
}

export interface Step {
  /** `same` for unchanged resources. */
  readonly op: string;
  readonly urn: string;
  readonly oldState?: State;
  readonly newState?: State;
  /** Properties at the top level that differ; the only sign of a change within a secret. */
  readonly diffReasons?: readonly string[] | null;
}

export interface State {
  readonly type: string;
  /** URN of the component that it belongs to, or of the stack. */
  readonly parent?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
}

/** Placeholder for a value that is known only after the deployment; `plugin.UnknownStringValue` in Pulumi's sources. */
export const unknownValue = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

/** Placeholder for a secret. */
export const secretValue = '[secret]';

/** @returns the digest in the CLI's standard output, possibly after warnings; undefined if there is no complete one */
export function digestIn(stdout: string): Digest | undefined {
  const [json = ''] = /^\{[^]*/m.exec(stdout) ?? [];
  try {
    return JSON.parse(json) as Digest;
  } catch {
    return undefined;
  }
}
