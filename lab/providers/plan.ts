import { identity, isEmpty, isRecord, unknown, zero, type Field, type Props, type Shape, type Value } from './fields';

/** The state these inputs lead to, as far as it is known. Unchanged values are copied from `prior`. */
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

/** The state to record: what was read merged over what was planned, with nothing left unknown. */
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
