import { withoutPassword } from '../engine';

/** The description of one setting, and the commands that set it. */
export interface Key<T> {
  /** Value if nothing is set, or undefined for "off". */
  readonly fallback: string | undefined;
  /** What the setting does: a row of the README's table. */
  readonly about: string;
  /** A valid value, for the command in an error message if `fallback` is no help. */
  readonly example?: string;
  /** A file with such a value, if that has several lines: no prompt takes them, and a value that begins with `-` is an option. */
  readonly file?: string;
  /** Stored encrypted, asked for at the terminal, and in no message. */
  readonly secret?: true;
  /** Environment variable of Phoenix with the same meaning. `{NAME}` in it is the name of the identity provider, in capitals. */
  readonly variable?: string;
  /** Whether the stack generates one if none is set. */
  readonly made?: true;
  readonly parse: (raw: string) => T;
}

export const key = <T>(fallback: string, about: string, parse: (raw: string) => T, example = fallback): Key<T> => ({
  fallback,
  about,
  example,
  parse,
});

export const optional = <T>(example: string, about: string, parse: (raw: string) => T): Key<T | undefined> => ({
  fallback: undefined,
  about,
  example,
  parse,
});

export const secret = <T>(about: string, parse: (raw: string) => T): Key<T | undefined> => ({
  fallback: undefined,
  about,
  secret: true,
  parse,
});

export const madeSecret = (about: string, parse: (raw: string) => string): Key<string | undefined> => ({
  ...secret(`${about}; without it the stack generates one`, parse),
  made: true,
});

/** A setting for which Phoenix has an environment variable. */
export const inPhoenix = <K extends Key<unknown>>(variable: string, one: K): K => ({ ...one, variable });

/** A setting whose value has several lines. */
export const fromFile = <K extends Key<unknown>>(file: string, one: K): K => ({ ...one, file });

/**
 * Placeholder for a secret that a preview may not or cannot read: it passes the rules of all of them (an API token of
 * Cloudflare has 40 characters), and code that would use it in a request must skip the request.
 */
export const unknownSecret = 'not-known-to-this-preview-00000000000000';

/** A secret that is asked for at the terminal stays out of the shell's history. */
export const askCommand = (name: string): string => `pulumi config set --secret ${name}`;

/** The command that sets a key to this value. If a part of it may be a secret, the command asks for it. */
export const valueCommand = (name: string, value: string): string =>
  withoutPassword(value) === value ? `pulumi config set ${name} ${shellQuoted(value)}` : askCommand(name);

/** The command that sets a key to a valid value. */
export function setCommand(name: string, { example = '', secret, file }: Key<unknown>): string {
  if (file !== undefined) {
    return `pulumi config set ${secret ? '--secret ' : ''}${name} < ${file}`;
  }
  return secret ? askCommand(name) : `pulumi config set ${name} ${shellQuoted(example)}`;
}

/**
 * Commands that fix a value that breaks a rule. An example and a default are marked as such.
 * @param meant the value that was meant, if that is clear
 */
export function mending(name: string, key: Key<unknown>, meant?: string): string[] {
  const { fallback, secret, made, file } = key;
  if (secret || file !== undefined) {
    return [...(made ? [`pulumi config rm ${name}`] : []), setCommand(name, key)];
  }
  if (meant !== undefined) {
    return [valueCommand(name, meant)];
  }
  return [fallback === undefined ? `${setCommand(name, key)}   # an example` : `pulumi config rm ${name}   # the default: ${fallback || 'none'}`];
}

export function shellQuoted(text: string): string {
  return /^[\w./:@,+-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}
