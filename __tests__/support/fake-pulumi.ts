import * as fs from 'node:fs';
import * as path from 'node:path';
import { tempDir } from './temp';

export interface Said {
  readonly stdout?: string;
  readonly stderr?: string;
  /** Default: 0. */
  readonly code?: number;
  /** A line of shell that runs first. */
  readonly first?: string;
}

export interface FakePulumi {
  /** Path of the executable. */
  readonly file: string;
  /** Arguments of every run, in order. */
  calls(): string[][];
}

/**
 * A Pulumi CLI that answers from a table. Shell and not Node, which would take most of a test's time to start.
 * @param answers by how the arguments begin, joined with spaces; the first that fits
 */
export function fakePulumi(answers: Readonly<Record<string, Said>>): FakePulumi {
  const dir = tempDir();
  const file = path.join(dir, 'pulumi');
  const log = path.join(dir, 'calls');
  const cases = Object.entries(answers).map(([begin, { stdout = '', stderr = '', code = 0, first = ':' }], number) => {
    fs.writeFileSync(path.join(dir, `${number}.out`), stdout);
    fs.writeFileSync(path.join(dir, `${number}.err`), stderr);
    return `  '${begin}'*) ${first}; cat '${dir}/${number}.out'; cat '${dir}/${number}.err' >&2; exit ${code};;`;
  });
  // One write for a run: they go side by side.
  const script = ['#!/bin/sh', `printf '%s\\037' "$@" "$(printf '\\036')" >> '${log}'`, 'case "$*" in', ...cases, 'esac', 'echo "error: not in the table: $*" >&2; exit 99', ''];
  fs.writeFileSync(file, script.join('\n'), { mode: 0o755 });
  return {
    file,
    calls: () => (fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : '').split('\x1e\x1f').slice(0, -1).map((run) => run.split('\x1f').slice(0, -1)),
  };
}
