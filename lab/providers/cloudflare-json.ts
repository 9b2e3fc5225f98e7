import { equal, isRecord, unknown, type Props, type Value } from './fields';
import { present, sorted, type FrameworkField } from './framework';

/** A field of a Cloudflare resource, and where it is in the API. */
export interface ApiField extends FrameworkField {
  readonly of?: ApiShape;
  /** Key in bodies. Default: the property's name in snake case. */
  readonly api?: string;
  /** It is part of the address, and not in bodies. */
  readonly address?: true;
  /** The API does not return it again: a refresh keeps the recorded value. */
  readonly untold?: true;
  /** Recorded as JSON text. */
  readonly json?: true;
  /** A time, recorded in whole seconds. */
  readonly time?: true;
}
export type ApiShape = Readonly<Record<string, ApiField>>;

export const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const keyOf = (name: string, field: ApiField) => field.api ?? snake(name);

/**
 * The body of a request: what is set and known, null for what no longer is. Values that the API sets are left out.
 * @param changes only what differs from `prior`
 */
export function toBody(shape: ApiShape, planned: Props, prior: Props, changes = false): Props {
  return Object.fromEntries(Object.entries(shape).flatMap(([name, field]): [string, Value][] => {
    const [value, before] = [planned[name] ?? null, prior[name] ?? null];
    if (field.address || field.output || value === unknown || (value === null && before === null) || (changes && equal(value, before))) {
      return [];
    }
    return [[keyOf(name, field), encoded(field, value, before)]];
  }).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function encoded({ of }: ApiField, value: Value, before: Value): Value {
  if (!of) {
    return value;
  }
  return Array.isArray(value)
    ? value.map((item) => (isRecord(item) ? toBody(of, item, item) : item))
    : isRecord(value) ? toBody(of, value, isRecord(before) ? before : value) : value;
}

/** A thing as the API returns it. */
export function fromAnswer(shape: ApiShape, answer: Props): Props {
  return Object.fromEntries(Object.entries(shape).filter(([, field]) => !field.address).map(([name, field]) => [name, decoded(field, answer[keyOf(name, field)] ?? null)]));
}

function decoded(field: ApiField, value: Value): Value {
  const { of } = field;
  if (field.json) {
    return value === null ? null : JSON.stringify(value);
  }
  if (field.time) {
    return typeof value === 'string' ? value.replace(/\.\d+(?=Z|[+-])/, '') : value;
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => (of && isRecord(item) ? present(fromAnswer(of, item)) : item));
    return field.type === 'set' ? sorted(field, items) : items;
  }
  return of && isRecord(value) ? present(fromAnswer(of, value)) : value;
}

/** The state after a create or update: as planned, with the API's own values. */
export function afterwards(shape: ApiShape, planned: Props, told: Props): Props {
  return Object.fromEntries(Object.entries(shape).map(([name, field]): [string, Value] => {
    const [value, said] = [planned[name] ?? null, told[name] ?? null];
    if (field.address) {
      return [name, value];
    }
    return [name, field.output || (field.computed && (value === null || value === unknown)) ? said : within(field, value, said)];
  }));
}

function within({ of }: ApiField, value: Value, said: Value): Value {
  if (of && Array.isArray(value)) {
    return value.map((item, i) => {
      const told = Array.isArray(said) ? said[i] : null;
      return isRecord(item) ? present(afterwards(of, item, isRecord(told) ? told : {})) : item;
    });
  }
  return of && isRecord(value) ? present(afterwards(of, value, isRecord(said) ? said : {})) : value;
}

/** The state after a refresh. */
export function refreshed(shape: ApiShape, state: Props, told: Props): Props {
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, (field.address || field.untold ? state[name] : told[name]) ?? null]));
}
