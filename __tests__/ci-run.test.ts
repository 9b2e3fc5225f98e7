/**
 * `.ci/run` with an npm that stands in for the two suites: their numbers are added, and one that fails fails the whole.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tempDir } from './support/temp';

/** What jest writes of a suite with ten tests that pass. */
const report = (failed: number): string => JSON.stringify({
  numPassedTests: 10,
  numFailedTests: failed,
  numRuntimeErrorTestSuites: 0,
  testResults: [
    { name: '/x/fine.test.ts', status: 'passed', message: '', assertionResults: [{ status: 'passed', fullName: 'is well', failureMessages: [] }] },
    ...Array.from({ length: failed }, (_, index) => ({
      name: '/x/some.test.ts', status: 'failed', message: '● all of it',
      assertionResults: [{ status: 'passed', fullName: 'is well', failureMessages: [] }, { status: 'failed', fullName: `is not well ${index}`, failureMessages: ['Error: for a reason'] }],
    })),
  ],
});

/** @param ended exit codes of the two suites @param failed failed tests of each; undefined where it writes no report */
function run(ended: readonly [number, number], failed: readonly (number | undefined)[]): { status: number | null; last: string | undefined; named: string[] } {
  const dir = tempDir();
  fs.mkdirSync(path.join(dir, '.ci'));
  fs.copyFileSync('.ci/run', path.join(dir, '.ci', 'run'));
  fs.mkdirSync(path.join(dir, 'bin'));
  const suite = (index: number): string => {
    const written = failed[index] === undefined ? ':' : `cat > "$file" <<'END'\n${report(failed[index])}\nEND\n`;
    return `${written}\nexit ${ended[index]}`;
  };
  fs.writeFileSync(path.join(dir, 'bin', 'npm'), `#!/bin/sh\nfor file; do :; done\nfile="\${file#--outputFile=}"\nif [ "$1" = test ]; then\n${suite(0)}\nelse\n${suite(1)}\nfi\n`, { mode: 0o755 });
  const { status, stdout } = spawnSync('bash', [path.join(dir, '.ci', 'run')], { encoding: 'utf8', env: { ...process.env, PATH: `${dir}/bin:${process.env['PATH']}` } });
  return { status, last: stdout.trim().split('\n').at(-1), named: stdout.split('\n').filter((line) => line.startsWith('FAILED ')) };
}

test.each<[string, readonly [number, number], readonly (number | undefined)[], number, string, string[]?]>([
  ['all is well', [0, 0], [0, 0], 0, '20 passed, 0 failed'],
  ['a unit test fails', [1, 0], [2, 0], 1, '20 passed, 2 failed', ['FAILED /x/some.test.ts: is not well 0', 'FAILED /x/some.test.ts: is not well 1']],
  ['an end-to-end test fails', [0, 1], [0, 1], 1, '20 passed, 1 failed', ['FAILED /x/some.test.ts: is not well 0']],
  ['one suite does not come to its report', [0, 137], [0, undefined], 137, '10 passed, 1 failed'],
])('%s', (_, ended, failed, status, last, named = []) => {
  expect(run(ended, failed)).toEqual({ status, last, named });
});
