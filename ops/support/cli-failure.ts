/**
 * Why a run of the Pulumi CLI failed, and how to fix it, derived from its output.
 */
import { withoutPassword } from '../../engine';
import type { Cli, Result } from './cli-run';
import { npmRun } from './project';
import { Failure, Stopped } from './say';

/** The information about a failed run. */
export type FailedRun = Pick<Result, 'stdout' | 'stderr'> & Partial<Pick<Result, 'stopped'>>;

/** The CLI that failed, and the stack that it ran for. */
export interface StackCli extends Pick<Cli, 'env'> {
  /** Its short name. */
  readonly stack: string;
  /** Its name for the CLI. */
  readonly name: string;
}

/** The reason of a failed run, if this project knows more about it than the CLI does. */
export function knownFailure({ stack, name, env }: StackCli, { stdout, stderr, stopped }: FailedRun): Failure | undefined {
  if (stopped) {
    return new Stopped('Stopped.');
  }
  if (/no stack named '.*' found/.test(stderr)) {
    return new Failure(`There is no stack ${stack}.`, ['npm run pulumi -- stack ls', npmRun('up', stack)]);
  }
  // Two runs may both have found no lock, and then one of them created it.
  const [, holder] = /the stack is currently locked[^]*?created by (.+? \(pid \d+\))/.exec(stdout + stderr) ?? [];
  if (holder !== undefined) {
    return new Failure(`Another deployment of stack ${stack} is in progress, by ${holder}. This one changed nothing.`, [npmRun('up', stack)]);
  }
  if (/organization name must be 'organization'/.test(stdout + stderr)) {
    return new Failure(`This backend has no organizations, so it has no stack ${name}. Use --stack ${stack}. Nothing was changed.`, [
      'npm run pulumi -- whoami --verbose   # shows the backend',
    ]);
  }
  const [said] = /incorrect passphrase|passphrase must be set|unable to find either|unable to read PULUMI_CONFIG_PASSPHRASE_FILE/i.exec(stdout + stderr) ?? [];
  if (said === undefined) {
    return undefined;
  }
  // Of the two variables the CLI uses this one, even if it is empty.
  const file = env['PULUMI_CONFIG_PASSPHRASE'] === undefined ? env['PULUMI_CONFIG_PASSPHRASE_FILE'] : undefined;
  // Other stacks may need the file unchanged.
  const mend = file ? 'export PULUMI_CONFIG_PASSPHRASE_FILE=/path/of/the/passphrase/that/fits' : "export PULUMI_CONFIG_PASSPHRASE='the passphrase that fits'";
  if (!/^incorrect/i.test(said)) {
    return new Failure(`The secrets of stack ${stack} need a passphrase, and ${file ? `${file} cannot be read` : 'none is given'}. Nothing was changed.`, [mend]);
  }
  return new Failure(
    `${file || 'PULUMI_CONFIG_PASSPHRASE'} does not fit the secrets of stack ${stack}: they were encrypted with a different passphrase. Nothing was changed.`,
    [mend],
  );
}

/**
 * Why a run failed.
 * @param doing what the run was for, as the beginning of a sentence
 */
export function failureOf(cli: StackCli, doing: string, run: FailedRun): Failure {
  const said = run.stderr.trim().replace(/^error: /, '');
  return knownFailure(cli, run) ?? unreachable(cli, said) ?? new Failure(`${doing.charAt(0).toUpperCase()}${doing.slice(1)} failed: ${said || 'Pulumi reported nothing'}`);
}

/** The CLI's message about a backend that does not exist or denies access. */
function unreachable({ env }: StackCli, said: string): Failure | undefined {
  const [reason = ''] = said.split('\n');
  if (!/PULUMI_ACCESS_TOKEN must be set|unable to open (state directory|bucket)|\.pulumi\/meta\.yaml|no driver registered|could not open url|invalid access token|failed to contact/i.test(reason)) {
    return undefined;
  }
  const [url] = [env['PULUMI_BACKEND_URL']].map((chosen) => chosen && withoutPassword(chosen));
  return new Failure(`The state${url ? ` at ${url}` : ''} cannot be read: ${withoutPassword(reason)}.`, [
    `pulumi login ${url ?? 'URL'}`,
    ...(process.env['PULUMI_BACKEND_URL'] ? ['unset PULUMI_BACKEND_URL   # the state of this user'] : []),
  ]);
}
