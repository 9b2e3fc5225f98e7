/**
 * `.ci/run` with an npm that stands in for the two suites: their numbers are added, and one that fails fails the whole.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tempDir } from './support/temp';

/** What jest writes of a suite with ten tests that pass. @param broken files that could not be loaded */
const report = (failed: number, broken = 0): string => JSON.stringify({
  numPassedTests: 10,
  numFailedTests: failed,
  numRuntimeErrorTestSuites: broken,
  testResults: [
    ...Array.from({ length: broken }, () => ({ name: '/x/broken.test.ts', status: 'failed', message: '  ● Test suite failed to run\n\n    Cannot find module', assertionResults: [] })),
    { name: '/x/fine.test.ts', status: 'passed', message: '', assertionResults: [{ status: 'passed', fullName: 'is well', failureMessages: [] }] },
    ...Array.from({ length: failed }, (_, index) => ({
      name: '/x/some.test.ts', status: 'failed', message: '● all of it',
      assertionResults: [{ status: 'passed', fullName: 'is well', failureMessages: [] }, { status: 'failed', fullName: `is not well ${index}`, failureMessages: ['Error: for a reason'] }],
    })),
  ],
});

/** @param ended exit codes of the two suites @param reports what each writes; undefined where it writes none */
function run(ended: readonly [number, number], reports: readonly (string | undefined)[]): { status: number | null; last: string | undefined; named: string[]; asked: string[] } {
  const dir = tempDir();
  fs.mkdirSync(path.join(dir, '.ci'));
  fs.copyFileSync('.ci/run', path.join(dir, '.ci', 'run'));
  fs.mkdirSync(path.join(dir, 'bin'));
  const suite = (index: number): string => {
    const written = reports[index] === undefined ? ':' : `cat > "$file" <<'END'\n${reports[index]}\nEND\n`;
    return `${written}\nexit ${ended[index]}`;
  };
  fs.writeFileSync(path.join(dir, 'bin', 'npm'), `#!/bin/sh\necho "$*" >> '${dir}/asked'\nfor file; do :; done\nfile="\${file#--outputFile=}"\nif [ "$1" = test ]; then\n${suite(0)}\nelse\n${suite(1)}\nfi\n`, { mode: 0o755 });
  const { status, stdout } = spawnSync('bash', [path.join(dir, '.ci', 'run')], { encoding: 'utf8', env: { ...process.env, PATH: `${dir}/bin:${process.env['PATH']}` } });
  return { status, last: stdout.trim().split('\n').at(-1), named: stdout.split('\n').filter((line) => line.startsWith('FAILED ')), asked: fs.readFileSync(path.join(dir, 'asked'), 'utf8').trim().split('\n') };
}

const well = report(0);
test.each<[string, readonly [number, number], readonly (string | undefined)[], number, string, string[]?]>([
  ['all is well', [0, 0], [well, well], 0, '20 passed, 0 failed'],
  ['a unit test fails', [1, 0], [report(2), well], 1, '20 passed, 2 failed', ['FAILED /x/some.test.ts: is not well 0', 'FAILED /x/some.test.ts: is not well 1']],
  ['an end-to-end test fails', [0, 1], [well, report(1)], 1, '20 passed, 1 failed', ['FAILED /x/some.test.ts: is not well 0']],
  ['a file cannot be loaded', [1, 0], [report(0, 1), well], 1, '20 passed, 1 failed', ['FAILED /x/broken.test.ts']],
  ['types that are wrong keep a suite from its tests', [2, 0], [undefined, well], 2, '10 passed, 1 failed'],
  ['one suite does not come to its report', [0, 137], [well, undefined], 137, '10 passed, 1 failed'],
  ['one is killed in its report', [0, 137], [well, well.slice(0, 100)], 137, '10 passed, 1 failed'],
  ['neither comes to one, and nobody says so', [0, 0], [undefined, undefined], 1, '0 passed, 2 failed'],
  ['a test fails, and nobody says so', [0, 0], [well, report(1)], 1, '20 passed, 1 failed', ['FAILED /x/some.test.ts: is not well 0']],
])('%s', (_, ended, reports, status, last, named = []) => {
  expect(run(ended, reports)).toMatchObject({ status, last, named });
});

test('each suite is called as README and CONTRIBUTING say, and reports to a file that is gone afterwards', () => {
  const { asked } = run([0, 0], [well, well]);
  expect(asked).toEqual([
    expect.stringMatching(/^test -- --ci --forceExit --json --outputFile=\S+\/unit\.json$/),
    expect.stringMatching(/^run e2e -- --ci --json --outputFile=\S+\/e2e\.json$/),
  ]);
  expect(asked.map((line) => fs.existsSync(path.dirname(line.replace(/.*=/, ''))))).toEqual([false, false]);
});
