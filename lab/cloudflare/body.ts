import { Refusal } from './answer';

/** A complaint about a value, else undefined. */
export type Check = (value: unknown, path: string) => string | undefined;
export type Body = Readonly<Record<string, unknown>>;

export const text = ({ max, oneOf, is }: { readonly max?: number; readonly oneOf?: readonly string[]; readonly is?: (value: string) => boolean } = {}): Check => (value, path) =>
  typeof value !== 'string' ? `${path} must be a string`
    : max !== undefined && value.length > max ? `${path} must have at most ${max} characters`
      : oneOf && !oneOf.includes(value) ? `${path} must be one of ${oneOf.join(', ')}`
        : is && !is(value) ? `${path} is invalid: ${value}`
          : undefined;

export const flag: Check = (value, path) => (typeof value === 'boolean' ? undefined : `${path} must be a boolean`);

export const number = (is: (value: number) => boolean = () => true): Check => (value, path) =>
  typeof value !== 'number' ? `${path} must be a number` : is(value) ? undefined : `${path} is out of range`;

export const list = (of: Check): Check => (value, path) =>
  Array.isArray(value) ? value.map((item, i) => of(item, `${path}[${i}]`)).find(Boolean) : `${path} must be an array`;

/** The API accepts unknown keys, and treats null as not set. */
export const object = (fields: Readonly<Record<string, Check>>, required: readonly string[] = []): Check => (value, path) => {
  if (!isObject(value)) {
    return `${path} must be an object`;
  }
  const missing = required.find((key) => value[key] === undefined || value[key] === null);
  return missing !== undefined
    ? `${path === '' ? '' : `${path}.`}${missing} is required`
    : Object.entries(fields).map(([key, check]) => (value[key] === undefined || value[key] === null ? undefined : check(value[key], path === '' ? key : `${path}.${key}`))).find(Boolean);
};

/** Exactly one of the keys. */
export const oneKeyOf = (kinds: Readonly<Record<string, Check>>): Check => (value, path) => {
  const keys = isObject(value) ? Object.keys(value) : [];
  const kind = kinds[keys[0] ?? ''];
  return keys.length !== 1 || !kind ? `invalid '${path}' configuration` : kind((value as Body)[keys[0] as string], `${path}.${keys[0]}`);
};

export function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws Refusal */
export function checked(check: Check, body: unknown, code: number, words: (complaint: string) => string = (complaint) => complaint): Body {
  const complaint = check(body ?? {}, '');
  if (complaint) {
    throw new Refusal(400, code, words(complaint));
  }
  // What is null is not set.
  return Object.fromEntries(Object.entries((body ?? {}) as Body).filter(([, value]) => value !== null));
}
