import * as fs from 'node:fs';
import * as path from 'node:path';
import { projectDir } from './backend';
import { Failure } from './say';

/** Name in Pulumi.yaml. */
export const projectName = /^name: *(\S+)/m.exec(fs.readFileSync(path.join(projectDir, 'Pulumi.yaml'), 'utf8'))?.[1] ?? '';

/**
 * Checks a stack name against what Docker takes as part of a name.
 * @throws Failure with the rule
 */
export function stackNamed(name: string): string {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,40}$/.test(name)) {
    throw new Failure(
      `'${name}' is no stack name here: containers carry it, so it takes letters, digits, '.', '_' and '-', begins with a letter or digit, and has at most 41 characters.`,
      ['npm run up -- --stack dev'],
    );
  }
  return name;
}
