import { ordered } from './plan';
import { equal, isRecord, unknown, type Field, type Props, type Value } from './fields';

/** A field of a resource that is built with the Terraform plugin framework. */
export interface FrameworkField extends Field {
  readonly of?: FrameworkShape;
  /** Once it is known it does not change, whatever else does. */
  readonly stays?: true;
}
export type FrameworkShape = Readonly<Record<string, FrameworkField>>;

/**
 * The state that inputs lead to, by the rules of the Terraform plugin framework: what is not set is null, or set by the API;
 * the API's values stay while nothing else changes, and are unknown as soon as anything does.
 */
export function frameworkPlan(shape: FrameworkShape, prior: Props | null, inputs: Props): Props {
  const same = proposed(shape, prior, inputs, false);
  return prior && Object.keys(shape).every((key) => equal(prior[key], same[key])) ? same : proposed(shape, prior, inputs, true);
}

/** @param anew whether the API sets its values again */
function proposed(shape: FrameworkShape, prior: Props | null, inputs: Props, anew: boolean): Props {
  return Object.fromEntries(Object.entries(shape).map(([key, field]): [string, Value] => {
    const [input, before] = [inputs[key] ?? null, prior?.[key] ?? null];
    if (input !== null && !field.output) {
      return [key, given(field, before, input, anew)];
    }
    if (!field.output && !field.computed) {
      return [key, field.fallback ?? null];
    }
    return [key, field.fallback ?? (anew && !(field.stays && before !== null) ? unknown : before)];
  }));
}

function given(field: FrameworkField, before: Value, input: Value, anew: boolean): Value {
  const { of } = field;
  if (Array.isArray(input)) {
    const items = input.map((item, i) => {
      const was = Array.isArray(before) && field.type === 'list' ? before[i] : null;
      return of && isRecord(item) ? present(proposed(of, isRecord(was) ? was : null, item, anew)) : item;
    });
    return field.type === 'set' ? sorted(field, items) : items;
  }
  return of && isRecord(input) ? present(proposed(of, isRecord(before) ? before : null, input, anew)) : input;
}

/** A set in the order in which it is recorded: the order of its whole elements, including their nulls. */
export function sorted({ of }: FrameworkField, items: Value[]): Value[] {
  const whole = new Map(items.map((item): [Value, Value] => [of ? complete(of, item) : item, item]));
  return ordered([...whole.keys()]).map((item) => whole.get(item) ?? null);
}

function complete(shape: FrameworkShape, value: Value): Value {
  return isRecord(value) ? Object.fromEntries(Object.entries(shape).map(([key, { of }]) => [key, of ? complete(of, value[key] ?? null) : value[key] ?? null])) : value;
}

/** Without nulls: this is how it is recorded. */
export function present(props: Props): Props {
  return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== null));
}
