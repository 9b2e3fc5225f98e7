/**
 * What a preview shows to a person, for one environment and for several: as text, and as Markdown for a pull request.
 */
import { stripVTControlCharacters } from 'node:util';
import { listed as problemListed, refusal, type Problem } from '../../../settings/problem';
import { changesIn, type Change, type Kind } from './changes';
import type { Difference } from './difference';
import { secretValue, type Digest } from './digest';
import { meaningOf } from './meaning';

/** One environment. The names are an interface: `--json` prints it. */
export interface Page {
  readonly stack: string;
  /**
   * `refused`: the program or Pulumi refuse, and nothing would be changed. `failed`: there is no preview.
   * `notConfigured`: settings are still empty in the stack file, and there is no other problem.
   */
  readonly outcome: 'previewed' | 'refused' | 'failed' | 'notConfigured';
  readonly counts: Readonly<Record<Kind | 'same', number>>;
  /** What may be lost, or stops a deployment halfway. */
  readonly alerts: readonly string[];
  /** What is unavailable meanwhile, and what is not. */
  readonly effects: readonly string[];
  readonly changes: readonly Change[];
  /** Remarks that stop nothing. */
  readonly warnings: readonly string[];
  /** What this preview could not know. */
  readonly unknown: readonly string[];
  /** Why it was refused or failed, with the commands that fix it; empty otherwise. */
  readonly reason: string;
  /** What is wrong with the settings and the host, if the program refused for that and nothing else went wrong; else empty. */
  readonly problems: readonly Problem[];
}

export interface Run {
  readonly code: number;
  /** Undefined when the CLI printed none. */
  readonly digest: Digest | undefined;
  /** Other output of the CLI; for a failure that is in no digest. */
  readonly stderr: string;
  /** Why the program refused, as it recorded it. Default: it did not. */
  readonly problems?: readonly Problem[];
}

/** @param unknown what is known to be unknown before the preview is made */
export function pageOf(stack: string, run: Run, unknown: readonly string[] = []): Page {
  const { changes, same } = changesIn(run.digest ?? {});
  const said = (run.digest?.diagnostics ?? []).map(({ message = '', severity }) => ({ severity, text: message.replace(/^(warning|error|info): /, '').trim() }));
  const texts = (of: string): string[] => [...new Set(said.filter(({ severity }) => severity === of).map(({ text }) => text))];
  const warnings = texts('warning').filter((text) => !/^using pulumi-(resource|language)-/.test(text));
  const errors = texts('error').filter((text) => text !== 'preview failed').map(inWords);
  const count = (kind: Kind): number => changes.filter((change) => change.kind === kind).length;
  const { alerts, effects } = meaningOf(changes, stack);
  const ok = run.code === 0 && run.digest !== undefined;
  const explained = !ok && errors.length === 1 && errors[0]?.search(refusal) === 0;
  return {
    stack,
    outcome: ok ? 'previewed' : errors.length > 0 ? 'refused' : 'failed',
    counts: { remove: count('remove'), replace: count('replace'), change: count('change'), create: count('create'), same },
    alerts,
    // A refused deployment has no effects.
    effects: ok ? effects : [],
    changes: changes.map(({ kind, resource, what, differences }) => ({ kind, resource, what, differences })),
    warnings: warnings.filter((text) => !isUnknown(text)),
    unknown: [...unknown, ...warnings.filter(isUnknown).map((text) => text.replace(unknownWarning, '$2 ($1)'))],
    // Node colors an error that is not a refusal.
    reason: ok ? '' : stripVTControlCharacters(errors.join('\n') || run.stderr.trim() || 'Pulumi reported nothing'),
    problems: explained ? (run.problems ?? []) : [],
  };
}

/** The same environment, as not configured yet. @param why a sentence */
export const notConfigured = (page: Page, why: string): Page =>
  // What a preview would not know does not matter where there is none.
  ({ ...page, outcome: 'notConfigured', unknown: [], reason: [why, ...page.problems.map(problemListed)].join('\n') });

/** The program's message when it could not check: "the host does not answer; whether its ports are free is not known". */
const unknownWarning = /^(.*); (whether .*) is not known$/s;
const isUnknown = (warning: string): boolean => unknownWarning.test(warning);

