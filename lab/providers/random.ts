import * as crypto from 'node:crypto';
import type { Field, Props, Shape } from './fields';
import type { Provider, Resource } from './resource';
import { serve } from './serve';

/**
 * Stand-in for the random provider plugin 4.21.2: RandomPassword, RandomString, RandomBytes and RandomId. Every change to an
 * input replaces, as in the published one. The only missing output is RandomPassword.bcryptHash: Node has no bcrypt, and a hash
 * that matches no password would be worse than none.
 */

const fixed = { replaces: true } as const;
const keepers: Field = { type: 'map', ...fixed };
const flag: Field = { type: 'bool', fallback: true, ...fixed };
const least: Field = { type: 'int', fallback: 0, ...fixed };
const length: Field = { type: 'int', required: true, ...fixed };
const text: Field = { type: 'string', output: true };
const secret: Field = { type: 'string', output: true, secret: true };

const textFields: Shape = {
  id: text,
  keepers,
  length,
  lower: flag,
  minLower: least,
  minNumeric: least,
  minSpecial: least,
  minUpper: least,
  number: { type: 'bool', ...fixed },
  numeric: { type: 'bool', ...fixed },
  overrideSpecial: { type: 'string', ...fixed },
  special: flag,
  upper: flag,
};

const minimums = ['minUpper', 'minLower', 'minNumeric', 'minSpecial'] as const;
const classes = ['special', 'upper', 'lower'] as const;

/** Evenly drawn characters, including the required ones of each class, in a random order. */
export function randomText(wanted: Props): string {
  const sets = {
    minUpper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    minLower: 'abcdefghijklmnopqrstuvwxyz',
    minNumeric: '0123456789',
    minSpecial: (wanted['overrideSpecial'] as string | null) || '!@#$%&*()-_=+[]{}<>:?',
  };
  const switches = { minUpper: 'upper', minLower: 'lower', minNumeric: 'numeric', minSpecial: 'special' } as const;
  const all = [...minimums.filter((key) => wanted[switches[key]] !== false).map((key) => sets[key]).join('')];
  if (all.length === 0) {
    throw new Error('the character set specified is empty');
  }
  const draw = (from: string[], count: number) => Array.from({ length: count }, () => from[crypto.randomInt(from.length)] as string);
  const drawn = minimums.flatMap((key) => draw([...sets[key]], (wanted[key] as number | null) ?? 0));
  const chars = [...drawn, ...draw(all, Math.max(0, (wanted['length'] as number) - drawn.length))];
  for (let i = chars.length - 1; i > 0; i--) {
    const j = crypto.randomInt(i + 1);
    [chars[i], chars[j]] = [chars[j] as string, chars[i] as string];
  }
  return chars.join('');
}

function validateLength(inputs: Props): Record<string, string> {
  const given = inputs['length'];
  if (typeof given === 'number' && given < 1) {
    return { length: `Invalid Attribute Value. Attribute length value must be at least 1, got: ${given}` };
  }
  const sum = minimums.reduce((total, key) => total + (typeof inputs[key] === 'number' ? inputs[key] : 0), 0);
  if (typeof given === 'number' && given < sum) {
    return { length: `Invalid Attribute Value. Attribute length value must be at least sum of min_upper + min_lower + min_numeric + min_special, got: ${given}` };
  }
  return {};
}

function validateText(inputs: Props): Record<string, string> {
  const off = ['numeric', 'number'].find((key) => inputs[key] === false && classes.every((other) => inputs[other] === false));
  if (off) {
    return { [off]: `Invalid Attribute Combination. At least one attribute out of [${[...classes, off].join()}] must be specified as true` };
  }
  return validateLength(inputs);
}

/** `number` is the old name of `numeric`. */
function oneName(inputs: Props): Props {
  const { number, numeric } = inputs;
  if (number !== undefined && numeric !== undefined && number !== numeric) {
    throw new Error('1 error occurred:\n\t* : Number and numeric are both configured with different values - Number is deprecated, use numeric instead\n\n');
  }
  const value = numeric ?? number ?? true;
  return { ...inputs, number: value, numeric: value };
}

function resource(rest: Pick<Resource, 'shape' | 'create'> & Partial<Resource>): Resource {
  return {
    framework: true,
    // The drawn value exists only in the state.
    read: async (id, state) => ({ id, state }),
    delete: async () => undefined,
    ...rest,
  };
}

export const random: Provider = {
  version: '4.21.2',
  resources: {
    'random:index/randomPassword:RandomPassword': resource({
      shape: { ...textFields, result: secret },
      meta: '{"schema_version":"3"}',
      validate: validateText,
      derive: oneName,
      create: async (planned) => ({ id: 'none', state: { id: 'none', result: randomText(planned) } }),
    }),
    'random:index/randomString:RandomString': resource({
      shape: { ...textFields, result: text },
      meta: '{"schema_version":"2"}',
      validate: validateText,
      derive: oneName,
      create: async (planned) => {
        const result = randomText(planned);
        return { id: result, state: { id: result, result } };
      },
    }),
    'random:index/randomBytes:RandomBytes': resource({
      shape: { base64: secret, hex: secret, keepers, length },
      validate: validateLength,
      create: async (planned) => {
        const bytes = crypto.randomBytes(planned['length'] as number);
        const base64 = bytes.toString('base64');
        return { id: base64, state: { base64, hex: bytes.toString('hex') } };
      },
    }),
    'random:index/randomId:RandomId': resource({
      shape: { b64Std: text, b64Url: text, byteLength: length, dec: text, hex: text, id: text, keepers, prefix: { type: 'string', ...fixed } },
      create: async (planned) => {
        const bytes = crypto.randomBytes(planned['byteLength'] as number);
        const prefix = (planned['prefix'] as string | null) ?? '';
        const id = bytes.toString('base64url');
        const hex = bytes.toString('hex');
        return {
          id,
          state: { id, b64Url: prefix + id, b64Std: prefix + bytes.toString('base64'), hex: prefix + hex, dec: prefix + BigInt(`0x${hex || '0'}`).toString() },
        };
      },
    }),
  },
};

if (require.main === module) {
  void serve(random);
}
