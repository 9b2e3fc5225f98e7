/** What of the signals to a command is passed on: the real ones, to processes of their own, which wait most of the time: all at once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isRunning } from '../../ops/support/alive';

/** A process that would pass signals on to a child that only says which ones come. */
const script = (options: string): string => `
  const { passingOn } = require('./ops/support/signals.cjs');
  passingOn(() => ({ kill: (signal) => console.log('passed ' + signal) }), { hear: (signal) => console.log('heard ' + signal), ${options} });
  // As a child that runs would: listening for signals keeps no process alive.
  setInterval(() => {}, 2 ** 30);
  console.log('ready ' + process.pid);
`;

const started: number[] = [];
afterAll(() => started.splice(0).forEach((pid) => isRunning(pid) && process.kill(pid, 'SIGKILL')));

/** Who gets a signal: the whole group, the process, or what has started it. */
type Whom = 'all' | 'one' | 'starter';

interface Running {
  readonly send: (signal: NodeJS.Signals, whom: Whom) => void;
  readonly says: (line: string) => Promise<void>;
  /** Sends a signal to the process as often as it takes to be passed on. @returns what was passed on until then */
  readonly until: (signal: NodeJS.Signals) => Promise<string[]>;
}

/** @param wrapped whether it is started by a process that waits for it */
async function running(options = '', wrapped = false): Promise<Running> {
  const command = [process.execPath, '-e', script(options)];
  const [program = '', ...args] = wrapped ? ['sh', '-c', '"$0" "$@" & wait', ...command] : command;
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const starter = Number(child.pid);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const says = async (line: string): Promise<void> => {
    while (!`\n${text}`.includes(`\n${line}`)) {
      await once(child.stdout, 'data');
    }
  };
  await says('ready ');
  const one = Number(/ready (\d+)/.exec(text)?.[1]);
  started.push(one);
  const send: Running['send'] = (signal, whom) => void process.kill({ all: -starter, one, starter }[whom], signal);
  return { send, says, until: async (signal) => {
    const again = setInterval(() => send(signal, 'one'), 100);
    await says(`passed ${signal}`).finally(() => clearInterval(again));
    return [...text.matchAll(/^passed (.*)$/gm)].map(([, passed]) => String(passed));
  } };
}

const all = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

test.concurrent.each(all)('%s to this process alone is passed on, once for all who have sent it', async (signal) => {
  const run = await running();
  run.send(signal, 'one');
  await run.says(`heard ${signal}`);
  run.send(signal, 'one');
  run.send('SIGTERM', 'one');
  await run.says(`passed ${signal}`);
  const next = signal === 'SIGINT' ? 'SIGHUP' : 'SIGINT';
  expect(await run.until(next)).toEqual([signal, next]);
});

test.concurrent.each(all)('%s to the whole group is not, and what comes to this process alone later is', async (signal) => {
  const run = await running();
  run.send(signal, 'all');
  await run.says(`heard ${signal}`);
  // Of npm, which has got it too.
  run.send(signal, 'one');
  const next = signal === 'SIGINT' ? 'SIGHUP' : 'SIGINT';
  expect(await run.until(next)).toEqual([next]);
});

test.concurrent('a second one to the whole group is not passed on either', async () => {
  const run = await running();
  run.send('SIGINT', 'all');
  await run.says('heard SIGINT');
  run.send('SIGTERM', 'all');
  await run.says('heard SIGTERM');
  expect(await run.until('SIGHUP')).toEqual(['SIGHUP']);
});

test.concurrent('one that the program ignores is passed on in any case, as one that it knows', async () => {
  const run = await running("as: 'SIGINT', deafTo: 'SIGHUP'");
  run.send('SIGHUP', 'all');
  await run.says('passed SIGINT');
});

test.concurrent('the end of who has started it is one, where somebody else would have passed it on', async () => {
  const run = await running('untilAlone: process.ppid', true);
  run.send('SIGHUP', 'starter');
  await run.says('passed SIGHUP');
});

test.concurrent('it is none where the whole group has got a signal', async () => {
  const run = await running('untilAlone: process.ppid', true);
  run.send('SIGHUP', 'all');
  await run.says('heard SIGHUP');
  expect(await run.until('SIGINT')).toEqual(['SIGINT']);
});
