/** How the protocol marks a secret; see sdk/proto in Pulumi's sources. */
const mark = '4dabf18193072939515e22adb298388d';
const isSecret = '1b47061264138c4ac30d75fd1eb44270';

/** What the engine sends in a preview for an unknown value. */
export const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

/** Properties as plain values, secrets unwrapped. */
export function plain<T>(value: unknown): T {
  if (Array.isArray(value)) {
    return value.map((item) => plain(item)) as T;
  }
  if (typeof value === 'object' && value !== null) {
    const { [mark]: kind, value: inner, ...rest } = value as Record<string, unknown>;
    return kind === isSecret ? plain(inner) : (Object.fromEntries(Object.entries({ ...rest, ...(inner === undefined ? {} : { value: inner }) }).map(([key, item]) => [key, plain(item)])) as T);
  }
  return value as T;
}

/** A value that is encrypted in the state and never shown. */
export const secret = (value: string): object => ({ [mark]: isSecret, value });

/** The texts that are marked as secrets in properties. */
export function secretsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  const { [mark]: kind, value: inner } = value as Record<string, unknown>;
  return kind === isSecret ? texts(inner) : Object.values(value).flatMap(secretsIn);
}

function texts(value: unknown): string[] {
  return typeof value === 'string' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}
