import { equal, isRecord, type Field, type Props, type Shape, type Value } from './fields';

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

/** Which element of a set an input became: the most similar first. */
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
