/**
 * The commands that a message offers for a value that breaks the rule of its key, or stands under a key that is none.
 */
import { isSecretKey, keyed } from './keys';
import { mayBeSecret, sense } from './meant-key';
import * as values from './parse';
import { askCommand, type Key, mending, setCommand, valueCommand } from './setting';

/** Commands that set the key that is meant, which is not set, to what stands under one that is none. What may be a secret is shown in none of them. */
export function moved(from: string, value: string, to: string, secret: boolean): string[] {
  const entry = keyed[to];
  const says = sense(from, to);
  if (secret || isSecretKey(to)) {
    return says === 'opposite' ? [] : [entry?.file === undefined ? askCommand(to) : setCommand(to, entry)];
  }
  if (entry === undefined) {
    return [valueCommand(to, value)];
  }
  if (isSwitch(entry)) {
    // Whether `off` is clear is a matter of the name that was typed.
    const negated = (entry.parse === values.negatedBoolean) !== (says === 'opposite');
    const answer = clearly(value, negated ? values.negatedBoolean : values.boolean);
    return answer === undefined || says === 'unclear' ? choices(to, ['true', 'false']) : [valueCommand(to, says === 'same' ? answer : String(answer === 'false'))];
  }
  const clear = clearly(value, entry.parse);
  if (says === 'opposite' || mayBeSecret(from, to, value)) {
    return [];
  }
  // To remove what is not set helps nobody.
  return clear === undefined
    ? offers(to, entry, value).filter((command) => !command.startsWith('pulumi config rm '))
    : [...mending(to, entry, clear), ...besides(ruleOf(entry.parse, value))];
}

/** Whether a text is a private key or has one in it, wherever it was put: no message may show it. */
export const holdsKey = (raw: string): boolean => raw.includes('PRIVATE KEY-----');

const isSwitch = ({ parse }: Key<unknown>): boolean => parse === values.boolean || parse === values.negatedBoolean;

/** Which of them is for whoever has typed it to say. */
const choices = (name: string, all: readonly string[]): string[] => all.map((value) => valueCommand(name, value));

/**
 * Commands for a value that breaks the rule of its key.
 * @param hidden whether it was set with `--secret`: then no part of it is shown
 */
export function offers(name: string, entry: Key<unknown>, raw: string, hidden = false): string[] {
  const broken = ruleOf(entry.parse, raw);
  if (broken && broken.besides.length > 0 && hidden) {
    return [name, ...broken.besides.map(([key]) => key)].map(askCommand);
  }
  const meant = meantBy(raw, entry.parse);
  const { fallback, secret } = entry;
  if (meant === undefined && fallback === undefined && !secret && !isSwitch(entry) && /^(none|no|off|false|null|nil|undefined|disabled?|0|-)$/i.test(raw.trim())) {
    return [`pulumi config rm ${name}`];
  }
  const all = meant === undefined ? broken?.choices ?? [] : [];
  return all.length > 0 ? choices(name, all) : [...mending(name, entry, meant), ...besides(broken)];
}

/** Commands for the other keys that take a part of a value. */
const besides = (broken: values.BrokenRule | undefined): string[] =>
  (broken?.besides ?? []).map(([key, value]) => (value === undefined ? askCommand(key) : valueCommand(key, value)));

/** The rule that a value breaks. */
function ruleOf(parse: (raw: string) => unknown, value: string): values.BrokenRule | undefined {
  try {
    parse(value);
    return undefined;
  } catch (error) {
    if (error instanceof values.BrokenRule) {
      return error;
    }
    throw error;
  }
}

/** The value as it is where the key takes it, and else as it is meant. */
const clearly = (value: string, parse: (raw: string) => unknown): string | undefined => (ruleOf(parse, value) === undefined ? value : meantBy(value, parse));

/** What somebody means by a value that breaks the rule of its key, where that is clear: without quotes and spaces around it, or as its kind is spelt here. */
function meantBy(raw: string, parse: (raw: string) => unknown): string | undefined {
  let text: string | undefined = raw.trim().replace(/^(["'`])(.*)\1$/s, '$2').trim();
  // One correction may be what another needs: an address without http://, which is one of this machine.
  for (let corrections = 0; text !== undefined && text !== '' && corrections < 3; corrections += 1) {
    const broken = ruleOf(parse, text);
    if (broken === undefined) {
      return text === raw ? undefined : text;
    }
    text = broken.meant;
  }
  return undefined;
}
