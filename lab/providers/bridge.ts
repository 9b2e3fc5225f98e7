import { detail, type Change } from './detail';
import { equal, identity, isEmpty, isRecord, unknown, zero, type Field, type Props, type Shape, type Value } from './fields';

/**
 * What the published providers do around a resource, whose rules come from the Terraform bridge and the
 * Terraform plugin SDK they are built with: defaults and validation (Check), the state a change would lead to
 * (plan), what differs (detail.ts) and what a refresh makes of the recorded inputs.
 * All of it is pure and written down as a table of fields per resource.
 */

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

/** The state these inputs lead to, as far as it is known. What does not change is taken over from `prior` as it stands. */
export function plan(shape: Shape, prior: Props | null, inputs: Props, inSet = false): Props {
  return Object.fromEntries(Object.entries(shape).map(([key, field]) =>
    [key, planned(field, prior === null, prior?.[key] ?? null, inputs[key] ?? null, inSet)]));
}

function planned(field: Field, fresh: boolean, old: Value, input: Value, inSet: boolean): Value {
  const next = input ?? field.fallback ?? null;
  const collection = !(field.type in zero);
  if (field.output || (field.computed && next === null)) {
    // A list that was never recorded, because the create failed, is computed again: this replaces the resource.
    return fresh || (old === null && (field.type === 'list' || field.type === 'set')) ? unknown : old;
  }
  if (next === unknown) {
    return unknown;
  }
  if (next === null) {
    const nothing = field.of && field.type !== 'object' ? [] : inSet && field.type === 'string' ? '' : inSet && field.type === 'set' ? [] : null;
    return fresh ? nothing : isEmpty(old) || field.suppress?.(old as never, next as never) ? old : field.type === 'map' ? {} : nothing;
  }
  const value = collection ? elements(field, old, next) : next;
  if (fresh) {
    return value;
  }
  const same = field.type === 'set' && Array.isArray(value) && Array.isArray(old)
    ? identity(value.map((v) => identity(v)).sort()) === identity(old.map((v) => identity(v)).sort())
    : identity(value) === identity(old) || (isEmpty(value) && isEmpty(old));
  return same || field.suppress?.(old as never, value as never) ? old : value;
}

function elements(field: Field, old: Value, next: Value): Value {
  const { of } = field;
  if (field.type === 'object') {
    return of && isRecord(next) ? plan(of, isRecord(old) ? old : null, next) : next;
  }
  if (!Array.isArray(next)) {
    return next;
  }
  if (!of) {
    return field.type === 'set' ? (next.includes(unknown) ? unknown : ordered([...new Set(next)])) : next;
  }
  if (field.type === 'set') {
    return ordered(next.map((item) => plan(of, null, item as Props, true)));
  }
  return next.map((item, i) => {
    const before = Array.isArray(old) ? old[i] : null;
    return plan(of, isRecord(before) ? before : null, item as Props);
  });
}

