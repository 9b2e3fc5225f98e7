/**
 * Which key was meant by an unknown one, and what its name says about the value: that it is a secret, or that it is the
 * opposite.
 */
import { slips } from './slips';

/** The part after the namespace. */
const nameIn = (key: string): string => key.split(/:(.*)/s)[1] ?? '';

/** The words of a name: `ldapBindDn`, `LDAP_BIND_DN`. */
const partsOf = (key: string): string[] => nameIn(key).split(/(?<=[a-z\d])(?=[A-Z])|[\s._-]+/).map((part) => part.toLowerCase()).filter(Boolean);

const bare = (text: string): string => text.toLowerCase().replace(/[_-]/g, '');

/** Whether a key has all the parts of a shorter name: `ldapPassword` and `ldapBindPassword`. */
function hasAllParts(key: string, name: string): boolean {
  const [typed, its] = [partsOf(name), partsOf(key)];
  return typed.length > 1 && its.length > typed.length && typed.every((part) => its.includes(part));
}

/**
 * The known key that was meant by an unknown one, or undefined if it is not similar to any of them.
 * @param isSecret tells the known keys whose values are secrets
 */
export function nearestKey(typed: string, project: string, known: readonly string[], isSecret: (key: string) => boolean): string | undefined {
  const name = typed.replace(/(?<=:.+)(pwd?|pass(wd|phrase)?)$/i, 'Password');
  const [namespace = '', rest = ''] = name.split(/:(.*)/s).map(bare);
  const apart = (other: string): number => {
    const [space = '', its = ''] = other.split(':').map(bare);
    // A key of the project's own namespace (`pulumi config set uiPort …`) is compared by its last part alone.
    const isPart = (Math.min(its.length, rest.length) > 3 && (its.startsWith(rest) || its.endsWith(rest))) || hasAllParts(other, name);
    // A key that contains all that was typed is closer than one that contains a part of it: `bindDn` is `ldapBindDn`, not
    // `bind`.
    const most = isPart ? 1.5 : its.length > 3 && rest.startsWith(its) ? 1.75 : Infinity;
    return (namespace === bare(project) ? 0 : slips(namespace, space)) + Math.min(most, slips(rest, its));
  };
  // A name that says secret does not match a setting without a secret: `authToken` is not `auth`.
  const [, secret] = /(key|secret|password|token|credential)s?$/.exec(rest) ?? [];
  const fit = secret === undefined ? known : known.filter((other) => isSecret(other) || new RegExp(`${secret}s?$`).test(bare(other)));
  const [best] = [...fit].sort((one, other) => apart(one) - apart(other));
  // Up to a slip in a short name, three in a long one, or a part of the name; more is a different word.
  return best !== undefined && apart(best) <= (rest.length < 5 ? 1.5 : rest.length < 9 ? 2 : 3) ? best : undefined;
}

/** Words that invert the meaning of a name. */
const negations = ['no', 'not', 'never', 'off', 'without', 'deny', 'disable', 'disabled', 'disallow', 'forbid', 'skip', 'stop'];

/** Prefixes that do the same, as in `deprotect`. */
const negatingPrefixes = ['un', 'de', 'dis'];

/** Words that a name may also have, and that do not change its meaning. */
const affirmations = ['on', 'use', 'with', 'enable', 'enabled', 'required'];

/** Whether one of these words is, or contains, a word that is spelled a little differently. */
const hasLike = (words: readonly string[], word: string): boolean =>
  words.some((other) => other === word || (word.length > 3 && (other.includes(word) || slips(other, word) <= 1 || (other.length > 3 && word.startsWith(other)))));

/**
 * What the value of an unknown key means for the key that was meant: the same, the opposite, or something that only the person
 * who typed it knows (`authOptional`).
 */
export function sense(typed: string, known: string): 'same' | 'opposite' | 'unclear' {
  const [name, its] = [typed, known].map((key) => bare(nameIn(key))) as [string, string];
  // One slip does not make a different word: `ofset` is not "off".
  if (slips(name, its) <= 1) {
    return 'same';
  }
  const left = [...negations, ...negatingPrefixes].flatMap((word) =>
    [...name.matchAll(new RegExp(word, 'g'))].map(({ index }) => name.slice(0, index) + name.slice(index + word.length)));
  if (left.some((rest) => slips(rest, its) <= 1)) {
    return 'opposite';
  }
  const [words, itsWords] = [partsOf(typed), partsOf(known)];
  const negates = (some: readonly string[], others: readonly string[]): boolean => some.some((word) => negations.includes(word) && !hasLike(others, word));
  if (negates(words, itsWords) !== negates(itsWords, words)) {
    return 'opposite';
  }
  return words.every((word) => hasLike(itsWords, word) || [...affirmations, ...negations].includes(word)) ? 'same' : 'unclear';
}

const secretWords = (key: string): string[] => bare(nameIn(key)).match(/key|secret|password|token|credential|bearer|jwt/g) ?? [];

/**
 * Whether the value of an unknown key may be a secret although the key that was meant holds none: because of words in its name
 * that the other does not have (`loki:urlToken`), or because it looks generated (a client's `PHOENIX_API_KEY`).
 */
export function mayBeSecret(typed: string, known: string, value: string): boolean {
  const [words, its] = [secretWords(typed), secretWords(known)];
  if (words.some((word) => !its.includes(word))) {
    return true;
  }
  const generated = /key$/i.test(nameIn(typed)) ? /\d/ : /(?=\w*\d)\w{20}/;
  return words.length > 0 && generated.test(value);
}
