/**
 * The commands that a message offers for a value that breaks the rule of its key, or that is set under an unknown key.
 */
import { BrokenRule } from './broken-rule';
import { isSecretKey, keyed } from './keys';
import { mayBeSecret, sense } from './meant-key';
import { boolean, negatedBoolean } from './parse';
import { askCommand, type Key, mending, setCommand, valueCommand } from './setting';

/**
 * Commands that set the key that was meant, and that is not set, to the value of an unknown one. None of them shows what may be
 * a secret.
 */
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
    // Whether `off` is clear depends on the name that was typed.
    const negated = (entry.parse === negatedBoolean) !== (says === 'opposite');
    const answer = clearly(value, negated ? negatedBoolean : boolean);
    return answer === undefined || says === 'unclear' ? choices(to, ['true', 'false']) : [valueCommand(to, says === 'same' ? answer : String(answer === 'false'))];
  }
  const clear = clearly(value, entry.parse);
  if (says === 'opposite' || mayBeSecret(from, to, value)) {
    return [];
  }
  // Removing a key that is not set is no help.
  return clear === undefined
    ? offers(to, entry, value).filter((command) => !command.startsWith('pulumi config rm '))
    : [...mending(to, entry, clear), ...besides(ruleOf(entry.parse, value))];
}

/** Whether a text is or contains a private key, under whichever key: no message may show it. */
export const holdsKey = (raw: string): boolean => raw.includes('PRIVATE KEY-----');

const isSwitch = ({ parse }: Key<unknown>): boolean => parse === boolean || parse === negatedBoolean;

/** The person who typed it has to choose one of them. */
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
const besides = (broken: BrokenRule | undefined): string[] =>
  (broken?.besides ?? []).map(([key, value]) => (value === undefined ? askCommand(key) : valueCommand(key, value)));

/** The rule that a value breaks. */
function ruleOf(parse: (raw: string) => unknown, value: string): BrokenRule | undefined {
  try {
    parse(value);
    return undefined;
  } catch (error) {
    if (error instanceof BrokenRule) {
      return error;
    }
    throw error;
  }
}

/** The value itself if the key accepts it, otherwise what was meant. */
const clearly = (value: string, parse: (raw: string) => unknown): string | undefined => (ruleOf(parse, value) === undefined ? value : meantBy(value, parse));

/**
 * What was meant by a value that breaks the rule of its key, if that is clear: without quotes and spaces around it, or as this
 * kind is spelled here.
 */
function meantBy(raw: string, parse: (raw: string) => unknown): string | undefined {
  let text: string | undefined = raw.trim().replace(/^(["'`])(.*)\1$/s, '$2').trim();
  // One correction may require another: an address without http:// that is one of this machine.
  for (let corrections = 0; text !== undefined && text !== '' && corrections < 3; corrections += 1) {
    const broken = ruleOf(parse, text);
    if (broken === undefined) {
      return text === raw ? undefined : text;
    }
    text = broken.meant;
  }
  return undefined;
}
