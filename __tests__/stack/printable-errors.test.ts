/** Errors as Pulumi prints them, in a process of its own with little memory: what goes wrong here never returns. */
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';

const root = path.join(__dirname, '..', '..');

/** @returns what a script prints that runs after the listeners of Pulumi, and its exit code */
function run(script: string): { stdout: string; status: number | null } {
  const start = `
    require('@pulumi/pulumi/vendor/ts-node@7.0.1').register({ transpileOnly: true, skipProject: true, compilerOptions: { target: 'ES2022', module: 'CommonJS' } });
    const sdk = require('node:module').createRequire(require.resolve('@pulumi/pulumi/package.json'));
    sdk('source-map-support/register');
    const { defaultErrorMessage } = require('@pulumi/pulumi/cmd/run/error');
    const { printErrors } = require('./stack/printable-errors');
    const printed = new Set();
    // As the SDK does: an error may reject several promises.
    const print = (error) => printed.has(error) || (printed.add(error), console.log(defaultErrorMessage(error)));`;
  const { stdout, status } = spawnSync('node', ['--max-old-space-size=150', '-e', `${start}\n${script}`], { cwd: root, env: { PATH: process.env['PATH'] }, encoding: 'utf8', maxBuffer: 1 << 26 });
  return { stdout: stdout.replace(/\x1b\[\d+m/g, ''), status };
}

const listening = "process.on('unhandledRejection', print); process.on('uncaughtException', print); printErrors();";

test('errors of the SDK are printed, with its frames, however they arise', () => {
  const { stdout } = run(`${listening}
    const pulumi = require('@pulumi/pulumi');
    const failing = () => { try { new pulumi.CustomResource('', 'name'); } catch (error) { return error; } };
    const itself = failing();
    itself.cause = itself;
    setTimeout(() => { throw failing(); });
    Promise.reject(failing());
    pulumi.output(1).apply(() => { throw failing(); });
    Promise.reject(new Error('outer', { cause: failing() }));
    Promise.reject(new AggregateError([failing()], 'outer'));
    Promise.reject(itself);`);
  const frame = /Missing resource type argument.*\n {4,}at new \w*Resource \(.*[/\\]node_modules[/\\]@pulumi[/\\]\.[/\\]resource\.ts:\d+:\d+\)/g;
  expect(stdout.match(frame)).toHaveLength(6);
});

test('whatever the path, its line is printed', () => {
  const { stdout } = run(`
    process.on('unhandledRejection', defaultErrorMessage);
    printErrors();
    const count = (separator) => {
      const parts = [separator, 'node_modules', '@a', 'b', ' '];
      let lines = [''];
      for (let length = 0; length < 5; length += 1) lines = ['', ...lines.flatMap((line) => parts.map((part) => line + part))];
      for (const line of lines) {
        const error = new Error('some');
        error.stack = ['Error: some', separator + line + '.ts:1:1', 'node_modules' + separator + line].join('\\n    at ');
        process.emit('unhandledRejection', error);
      }
      return lines.length;
    };
    console.log(count('/') + count('\\\\'));`);
  expect(stdout).toBe('7812\n');
});

test('an error that has no such line stays as it is, and one that cannot be changed is printed', () => {
  const { stdout } = run(`${listening}
    const stack = 'Error: some\\n    at x (/a/node_modules/@pulumi/pulumi/resource.js:1:1)\\n    at y (/a/node_modules/b/c.js:1:1)';
    Promise.reject(Object.assign(new Error('some'), { stack }));
    Promise.reject(Object.freeze(new Error('frozen')));
    Promise.reject('no error');`);
  expect(stdout).toMatch(/^Error: some\n {4}at x \(\/a\/node_modules\/@pulumi\/pulumi\/resource.js:1:1\)\n {4}at y \(\/a\/node_modules\/b\/c.js:1:1\)\nError: frozen\n/);
  expect(stdout).toMatch(/no error\n$/);
});

test('it is added once, in front, and taken off when the program has ended; Error is as it was', () => {
  const { stdout } = run(`
    const { prepareStackTrace, stackTraceLimit } = Error;
    process.on('unhandledRejection', print); process.on('uncaughtException', print);
    printErrors(); printErrors();
    const counts = () => ['unhandledRejection', 'uncaughtException'].map((event) => process.listenerCount(event) + (process.listeners(event).at(-1) === print ? ' last' : ''));
    console.log(counts().join());
    process.once('beforeExit', () => console.log(counts().join(), Error.prepareStackTrace === prepareStackTrace, Error.stackTraceLimit === stackTraceLimit));`);
  expect(stdout).toBe('2 last,2 last\n1 last,1 last true true\n');
});

test('where nobody listens, an error still ends the program', () => {
  expect(run("printErrors(); Promise.reject(new Error('some')); setTimeout(() => console.log('went on'), 1e3);")).toEqual({ stdout: '', status: 1 });
});
