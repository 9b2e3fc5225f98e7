import * as fs from 'node:fs';
import * as path from 'node:path';
import { isStackName, stackNameRule } from '../../components/catalog';
import { projectDir } from './backend';
import { Failure } from './say';

/** Name in Pulumi.yaml. */
export const projectName = /^name: *(\S+)/m.exec(fs.readFileSync(path.join(projectDir, 'Pulumi.yaml'), 'utf8'))?.[1] ?? '';

/**
 * Checks a stack name against what Docker takes as part of a name.
 * @throws Failure with the rule
 */
export function stackNamed(name: string): string {
  if (!isStackName(name)) {
    throw new Failure(`'${name}' is no stack name here: ${stackNameRule}.`, ['npm run up -- --stack dev']);
  }
  return name;
}

/** The stack of commands that name none. */
export const defaultStack = 'dev';

/** An `npm run` command as a person types it for a stack. */
export function npmRun(command: string, stack: string, ...args: readonly string[]): string {
  const all = [...(stack === defaultStack ? [] : ['--stack', stack]), ...args];
  return ['npm run', command, ...(all.length > 0 ? ['--', ...all] : [])].join(' ');
}

/** The stack's settings as the file has them, or undefined when there is none. */
export function readStackFile(stack: string): string | undefined {
  const file = stackFile(stack);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}

/** Puts back what `readStackFile` gave. */
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
