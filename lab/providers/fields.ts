/**
 * Values as the provider protocol carries them, and the table of fields that describes a resource. What the published
 * providers do around a resource follows from that table, by the rules of the Terraform bridge and the Terraform plugin
 * SDK that they are built with: check.ts, plan.ts, difference.ts with detail.ts, and refresh.ts. All of it is pure.
 */

/** How the protocol represents a value that is unknown before the update. */
export const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Props = Record<string, Value>;

export interface Field {
  /** `object` is a list or set of at most one element in Terraform and a plain object in Pulumi. */
  readonly type: 'string' | 'int' | 'bool' | 'list' | 'set' | 'map' | 'object';
  /** The fields of an element, or of the object. Without it elements are strings. */
  readonly of?: Shape;
  readonly required?: true;
  /** If omitted, the engine sets it, and a recorded value stays. */
  readonly computed?: true;
  /** Only an output. */
  readonly output?: true;
  /** A change requires a new resource. Nested fields and their parent are compared separately, as in Terraform. */
  readonly replaces?: true;
  readonly secret?: true;
  readonly fallback?: string | number | boolean;
  /** An error about a known value, else undefined. */
  readonly complaint?: (value: never) => string | undefined;
  /** Whether the values count as equal although they differ. */
  readonly suppress?: (old: never, next: never) => boolean;
  /** A refresh keeps the input as it was written. */
  readonly keepsInput?: true;
}
export type Shape = Readonly<Record<string, Field>>;

/** What Terraform treats as nothing, by type. */
export const zero = { string: '', int: 0, bool: false } as const;

export function isRecord(value: Value | undefined): value is Props {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isEmpty(value: Value | undefined): boolean {
  return (
    value === undefined || value === null || value === '' || value === 0 || value === false ||
    (Array.isArray(value) && value.length === 0) || (isRecord(value) && Object.keys(value).length === 0)
  );
}

export function equal(a: Value | undefined, b: Value | undefined): boolean {
  return identity(a ?? null, false) === identity(b ?? null, false);
}

/** One string per value: keys sorted, and if requested, nothing distinguished from its zero, like the hashes of set elements. */
export function identity(value: Value, zeroIsNothing = true): string {
  if (Array.isArray(value)) {
    return `[${value.map((item) => identity(item, zeroIsNothing)).join()}]`;
  }
  if (isRecord(value)) {
    const keys = Object.keys(value).sort().filter((key) => !key.startsWith('__') && !(zeroIsNothing && isEmpty(value[key])));
    return `{${keys.map((key) => `${key}:${identity(value[key] ?? null, zeroIsNothing)}`).join()}}`;
  }
  return JSON.stringify(value);
}
