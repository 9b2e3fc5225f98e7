/**
 * Programs that a command hands over to. Plain JavaScript on Node's own modules: nothing else may be there yet.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs a program and waits for its end, whatever signals come: it decides how to end. Ctrl-C reaches it by itself, and once
 * more would mean "at once" to Pulumi; a signal that a supervisor sends to this process alone is passed on.
 * @returns {Promise<number>} its exit code, 128 and more for a signal, as shells have it
 */
export function run(program, args, options) {
  const wait = () => {};
  const passOn = (signal) => child.kill(signal);
  // Before there is anybody to pass a signal on to: it must not end this process alone.
  process.on('SIGINT', wait).on('SIGTERM', passOn);
  const child = spawn(program, args, options);
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`${program}: ${error.message}`);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  }).finally(() => process.off('SIGINT', wait).off('SIGTERM', passOn));
}
