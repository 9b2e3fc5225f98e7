import { withoutPassword } from '../engine';

/** Something that must be fixed before anything is deployed. */
export interface Problem {
  /** The setting at fault (`phoenix:uiPort`), or the part (`docker`). */
  readonly key: string;
  /** The value found; omitted if there is none. `report` hides secrets. */
  readonly value?: string;
  /** What is wrong, as the rest of a sentence that began with key and value. */
  readonly rule: string;
  /** Commands that fix it, one a line. */
  readonly mend: readonly string[];
}

const enumeration = new Intl.ListFormat('en-GB');

/** `a, b and c` */
export const inWords = (words: readonly string[]): string => enumeration.format(words);

/** How a report begins; in the output of a deployment it shows that the deployment stopped. */
export const refusal = /\d+ problems? with stack \S+; nothing was changed\./;

/**
 * The one message for all problems of a stack: key, value, rule and commands of each.
 * @param secrets values that must not appear in it
 */
export function report(stack: string, problems: readonly Problem[], secrets: readonly string[] = []): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = shown(stack, problems).map(listed);
  return withoutSecrets([`${count} with stack ${stack}; nothing was changed.`, ...lines].join('\n'), secrets);
}

/** One problem as `report` lists it. */
export function listed({ key, value, rule, mend }: Problem): string {
  return [`  - ${key}${value === undefined ? '' : ` is '${value}'`}: ${rule}.`, ...mend.map((command) => `      ${command}`)].join('\n');
}

/** The problems as `report` shows them, as data: no secret in them, and every command for this stack. */
export function shown(stack: string, problems: readonly Problem[], secrets: readonly string[] = []): Problem[] {
  const text = (of: string): string => withoutSecrets(of, secrets);
  return problems.map(({ key, value, rule, mend }) => ({
    key: text(key), ...(value === undefined ? {} : { value: text(value) }), rule: text(rule), mend: mend.map((command) => text(forStack(command, stack))),
  }));
}

/** The text with every secret in it replaced by `[secret]`, as Pulumi writes them. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== '')
    // A value in which a password was masked already.
    .flatMap((secret) => [secret, withoutPassword(secret)])
    // The longest first: one may be part of a longer one.
    .sort((a, b) => b.length - a.length)
    .reduce((masked, secret) => masked.replaceAll(secret, '[secret]'), text);
}

/** Environment variable for how a person calls the Pulumi CLI on this stack. Default: `pulumi`. */
export const commandVariable = 'LLM_OBSERVABILITY_PULUMI';

/** Environment variable for the name by which a person calls the stack, including the organization. Default: its short name. */
export const stackVariable = 'LLM_OBSERVABILITY_STACK';

/** Environment variable that names a file into which the program writes why it refuses: a JSON array of problems. Default: none. */
export const problemsVariable = 'LLM_OBSERVABILITY_PROBLEMS';

/** A command as a person types it for a stack. */
function forStack(command: string, stack: string): string {
  const named = onStack(command, stack);
  const called = process.env[stackVariable];
  return called === undefined ? named : named.replaceAll(/ --stack (\S+)/g, (whole, name: string) => (name === stack ? ` --stack ${called}` : whole));
}

/** `pulumi config` acts on the stack that is selected, which need not be the one with the problem. */
function onStack(command: string, stack: string): string {
  const [, program, rest = '', comment = ''] = /^(\S+) ?(.*?)(   # .*)?$/s.exec(command) ?? [];
  if (program !== 'pulumi') {
    return command;
  }
  return `${process.env[commandVariable] ?? program} ${rest}${/ --stack [\w.-]+$/.test(rest) ? '' : ` --stack ${stack}`}${comment}`;
}
