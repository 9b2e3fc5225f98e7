/** What `pulumi preview --json --show-sames` prints, as far as it is read here. */
export interface Digest {
  readonly steps?: readonly Step[];
  readonly diagnostics?: readonly { readonly message?: string; readonly severity?: string }[];
}

export interface Step {
  /** `same` for what stays as it is. */
  readonly op: string;
  readonly urn: string;
  readonly oldState?: State;
  readonly newState?: State;
  /** Properties at the top level that differ; the only trace of a change within a secret. */
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

/** Stands for a value that only the deployment makes; `plugin.UnknownStringValue` in Pulumi's sources. */
export const unknownValue = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

/** Stands for a secret. */
export const secretValue = '[secret]';

/** @returns the digest in the CLI's standard output, before which warnings may stand; undefined when there is no whole one */
export function digestIn(stdout: string): Digest | undefined {
  const [json = ''] = /^\{[^]*/m.exec(stdout) ?? [];
  try {
    return JSON.parse(json) as Digest;
  } catch {
    return undefined;
  }
}
