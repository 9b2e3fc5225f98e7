import { detail, type Change } from './detail';
import { equal, identity, isRecord, unknown, type Field, type Props, type Shape, type Value } from './fields';
import { plan } from './plan';

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

/** Whether this change requires a new resource. */
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
