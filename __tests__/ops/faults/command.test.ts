/** The command as a process of its own, as far as it goes without an engine. */
import { spawn, spawnSync } from 'node:child_process';
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

test.each([['SIGINT', 130], ['SIGTERM', 143]] as const)('%s: what was made is removed, the last first, and what cannot be is named', async (signal, code) => {
  const script = `
    const { Cleaning } = require('./ops/support/faults/cleaning');
    const cleaning = new Cleaning();
    cleaning.add(async () => void console.log('first'));
    cleaning.add(async () => { throw new Error('in use'); });
    cleaning.add(async () => void console.log('last'));
    setInterval(() => undefined, 1000);
    console.log('ready');
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk.toString();
    if (said.stdout === 'ready\n') {
      child.kill(signal);
    }
  });
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(code);
  expect(said).toEqual({ stdout: 'ready\nlast\nfirst\n', stderr: '\nStopped; removing what was made\nNot removed: in use\n' });
});
