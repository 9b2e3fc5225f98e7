/**
 * `.ci/run` with an npm that stands in for the two suites: their numbers are added, and one that fails fails the whole.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tempDir } from './support/temp';

/** @param ended exit codes of the two suites @param failed failed tests of each; undefined where it writes no report */
function run(ended: readonly [number, number], failed: readonly (number | undefined)[]): { status: number | null; last: string | undefined } {
  const dir = tempDir();
  fs.mkdirSync(path.join(dir, '.ci'));
  fs.copyFileSync('.ci/run', path.join(dir, '.ci', 'run'));
  fs.mkdirSync(path.join(dir, 'bin'));
  const suite = (index: number): string => {
    const report = failed[index] === undefined ? ':' : `echo '{"numPassedTests":10,"numFailedTests":${failed[index]},"numRuntimeErrorTestSuites":0}' > "$file"`;
    return `${report}; exit ${ended[index]}`;
  };
  fs.writeFileSync(path.join(dir, 'bin', 'npm'), `#!/bin/sh\nfor file; do :; done\nfile="\${file#--outputFile=}"\nif [ "$1" = test ]; then ${suite(0)}; else ${suite(1)}; fi\n`, { mode: 0o755 });
  const { status, stdout } = spawnSync('bash', [path.join(dir, '.ci', 'run')], { encoding: 'utf8', env: { ...process.env, PATH: `${dir}/bin:${process.env['PATH']}` } });
  return { status, last: stdout.trim().split('\n').at(-1) };
}

test.each<[string, readonly [number, number], readonly (number | undefined)[], number, string]>([
  ['all is well', [0, 0], [0, 0], 0, '20 passed, 0 failed'],
  ['a unit test fails', [1, 0], [2, 0], 1, '20 passed, 2 failed'],
  ['an end-to-end test fails', [0, 1], [0, 1], 1, '20 passed, 1 failed'],
  ['one suite does not come to its report', [0, 137], [0, undefined], 137, '10 passed, 1 failed'],
])('%s', (_, ended, failed, status, last) => {
  expect(run(ended, failed)).toEqual({ status, last });
});
