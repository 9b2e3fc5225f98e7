/**
 * Values as the provider protocol carries them, and the table of fields that describes a resource. What the published
 * providers do around a resource follows from that table, by the rules of the Terraform bridge and the Terraform plugin
 * SDK that they are built with: check.ts, plan.ts, difference.ts with detail.ts, and refresh.ts. All of it is pure.
 */

/** How the protocol writes a value that is not known before the update has run. */
export const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Props = Record<string, Value>;

export interface Field {
  /** `object` is a list or set of at most one element in Terraform and a plain object in Pulumi. */
  readonly type: 'string' | 'int' | 'bool' | 'list' | 'set' | 'map' | 'object';
  /** The fields of an element, or of the object. Without it elements are strings. */
  readonly of?: Shape;
  readonly required?: true;
  /** Left out, it is for the engine to say, and a value once recorded stays. */
  readonly computed?: true;
  /** Only ever an output. */
  readonly output?: true;
  /** A change needs a new resource. Nested fields and their parent are looked at separately, as Terraform does. */
  readonly replaces?: true;
  readonly secret?: true;
  readonly fallback?: string | number | boolean;
  /** A complaint about a known value, else undefined. */
  readonly complaint?: (value: never) => string | undefined;
  /** Whether a change is none, although the values differ. */
  readonly suppress?: (old: never, next: never) => boolean;
  /** A refresh leaves the input as it was written. */
  readonly keepsInput?: true;
}
export type Shape = Readonly<Record<string, Field>>;

/** What Terraform takes for nothing, by type. */
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

/** One string per value: keys sorted, and where asked nothing told from its zero, as hashes of set elements are. */
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