/** An error of the engine in this project's words. */
function inWords(error: string): string {
  const [, replace, name] = /(unable to replace )?resource "[^"]*::([^":]+)"\s+(?:cannot be deleted\s+because it is protected|as it is currently marked for protection)/.exec(error) ?? [];
  return name === undefined ? error : `${name} is protected, because it belongs to the data of the stack, and this would ${replace ? 'replace' : 'remove'} it.`;
}

const words: Readonly<Record<Kind, string>> = { remove: 'to remove', replace: 'to replace', change: 'to change', create: 'to create' };
const kinds = Object.keys(words) as Kind[];

/** `1 to replace, 2 to change; 22 stay as they are`. */
export function headline({ outcome, counts }: Page): string {
  if (outcome !== 'previewed') {
    return { refused: 'refused; nothing would be changed', failed: 'no preview could be made', notConfigured: 'not configured' }[outcome];
  }
  const parts = kinds.filter((kind) => counts[kind] > 0).map((kind) => `${counts[kind]} ${words[kind]}`);
  const rest = counts.same > 0 ? [`${counts.same} ${counts.same === 1 ? 'stays as it is' : 'stay as they are'}`] : parts.length === 1 && counts.create > 0 ? ['nothing is deployed yet'] : [];
  return parts.length === 0 ? 'nothing changes' : [parts.join(', '), ...rest].join('; ');
}

/** For a terminal. */
export function asText(pages: readonly Page[]): string {
  return pages.map((page) => {
    const lines = [
      `${page.stack}: ${headline(page)}`,
      ...(page.reason === '' ? [] : [indented(page.reason)]),
      ...page.alerts.flatMap((text) => wrapped(`  ! ${text}`, 4)),
      ...page.effects.flatMap((text) => wrapped(`  ${text}`, 4)),
      ...listed(page).flatMap(({ kind, what, differences }) => [
        '',
        ...wrapped(`  ${kind.padEnd(8)} ${what}`, 11, /(?<=, )/),
        ...differences.flatMap((one) =>
          one.lines
            ? [`    ${one.name}`, ...one.lines.map((line) => `      ${line}`)]
            : isSecret(one)
              ? [`    ~ ${one.name} (secret)`]
              : [...one.before.map((value) => `    - ${one.name}: ${value}`), ...one.after.map((value) => `    + ${one.name}: ${value}`)]),
      ]),
      ...(page.warnings.length + page.unknown.length > 0 ? [''] : []),
      ...page.warnings.map((text) => indented(`Note: ${text}`)),
      ...page.unknown.map((text) => indented(`Not known: ${text}`)),
    ];
    return lines.join('\n');
  }).join('\n\n');
}

/** Text whose lines may be commands, which are not wrapped. */
const indented = (text: string): string => text.replace(/^/gm, '  ');

/** Changes of which there is nothing to show but the name are on one line with others of their kind: a new stack is a list of names. */
function listed({ changes }: Page): Pick<Change, 'kind' | 'what' | 'differences'>[] {
  return kinds.flatMap((kind) => {
    const detailed = changes.filter((change) => change.kind === kind && change.differences.length > 0);
    const names = changes.filter((change) => change.kind === kind && change.differences.length === 0).map(({ what }) => what);
    return [...detailed, ...(names.length > 0 ? [{ kind, what: names.join(', '), differences: [] }] : [])];
  });
}

/**
 * Lines of at most 110 characters.
 * @param indent of all lines but the first
 * @param gap where a line may end
 */
function wrapped(text: string, indent: number, gap = /(?<=\S )/): string[] {
  const lines = [''];
  for (const word of text.split(gap)) {
    const last = lines.at(-1) ?? '';
    if (last.trim() !== '' && last.length + word.trimEnd().length > 110) {
      lines.push(`${' '.repeat(indent)}${word}`);
    } else {
      lines[lines.length - 1] = last + word;
    }
  }
  return lines.map((line) => line.trimEnd());
}

/** Whether all that may be shown of it is that it changes. */
const isSecret = ({ before, after }: Difference): boolean => before[0] === secretValue && after[0] === secretValue;

const countOf = (lines: readonly string[]): string => {
  const { length } = lines.filter((line) => /^[+-]/.test(line));
  return length === 1 ? '1 line' : `${length} lines`;
};

/** For a comment on a pull request, in GitHub's dialect. */
export function asMarkdown(pages: readonly Page[]): string {
  return `${pages.map((page) => [
    `### \`${page.stack}\`: ${headline(page)}`,
    ...(page.reason ? [fenced('text', page.reason.split('\n'))] : []),
    ...page.alerts.map((text) => `> [!WARNING]\n> ${escaped(text)}`),
    ...(page.effects.length > 0 ? [page.effects.map((text) => `- ${escaped(text)}`).join('\n')] : []),
    ...table(page),
    ...page.changes.flatMap(({ what, differences }) => differences.flatMap(({ name, lines }) =>
      lines ? [`<details><summary>${inHtml(`${name} (${what})`)}</summary>\n\n${fenced('diff', lines)}\n\n</details>`] : [])),
    ...(page.warnings.length > 0 ? [page.warnings.map((text) => `- Note: ${escaped(text)}`).join('\n')] : []),
    ...(page.unknown.length > 0 ? [page.unknown.map((text) => `- Not known: ${escaped(text)}`).join('\n')] : []),
  ].join('\n\n')).join('\n\n')}\n`;
}

function table(page: Page): string[] {
  const rows = listed(page).map(({ kind, what, differences }) => {
    const side = (values: readonly string[]): string => values.map(code).join(', ') || 'nothing';
    const details = differences.map((one) => {
      const how = one.lines ? `${countOf(one.lines)}, below` : isSecret(one) ? 'secret' : `${side(one.before)} → ${side(one.after)}`;
      return `${escaped(one.name)}: ${how}`;
    });
    return `| ${kind} | ${escaped(what)} | ${details.join('<br>')} |`;
  });
  return rows.length > 0 ? [['| | What | Difference |', '| --- | --- | --- |', ...rows].join('\n')] : [];
}

/** A block that no line in it can close. */
function fenced(language: string, lines: readonly string[]): string {
  const longest = Math.max(2, ...lines.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length)));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${lines.join('\n')}\n${fence}`;
}

/** Text in which nothing is interpreted as Markdown, HTML or the end of a cell. */
const escaped = (text: string): string => text.replace(/[\\`*_~#&$[\]<>|]/g, '\\$&').replace(/[\r\n]+/g, ' ');

/** Text in a block of HTML, where Markdown's backslash does not escape. */
const inHtml = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/[\r\n]+/g, ' ');

/** Code in a cell: a pipe ends the cell in code as well, and a backtick the code. */
const code = (text: string): string => `\`${text.replace(/`/g, "'").replace(/\|/g, '\\|').replace(/[\r\n]+/g, ' ') || "''"}\``;
