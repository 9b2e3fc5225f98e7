/**
 * Parsers for the text of any setting: words, lists, PEM and JSON. Each returns the value in the form the program works with,
 * or throws a `BrokenRule` that states the rule. Those for one kind of value are beside this file: `port-parse.ts` and so on.
 */
import { BrokenRule } from './broken-rule';
import * as meant from './meant';

/** `true` or `false`, as both Pulumi and Phoenix spell them. */
export function boolean(raw: string): boolean {
  return truth(raw, meant.truth);
}

/** The same for a setting whose name says what is not there: `off` may be the answer, or say it once more. */
export function negatedBoolean(raw: string): boolean {
  return truth(raw, meant.plainTruth);
}

function truth(raw: string, meaning: (raw: string) => string | undefined): boolean {
  if (raw !== 'true' && raw !== 'false') {
    throw new BrokenRule('it is either true or false, in small letters', meaning(raw), ['true', 'false']);
  }
  return raw === 'true';
}

/** One of these words. */
export function oneOf<T extends string>(...words: readonly T[]): (raw: string) => T {
  return (raw) => {
    const word = words.find((other) => other === raw);
    if (word === undefined) {
      throw new BrokenRule(`it is one of ${words.join(', ')}`, meant.word(raw, words), words);
    }
    return word;
  };
}

/** One line that is not empty; whitespace around it goes, as Phoenix strips it too. */
export function text(raw: string): string {
  const line = raw.trim();
  if (line === '' || /\p{Cc}/u.test(line)) {
    throw new BrokenRule('it is one line of text, and not empty');
  }
  return line;
}

/** Begins as a certificate does. */
export const pemExample = '-----BEGIN CERTIFICATE-----\n…';

/** Text of a PEM file. */
export function pem(raw: string): string {
  if (!/^-----BEGIN [A-Z ]+-----$/m.test(raw)) {
    throw new BrokenRule('it is not PEM text, which begins with -----BEGIN');
  }
  return raw;
}

/** Parts that commas separate, without the whitespace around them. */
export function parts(raw: string): string[] {
  return raw.split(',').map((part) => part.trim());
}

/**
 * The list itself, when nothing stands in it twice.
 * @param what one of its parts, as the beginning of the rule
 */
export function distinct(list: readonly string[], what: string): readonly string[] {
  if (new Set(list).size !== list.length) {
    throw new BrokenRule(`${what} is listed twice`);
  }
  return list;
}

/** What a JSON text says; undefined where it is none. */
export function json(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
