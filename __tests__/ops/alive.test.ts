import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { isRunning } from '../../ops/support/alive';

test('a process at work is, and one that has ended is not', () => {
  expect([isRunning(process.pid), isRunning(1), isRunning(spawnSync(process.execPath, ['--version']).pid)]).toEqual([true, true, false]);
});

// Only where /proc shows it: elsewhere the process that started it decides how long it counts as one.
(fs.existsSync('/proc/self/stat') ? test : test.skip)('one that was killed and that nobody has waited for is not, though it still takes signals', async () => {
  const parent = spawn('python3', ['-c', 'import os, time\npid = os.fork() or os._exit(0)\nprint(pid, flush=True)\ntime.sleep(60)'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [chunk] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(String(chunk));
    while (!/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect([process.kill(pid, 0), isRunning(pid)]).toEqual([true, false]);
  } finally {
    parent.kill('SIGKILL');
  }
});
