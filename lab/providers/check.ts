import { isEmpty, isRecord, unknown, type Field, type Props, type Shape, type Value } from './fields';

export interface Failure {
  readonly property: string;
  readonly reason: string;
}

/**
 * The inputs with defaults filled in; each object lists in `__defaults` which of its values were, as the bridge does.
 * Defaults that are false, 0 or "" stay out, also as the bridge does.
 * @param name the resource's name, for messages that say where to look
 */
export function check(shape: Shape, inputs: Props, name: string, withDefaults = true): { inputs: Props; failures: Failure[] } {
  const failures: Failure[] = [];
  const fail = (path: string, reason: string) =>
    failures.push({ property: '', reason: `${reason}. Examine values at '${name}.${path}'.` });
  const fields = (of: Shape, given: Props, path: string, terraform: string, inSet: string | undefined): Props => {
    const out: Props = {};
    const filled: string[] = [];
    for (const [key, field] of Object.entries(of)) {
      const value = given[key] ?? null;
      if (value !== null) {
        out[key] = one(field, value, `${path}${key}`, `${terraform}${key}`, inSet);
      } else if (field.required) {
        const dotted = snake(`${terraform}${key}`);
        fail(inSet ?? `${path}${key}`, `Missing required argument. The argument "${dotted}" is required, but no definition was found.`);
      } else if (withDefaults && !isEmpty(field.fallback)) {
        out[key] = field.fallback as Value;
        filled.push(key);
      }
    }
    for (const key of Object.keys(given).filter((key) => !of[key] && !key.startsWith('__') && given[key] !== null)) {
      fail(`${path}${key}`, `Invalid or unknown key (this stand-in of the provider knows ${Object.keys(of).sort().join(', ')})`);
    }
    return withDefaults ? { ...out, __defaults: filled.sort() } : out;
  };
  const one = (field: Field, value: Value, path: string, terraform: string, inSet: string | undefined): Value => {
    if (value === unknown) {
      return value;
    }
    if (Array.isArray(value)) {
      const top = field.type === 'set' ? (inSet ?? path) : inSet;
      return value.map((item, i) =>
        field.of && isRecord(item) ? fields(field.of, item, `${path}[${i}].`, `${terraform}.${i}.`, top) : scalar('string', item));
    }
    if (isRecord(value)) {
      return field.of
        ? fields(field.of, value, `${path}.`, `${terraform}.0.`, inSet)
        : Object.fromEntries(Object.entries(value).filter(([, v]) => v !== null).map(([k, v]) => [k, scalar('string', v)]));
    }
    const known = scalar(field.type, value);
    const reason = field.complaint?.(known as never);
    if (reason) {
      fail(inSet ?? path, `${reason}. ${reason}`);
    }
    return known;
  };
  return { inputs: fields(shape, inputs, '', '', undefined), failures };
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Numbers and booleans may come as strings and the other way round: configuration values are strings. */
function scalar(type: Field['type'], value: Value): Value {
  switch (type) {
    case 'int':
      return typeof value === 'string' && value !== unknown && /^-?\d+$/.test(value) ? Number(value) : value;
    case 'bool':
      return value === 'true' ? true : value === 'false' ? false : value;
    case 'string':
      return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
    default:
      return value;
  }
}
