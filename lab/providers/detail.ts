import { equal, identity, isRecord, unknown, type Field, type Props, type Shape, type Value } from './fields';

/** How one property path differs; `replace` says that this path requires a new resource. */
export interface Change {
  readonly kind: 'add' | 'delete' | 'update';
  readonly replace: boolean;
}

type Changes = Record<string, Change>;

/**
 * What differs between two states, by property path (`ports[0].external`, `logOpts["max-size"]`).
 * The rules are those of the Terraform bridge: an element of a set is named by its position in the inputs, and a set whose new
 * elements cannot be derived from the inputs is reported as a whole.
 */
export function detail(shape: Shape, prior: Props, next: Props, inputs: Props): Changes {
  return Object.assign({}, ...Object.entries(shape).map(([key, field]) =>
    compare(key, field, false, prior[key] ?? null, next[key] ?? null, inputs[key] ?? null))) as Changes;
}

/** `inherited`: the collection that holds this value requires a new resource on a change. */
function compare(path: string, field: Field, inherited: boolean, old: Value, next: Value, input: Value): Changes {
  const before = present(old);
  const after = present(next);
  if (before === null && after === null) {
    return {};
  }
  const own = inherited || !!field.replaces;
  if (before === null || after === null || after === unknown) {
    const replace = own || (after !== unknown && after !== null && triggers(field, inherited, after)) || (before !== null && triggers(field, inherited, before));
    return { [path]: { kind: before === null ? 'add' : after === null ? 'delete' : 'update', replace } };
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const element: Field = { type: field.of ? 'object' : 'string', ...(field.of ? { of: field.of } : {}) };
    const at = (i: number, a: Value | undefined, b: Value | undefined) => compare(`${path}[${i}]`, element, !!field.replaces, a ?? null, b ?? null, null);
    if (field.type === 'set') {
      return compareSet(path, field, before, after, Array.isArray(input) ? input : [], at);
    }
    if (!field.of) {
      return compareList(path, !!field.replaces, before, after);
    }
    return Object.assign({}, ...Array.from({ length: Math.max(before.length, after.length) }, (_, i) => at(i, before[i], after[i]))) as Changes;
  }
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    const given = isRecord(input) ? input : {};
    return Object.assign({}, ...keys.map((key) =>
      compare(child(path, key), field.of?.[key] ?? { type: 'string' }, !!field.replaces, before[key] ?? null, after[key] ?? null, given[key] ?? null))) as Changes;
  }
  return equal(before, after) ? {} : { [path]: { kind: 'update', replace: own } };
}

/** The bridge treats an empty list as no list. */
function present(value: Value): Value {
  return Array.isArray(value) && value.length === 0 ? null : value;
}

function child(path: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function triggers(field: Field, inherited: boolean, value: Value): boolean {
  if (inherited || field.replaces) {
    return true;
  }
  const inside = Array.isArray(value) ? value : [value];
  return !!field.of && inside.some((item) => isRecord(item) && Object.entries(field.of ?? {}).some(([key, nested]) =>
    key in item && triggers(nested, false, item[key] ?? null)));
}

type At = (index: number, old: Value | undefined, next: Value | undefined) => Changes;

function compareSet(path: string, field: Field, old: Value[], next: Value[], inputs: Value[], at: At): Changes {
  const ids = (values: Value[]) => values.map((value) => identity(value));
  const [was, is] = [ids(old), ids(next)];
  const removed = old.flatMap((_, i) => (is.includes(was[i] as string) ? [] : [i]));
  const added = next.flatMap((_, i) => (was.includes(is[i] as string) ? [] : [i]));
  if (removed.length === 0 && added.length === 0) {
    return {};
  }
  const places = new Map<number, number>();
  for (const i of inputs.length < next.length ? [] : added) {
    const place = inputs.findIndex((input, p) => !places.has(p) && originates(field, input, next[i] as Value));
    if (place >= 0) {
      places.set(place, i);
    }
  }
  if (places.size !== added.length || (added.length === 0 && inputs.length < next.length)) {
    return { [path]: { kind: 'update', replace: !!field.replaces } };
  }
  return Object.assign({}, ...[...new Set([...removed, ...places.keys()])].map((place) =>
    at(place, removed.includes(place) ? old[place] : undefined, next[places.get(place) ?? -1]))) as Changes;
}

/** Whether a planned element is exactly what the input says, without defaults. */
function originates(field: Field, input: Value, next: Value): boolean {
  if (!field.of || !isRecord(next)) {
    return equal(input, next);
  }
  return Object.entries(field.of).every(([key, nested]) => {
    const given = (isRecord(input) ? input[key] : null) ?? null;
    const planned = next[key] ?? null;
    return (nested.computed && given === null) || equal(given, planned) ||
      (given === null && !(nested.type === 'string' || nested.type === 'int' || nested.type === 'bool') && present(planned) === null);
  });
}

/** The shortest edit from one list of strings to the other; a position that loses one value and gains another is an update. */
function compareList(path: string, replace: boolean, old: Value[], next: Value[]): Changes {
  const common = Array.from({ length: old.length + 1 }, () => new Array<number>(next.length + 1).fill(0));
  const length = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = next.length - 1; j >= 0; j--) {
      (common[i] as number[])[j] = old[i] === next[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  const out: Changes = {};
  const mark = (index: number, kind: 'add' | 'delete') => {
    const key = `${path}[${index}]`;
    out[key] = { kind: out[key] ? 'update' : kind, replace };
  };
  for (let i = 0, j = 0; i < old.length || j < next.length; ) {
    if (i < old.length && j < next.length && old[i] === next[j]) {
      i++;
      j++;
    } else if (i < old.length && (j >= next.length || length(i + 1, j) >= length(i, j + 1))) {
      mark(i++, 'delete');
    } else {
      mark(j++, 'add');
    }
  }
  return out;
}
