/**
 * An error that no part of the program expects.
 */
import { spawnSync } from 'node:child_process';
import { projectDir } from './backend';

/** System errors that are caused by the machine and not by this program, with the fix. */
const ofTheMachine: Readonly<Record<string, { readonly words: string; readonly command: (file: string) => string }>> = {
  EACCES: { words: 'this user may not write to or read', command: (file) => `ls -ld ${file}` },
  EPERM: { words: 'this user may not change', command: (file) => `ls -ld ${file}` },
  EROFS: { words: 'it is on a file system that is read-only:', command: (file) => `df -h ${file}` },
  ENOSPC: { words: 'no space is left for', command: (file) => `df -h ${file}` },
  EDQUOT: { words: 'the quota of this user is used up:', command: (file) => `df -h ${file}` },
};

/** The message for it: the fix for an error of the machine; any other is a bug, with the place to report it. */
export function bugReport(error: unknown): string {
  const { code = '', path: file } = (error ?? {}) as NodeJS.ErrnoException;
  const known = ofTheMachine[code];
  if (known) {
    return `${code}: ${known.words} ${file ?? 'what this command writes'}\n    ${known.command(file ?? '.')}`;
  }
  const stack = (error instanceof Error && error.stack) || String(error);
  const commit = git('rev-parse', '--short', 'HEAD');
  return [
    `This is a bug in llm-observability${commit ? ` (commit ${commit}, Node ${process.versions.node}, ${process.platform})` : ''}. Please report it with the lines below, without secrets in them:`,
    `    ${issuesOf(git('remote', 'get-url', 'origin'))}`,
    ...stack.split('\n').map((line) => `  ${line}`),
  ].join('\n');
}

/** The issues page of a repository, or the repository. */
function issuesOf(remote: string): string {
  const [, host, name] = /^(?:https:\/\/(?:[^@/]*@)?|ssh:\/\/git@|git@)([\w.-]+)[/:](.+?)(?:\.git)?\/?$/.exec(remote) ?? [];
  return host ? `https://${host}/${name}/issues` : remote || 'the repository that this copy comes from';
}

/** The output of git, or nothing if it fails. */
function git(...args: readonly string[]): string {
  return spawnSync('git', args, { cwd: projectDir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).stdout?.trim() ?? '';
}
