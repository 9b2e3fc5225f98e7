/**
 * Settings of what Alloy removes from telemetry before it is written to disk, and of the share of traces that is kept.
 */
import { createRequire } from 'node:module';
import type { KnownValue, Redaction } from '../components/redaction';
import { BrokenRule } from './broken-rule';
import { boolean, distinct, oneOf, parts, text } from './parse';
import type { Problem } from './problem';
import { key, optional } from './setting';

/** A part of the settings: `keys.ts` has all of them. */
export const redactKeys = {
  'redact:content': key('false', 'Whether Alloy removes prompts, completions, documents, arguments of tools and messages of errors before anything is written to disk: [docs/privacy.md](docs/privacy.md)', boolean),
  'redact:attributes': optional('user.id,customer.*', 'Attributes that Alloy removes as well, by name, separated by commas; `*` is any text', names),
  'redact:values': optional('emails,keys,cards', 'What Alloy replaces in every text, separated by commas: `emails`, `keys` (API keys, tokens, passwords in URLs), `cards` (credit card numbers)', values),
  'redact:pattern': optional('EMP-[0-9]{6}', 'What Alloy replaces in every text as well: a regular expression in the form of RE2', pattern),
  'redact:projects': optional('support,hr', 'Projects of Phoenix that all of this is for, separated by commas; without it all', projectNames),
  'sampling:percent': key('100', 'Share of traces that Alloy keeps, in percent, each of them whole. Calls and tokens of language models are counted in all', percent),
} as const;

type RedactKey = Exclude<keyof typeof redactKeys, 'sampling:percent'>;

/** The settings that the rules look at. */
export type RedactSettings = { readonly [K in RedactKey]: ReturnType<(typeof redactKeys)[K]['parse']> };

const removing = ['redact:content', 'redact:attributes', 'redact:values', 'redact:pattern'] as const;

/** The settings by which something is removed. */
export const removedBy = (settings: RedactSettings): RedactKey[] => removing.filter((name) => settings[name] !== undefined && settings[name] !== false);

/** What Alloy removes; undefined if it is nothing. */
export function redactionOf(settings: RedactSettings): Redaction | undefined {
  return removedBy(settings).length === 0 ? undefined : {
    content: settings['redact:content'],
    attributes: settings['redact:attributes'] ?? [],
    values: settings['redact:values'] ?? [],
    pattern: settings['redact:pattern'],
    projects: settings['redact:projects'],
  };
}

function names(raw: string): readonly string[] {
  const list = parts(raw);
  if (list.some((name) => name === '' || /[\s"`\\\p{Cc}]/u.test(name))) {
    throw new BrokenRule('it is a list of names of attributes, separated by commas, such as user.id,customer.*');
  }
  if (list.some((name) => /^[*.]+$/.test(name))) {
    throw new BrokenRule('* alone would remove every attribute, and Phoenix would show nothing; name the attributes');
  }
  const inside = list.find((name) => /^(metadata|.*document\.metadata|tool\.parameters|llm\.prompt_template\.variables)\./i.test(name));
  if (inside !== undefined) {
    throw new BrokenRule(`${inside} is inside a JSON text, which Alloy does not open; name the attribute with the text, ${inside.replace(/^((.*document\.)?metadata|tool\.parameters|llm\.prompt_template\.variables)\..*$/i, '$1')}`);
  }
  return distinct(list, 'a name');
}

const known = oneOf<KnownValue>('emails', 'keys', 'cards');

function values(raw: string): readonly KnownValue[] {
  return distinct(parts(raw).map((word) => known(word)), 'a kind of values') as readonly KnownValue[];
}

function projectNames(raw: string): readonly string[] {
  const list = parts(raw);
  if (list.some((name) => name === '' || /[`\p{Cc}]/u.test(name))) {
    throw new BrokenRule('it is a list of names of projects, separated by commas');
  }
  return distinct(list, 'a project');
}

/** Text that RE2 takes. It runs in linear time, whatever the text. */
function pattern(raw: string): string {
  const expression = text(raw);
  if (expression.includes('`')) {
    throw new BrokenRule("a backtick ends a text in Alloy's configuration; write \\x60");
  }
  // Loaded only here: most stacks set no pattern.
  const { RE2JS } = createRequire(__filename)('re2js') as typeof import('re2js');
  let compiled: InstanceType<typeof RE2JS>;
  try {
    // In a group, as Alloy gets it.
    compiled = RE2JS.compile(`(?:${expression})`);
  } catch (error) {
    throw new BrokenRule(`it is not a regular expression in the form of RE2: ${(error as Error).message}`);
  }
  if (/\\[pP](?!L|N|\{\^?([CLMNPSZ][a-z]?|Latin|Greek|Cyrillic|Han|Arabic|Hebrew|Hiragana|Katakana|Hangul|Thai)\})/.test(expression)) {
    throw new BrokenRule('of the classes of Unicode it may have the general categories, such as \\p{L}, and the larger scripts; Alloy may not know others');
  }
  if (compiled.matcher('').find()) {
    throw new BrokenRule('it matches an empty text, so it would match everywhere');
  }
  return expression;
}

/** More than 0 and at most 100, with at most two decimals. */
function percent(raw: string): number {
  const value = Number(raw);
  if (!/^\d{1,3}(\.\d{1,2})?$/.test(raw) || value <= 0 || value > 100) {
    throw new BrokenRule('it is a number above 0 and at most 100, with at most two decimals, such as 10 or 0.5');
  }
  return value;
}

/** @param broken keys that already have a problem */
export function redactProblems(settings: RedactSettings & { readonly 'tunnel:phoenixOtlpHostname': string | undefined }, broken: ReadonlySet<string>): Problem[] {
  const [removal] = removedBy(settings);
  const isUnsure = removing.some((name) => broken.has(name));
  return [
    ...(settings['redact:projects'] !== undefined && removal === undefined && !isUnsure
      ? [{ key: 'redact:projects', rule: 'it says for which projects something is removed, and nothing is', mend: ['pulumi config set redact:content true', 'pulumi config rm redact:projects'] }]
      : []),
    ...(removal !== undefined && settings['tunnel:phoenixOtlpHostname'] !== undefined
      ? [{ key: 'tunnel:phoenixOtlpHostname', value: settings['tunnel:phoenixOtlpHostname'], rule: `spans that arrive there do not pass Alloy, which removes what ${removal} names`, mend: ['pulumi config rm tunnel:phoenixOtlpHostname   # senders use tunnel:otlpHostname', `pulumi config rm ${removal}`] }]
      : []),
  ];
}
