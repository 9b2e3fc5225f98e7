import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isRunning } from '../../ops/support/alive';
import { projectDir } from '../../ops/support/backend';
import { answering } from '../support/answering';
import { fakePulumi } from '../support/fake-pulumi';
import { listen } from '../support/said';
import { tempDir } from '../support/temp';

describe('a run', () => {
  test('is in the project, with the environment of the toolchain, and without input', async () => {
    const { pulumi } = answering({ first: 'pwd; echo "$PULUMI_BACKEND_URL"; cat' }, { PULUMI_BACKEND_URL: 'file:///somewhere' });
    expect(await pulumi.run(['about'])).toEqual({ code: 0, stopped: false, stdout: `${projectDir}\nfile:///somewhere\n`, stderr: '' });
  });

  test('keeps its exit code, and a last line without an end', async () => {
    expect(await answering({ stdout: 'one\ntwo', stderr: 'warning', code: 7 }).pulumi.run([])).toEqual({ code: 7, stopped: false, stdout: 'one\ntwo\n', stderr: 'warning\n' });
  });

  test('that a signal ended says which, and nobody has stopped it', async () => {
    expect(await answering({ first: 'kill -KILL $$' }).pulumi.run([])).toEqual({ code: 137, signal: 'SIGKILL', stopped: false, stdout: '', stderr: '' });
  });

  test('is shown on stderr, all but what the toolchain has said already', async () => {
    const said = listen();
    const known = 'warning: using pulumi-resource-docker from $PATH at /x/pulumi-resource-docker';
    const { pulumi } = answering({ stdout: ' +  docker:index:Container alloy created\n', stderr: `${known}\n  ${known}\nwarning: using an old engine\n` });
    const { stdout, stderr } = await pulumi.show(['up']);
    expect(said.sort()).toEqual([' +  docker:index:Container alloy created', 'warning: using an old engine']);
    expect([stdout, stderr.split('\n').length]).toEqual([' +  docker:index:Container alloy created\n', 4]);
  });

  test('that is only collected shows nothing', async () => {
    const said = listen();
    await answering({ stdout: 'a\n', stderr: 'b\n' }).pulumi.run([]);
    expect(said).toEqual([]);
  });
});

describe('a signal', () => {
  jest.setTimeout(60_000);
  const started: number[] = [];
  afterEach(() => started.splice(0).forEach((pid) => isRunning(pid) && process.kill(-pid, 'SIGKILL')));

  /** A CLI that ends its step when it is interrupted, as the real one does. */
  const patient = { first: "trap 'echo done; exit 7' INT TERM; echo ready >&2; exec 2>/dev/null; while :; do sleep 0.05; done" };

  /** Who is told: Ctrl-C, `timeout` and a terminal that is closed reach the whole group, `kill` one process. */
  async function stoppedBy(kind: string, signal: NodeJS.Signals, whom: 'all' | 'one'): Promise<unknown> {
    const child = spawn(process.execPath, ['--import', 'tsx', '__tests__/support/running.ts', fakePulumi({ '': patient }).file, kind], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    started.push(Number(child.pid));
    await new Promise((resolve) => child.stderr.once('data', resolve));
    process.kill(whom === 'all' ? -Number(child.pid) : Number(child.pid), signal);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout };
  }

  test.each([
    ['SIGINT', 'all'],
    ['SIGTERM', 'all'],
    ['SIGHUP', 'all'],
    ['SIGINT', 'one'],
    ['SIGTERM', 'one'],
    ['SIGHUP', 'one'],
  ] as const)('%s to %s of its processes: the CLI ends its step, which is waited for', async (signal, whom) => {
    expect(await stoppedBy('show', signal, whom)).toEqual({ code: 0, stdout: JSON.stringify({ code: 7, stopped: true, stdout: 'done\n', stderr: 'ready\n' }) });
    expect(await stoppedBy('handOver', signal, whom)).toEqual({ code: 0, stdout: 'done\n7' });
  });

  test.each([['Ctrl-C', '\x03'], ['a terminal that is closed', null]] as const)('%s at a terminal, of a run that asks: it can read the answer, and ends its step', (_, end) => {
    const log = path.join(tempDir(), 'log');
    const asking = { first: `trap 'echo INT >> ${log}; exit 7' INT; printf 'Go on? '; read -r answer; echo "$answer" >> ${log}; echo working; while :; do sleep 0.05; done` };
    const command = `exec '${process.execPath}' --import tsx __tests__/support/running.ts '${fakePulumi({ '': asking }).file}' handOver`;
    const steps = [['Go on? ', 'yes\r'], ['working', end]];
    expect(spawnSync('python3', ['__tests__/support/terminal.py', JSON.stringify({ command, steps })], { encoding: 'utf8' })).toMatchObject({ stderr: '', stdout: expect.stringContaining('working') });
    expect(fs.readFileSync(log, 'utf8')).toBe('yes\nINT\n');
  });
});
