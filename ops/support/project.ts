import * as fs from 'node:fs';
import * as path from 'node:path';
import * as yaml from 'js-yaml';
import { isStackName, stackNameRule } from '../../components/names';
import { projectDir } from './backend';
import { Misread } from './say';

/** Name in Pulumi.yaml. */
export const projectName = String((yaml.load(fs.readFileSync(path.join(projectDir, 'Pulumi.yaml'), 'utf8')) as { name?: unknown }).name ?? '');

/** The stack names as typed, by short name. */
const typed = new Map<string, string>();

/**
 * Parses the name of a stack: `prod`, and `org/prod` or `org/project/prod` if the backend has organizations.
 * @returns the short name, used in files, labels and everything in Docker; `typedName` returns the full one
 * @throws Failure with the rule
 */
export function stackNamed(name: string): string {
  const [, project, stack = name] = /^[\w-]+\/(?:([^/]+)\/)?([^/]+)$/.exec(name) ?? [];
  if (!isStackName(stack)) {
    throw new Misread(`'${name}' is not a valid stack name: ${stackNameRule}.`, ['npm run pulumi -- stack ls']);
  }
  if (project !== undefined && project !== projectName) {
    throw new Misread(`'${name}' is a stack of a different project: the name of this one is ${projectName}.`, ['npm run pulumi -- stack ls']);
  }
  const before = typed.get(stack) ?? name;
  if (before !== name) {
    throw new Misread(`'${before}' and '${name}' have the same short name, and the containers of both would have the same names: name one of them.`);
  }
  typed.set(stack, name);
  return stack;
}

/** The name of a stack as it was typed, for the Pulumi CLI and for commands in messages. */
export const typedName = (stack: string): string => typed.get(stack) ?? stack;

/** The stack of commands that name none. */
export const defaultStack = 'dev';

/** An `npm run` command for a stack, as a person types it. */
export function npmRun(command: string, stack: string, ...args: readonly string[]): string {
  const name = typedName(stack);
  const all = [...(name === defaultStack ? [] : ['--stack', name]), ...args];
  return ['npm run', command, ...(all.length > 0 ? ['--', ...all] : [])].join(' ');
}

/** The contents of the stack's settings file, or undefined if there is none. */
export function readStackFile(stack: string): string | undefined {
  const file = stackFile(stack);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}

/** Restores what `readStackFile` returned. */
export function writeStackFile(stack: string, content: string | undefined): void {
  if (content === undefined) {
    fs.rmSync(stackFile(stack), { force: true });
  } else {
    fs.writeFileSync(stackFile(stack), content);
  }
}

/** Stacks that have a file with settings, in alphabetical order. */
export function stacksWithFile(): string[] {
  return fs.readdirSync(projectDir).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []).sort();
}

function stackFile(stack: string): string {
  return path.join(projectDir, `Pulumi.${stack}.yaml`);
}
