/**
 * Programs that a command hands over to. Plain JavaScript on Node's own modules: nothing else may be installed yet.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { passingOn } from './signals.cjs';

/** npm exits on SIGHUP without notifying what it has started. A caller without npm may exit, too. */
const npm = process.env.npm_lifecycle_script?.startsWith('exec node ops/run.mjs') ? process.ppid : undefined;

/**
 * Runs a program and waits for its end, whatever signals arrive: each reaches it once, and it decides how to end.
 * @returns {Promise<number>} its exit code, 128 and more for a signal, as in shells
 */
export function run(program, args, options) {
  const { child, end } = passingOn(() => spawn(program, args, options), { untilAlone: npm });
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`${program}: ${error.message}`);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  }).finally(end);
}
