/**
 * Signals to a command and to what it has started. CommonJS on Node's own modules alone: the entry point shares it with the
 * commands, and runs before anything else is installed.
 */
const { spawn } = require('node:child_process');

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** npm forwards what a terminal sends to the whole group, and `timeout` sends twice. A person's second Ctrl-C comes later. */
const sameMs = 1500;

/**
 * Starts a program that stays in the process group of this one, and makes sure that each signal reaches it once. Ctrl-C, a
 * closed terminal and many supervisors signal the whole group, `kill` and others this process alone.
 * @param start starts the program
 * @param hear is called at each signal, even at one that reaches the program by itself
 * @param as what is forwarded. Default: the signal that arrived
 * @param deafTo what the program ignores, so that it is always forwarded
 * @param untilAlone ID of the process that has started this one, whose end counts as a SIGHUP
 */
function passingOn(start, { hear = () => {}, as, deafTo, untilAlone } = {}) {
  let last = -Infinity;
  let turn = Promise.resolve();
  const onSignal = (signal) => {
    hear(signal);
    const isSame = performance.now() - last < sameMs;
    last = isSame ? last : performance.now();
    turn = turn.then(async () => {
      const reachedAll = (await witness.wasEnded()) && signal !== deafTo;
      if (!isSame && !reachedAll) {
        child.kill(as ?? signal);
      }
    });
  };
  // Before there is a process to forward a signal to: it must not end only this process.
  signals.forEach((signal) => process.on(signal, onSignal));
  const watch = untilAlone === undefined ? undefined : setInterval(() => {
    if (process.ppid !== untilAlone && last === -Infinity) {
      onSignal('SIGHUP');
    }
  }, 500);
  const child = start();
  const witness = new Witness();
  return {
    child,
    end() {
      signals.forEach((signal) => process.off(signal, onSignal));
      clearInterval(watch);
      witness.end();
    },
  };
}

/**
 * A program of the group that every signal ends. A signal does not show who it was sent to: if this program has ended, the
 * whole group has received it.
 */
class Witness {
  constructor() {
    this.begin();
  }

  /** Whether a signal has ended it since the last time. */
  async wasEnded() {
    const { shell, ended } = this;
    const answered = new Promise((resolve) => shell.stdout.once('data', () => resolve(false)));
    shell.stdin.write('\n');
    const result = await Promise.race([ended, answered]);
    if (result && !this.over) {
      this.begin();
    }
    return result;
  }

  end() {
    this.over = true;
    this.shell.kill('SIGKILL');
  }

  begin() {
    this.shell = spawn('/bin/sh', ['-c', 'while read -r line; do echo; done'], { stdio: ['pipe', 'pipe', 'ignore'] });
    // Writes to a process that has ended.
    this.shell.stdin.on('error', () => {});
    this.ended = new Promise((resolve) => this.shell.on('error', () => resolve(false)).on('exit', () => resolve(true)));
  }
}

module.exports = { passingOn };
