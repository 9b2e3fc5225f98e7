/** The command as a process of its own, as far as it goes without an engine. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { faults } from '../../../ops/support/faults/faults';

const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'ops/faults.ts', ...args], { encoding: 'utf8', env: { ...process.env, DOCKER_HOST: 'unix:///nowhere/docker.sock' } });
  return { status, stdout, stderr };
};

test('--list lists the faults, and does nothing', () => {
  const { status, stdout, stderr } = run('--list');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout.split('\n').map((line) => line.split('  ')[0])).toEqual([...faults.map(({ name }) => name), '']);
});

test.each<[string[], number, string]>([
  [['--only', 'gate-sigkill,moon'], 1, "\nThere is no fault 'moon'.\n    npm run faults -- --list\n"],
  [['--rate', '0'], 2, "\nOption '--rate <spans>' argument '0' is invalid. Write a whole number above 0.\n    npm run faults -- --help\n"],
])('%j is refused before anything is made', (args, status, stderr) => expect(run(...args)).toEqual({ status, stdout: '', stderr }));

test('without an engine it says so', () => expect(run().stderr).toMatch(/^\nThe Docker Engine at unix:\/\/\/nowhere\/docker.sock \(DOCKER_HOST\) does not answer/));

/** A process with something to remove, of which the second thing waits until it is told to go on. */
async function cleaned(signal: NodeJS.Signals, meanwhile: (child: ChildProcess) => void, againMs = ''): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const script = `
    const { Cleaning } = require('./ops/support/faults/cleaning');
    const cleaning = new Cleaning(${againMs});
    cleaning.add(async () => void console.log('first'));
    cleaning.add(async () => { throw new Error('in use'); });
    cleaning.add(async () => { console.log('waiting'); await require('events').once(process.stdin, 'data'); });
    cleaning.add(async () => void console.log('last'));
    setInterval(() => undefined, 1000);
    console.log('ready');
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '-e', script], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk.toString();
    if (chunk.toString().startsWith('ready')) {
      child.kill(signal);
    }
    if (chunk.toString().endsWith('waiting\n')) {
      meanwhile(child);
    }
  });
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}

const goOn = ({ stdin }: ChildProcess): void => void stdin?.write('\n');

describe.each([['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]] as const)('%s', (signal, code) => {
  const all = { code, stdout: 'ready\nlast\nwaiting\nfirst\n', stderr: '\nStopped; removing what was made\nNot removed: in use\n' };

  test('what was made is removed, the last first, and what cannot be is named', async () => {
    expect(await cleaned(signal, goOn)).toEqual(all);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('and %s while that is done, as of a group and of who passes it on: it is done to the end', async (second) => {
    expect(await cleaned(signal, (child) => [child.kill(second), goOn(child)])).toEqual(all);
  });

  test('and once more by a person who does not want to wait', async () => {
    expect(await cleaned(signal, (child) => child.kill(signal), '0')).toEqual({ code, stdout: 'ready\nlast\nwaiting\n', stderr: '\nStopped; removing what was made\nNot all of it is removed\n' });
  });
});