/** Sets are recorded in the order of their serialised elements (go-cty), which is what paths in a diff count in. */
export function ordered(set: Value[]): Value[] {
  const serial = (value: Value): string => {
    if (Array.isArray(value)) {
      return `[${value.map((v) => `${serial(v)};`).join('')}]`;
    }
    if (isRecord(value)) {
      return `<${Object.keys(value).sort().map((key) => `${serial(value[key] ?? null)};`).join('')}>`;
    }
    return value === null ? '~' : value === unknown ? '?' : typeof value === 'boolean' ? (value ? 'T' : 'F') : JSON.stringify(value);
  };
  const key = (value: Value) => (typeof value === 'string' ? value : serial(value));
  return [...set].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** The state to record: what was read laid over what was planned, and nothing left unknown. */
export function settle(shape: Shape, base: Props, read: Props, refreshing: boolean): Props {
  return Object.fromEntries(Object.entries(shape).map(([key, field]) => {
    const before = base[key] ?? null;
    const value = key in read ? (read[key] ?? blank(field)) : before === unknown ? (field.type === 'set' ? [] : null) : before;
    // On a create or update an empty collection that nobody asked for stays null; a refresh records it.
    if (!refreshing && before === null && !field.of && !(field.type in zero) && isEmpty(value)) {
      return [key, null];
    }
    return [key, field.type === 'set' && Array.isArray(value) ? ordered(refreshing ? value.map((v) => filled(field, v)) : value) : value];
  }));
}

function blank(field: Field): Value {
  return field.type === 'list' || field.type === 'set' ? [] : field.type === 'map' ? {} : null;
}

/** In a set, a refresh turns null into the type's zero. */
function filled(field: Field, element: Value): Value {
  return field.of && isRecord(element)
    ? Object.fromEntries(Object.entries(element).map(([key, value]) => [key, value ?? zero[field.of?.[key]?.type as 'string'] ?? null]))
    : element;
}

export interface Difference {
  readonly changed: boolean;
  /** Whole properties. */
  readonly keys: readonly string[];
  readonly replaces: boolean;
  readonly detail: Readonly<Record<string, Change>>;
}

/** What an update to these inputs would change. `ignore` names whole properties. */
export function difference(shape: Shape, prior: Props, inputs: Props, ignore: readonly string[] = [], next = plan(shape, prior, inputs)): Difference & { planned: Props } {
  for (const key of ignore.filter((key) => key in next)) {
    next[key] = prior[key] ?? null;
  }
  const changed = Object.keys(shape).filter((key) => !equal(prior[key], next[key]));
  const replaces = changed.some((key) => forces(shape[key] as Field, prior[key] ?? null, next[key] ?? null));
  const found = detail(shape, prior, next, inputs);
  const entries = Object.entries(found).map(([path, change]): [string, Change] => [path, replaces ? change : { ...change, replace: false }]);
  if (replaces && !entries.some(([, change]) => change.replace)) {
    entries.push(['__meta', { kind: 'update', replace: true }]);
  }
  return { changed: changed.length > 0, keys: changed, replaces, detail: Object.fromEntries(entries), planned: next };
}

/** Whether this change needs a new resource. */
function forces(field: Field, old: Value, next: Value): boolean {
  if (equal(old, next)) {
    return false;
  }
  if (!field.of || next === unknown) {
    return !!field.replaces;
  }
  const list = (value: Value): Value[] => (Array.isArray(value) ? value : value === null ? [] : [value]);
  const [before, after] = [list(old), list(next)];
  if (field.replaces && before.length !== after.length) {
    return true;
  }
  const nested = Object.entries(field.of);
  const pair = (a: Value | undefined, b: Value | undefined) =>
    nested.some(([key, child]) => forces(child, (isRecord(a) ? a[key] : null) ?? null, (isRecord(b) ? b[key] : null) ?? null));
  if (field.type !== 'set') {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, i) => pair(before[i], after[i])).some(Boolean);
  }
  const ids = (values: Value[]) => new Set(values.map((v) => identity(v)));
  const [was, is] = [ids(before), ids(after)];
  return before.some((v) => !is.has(identity(v)) && pair(v, null)) || after.some((v) => !was.has(identity(v)) && pair(null, v));
}

/** The recorded inputs after a refresh: only what was set before, with the values found. */
export function refreshedInputs(shape: Shape, inputs: Props, state: Props): Props {
  return extracted(shape, inputs, state)[0];
}

function extracted(shape: Shape, inputs: Props, state: Props): [inputs: Props, unchanged: boolean] {
  const defaults = new Set((inputs['__defaults'] as string[] | undefined) ?? []);
  const out: Props = {};
  let unchanged = true;
  for (const [key, value] of Object.entries(inputs).filter(([key]) => key !== '__defaults')) {
    const [next, same] = key in state ? extract(shape[key], value, state[key] ?? null) : [undefined, false];
    if (next !== undefined) {
      out[key] = next;
    }
    if (!same) {
      unchanged = false;
      defaults.delete(key);
    }
  }
  return '__defaults' in inputs ? [{ ...out, __defaults: [...defaults].sort() }, false] : [out, unchanged];
}

function extract(field: Field | undefined, input: Value, state: Value): [value: Value, unchanged: boolean] {
  if (Array.isArray(input) && Array.isArray(state)) {
    const order = field?.type === 'set' && field.of ? matched(input as Props[], state as Props[]) : input.map((_, i) => i);
    const pairs = input.flatMap((item, i): [Value, boolean][] => {
      const found = state[order[i] ?? -1];
      return found === undefined ? [] : [extract(field?.of && { type: 'object', of: field.of }, item, found)];
    });
    return [pairs.map(([value]) => value), pairs.length === input.length && pairs.every(([, same]) => same)];
  }
  if (isRecord(input) && isRecord(state)) {
    return extracted(field?.of ?? {}, input, state);
  }
  if (field?.keepsInput) {
    return [input, equal(input, state)];
  }
  return [state, equal(input, state)];
}

/** Which element of a set an input became: the likest first. */
function matched(inputs: Props[], state: Props[]): (number | undefined)[] {
  const score = (a: Props, b: Props) => Object.keys(a).reduce((sum, key) => sum + (key in b ? (equal(a[key], b[key]) ? 3 : 1) : 0), 0);
  const pairs = inputs.flatMap((a, i) => state.map((b, j) => ({ i, j, score: score(a, b) }))).sort((a, b) => b.score - a.score);
  const order: (number | undefined)[] = inputs.map(() => undefined);
  for (const { i, j } of pairs) {
    if (order[i] === undefined && !order.includes(j)) {
      order[i] = j;
    }
  }
  return order;
}
