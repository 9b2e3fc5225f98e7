import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { at } from '../../../engine';
import { Daemon } from '../../../ops/support/faults/daemon';
import { fakeEngine } from '../../support/fake-engine';
import { tempDir } from '../../support/temp';

test.each([['restart', 'SIGTERM'], ['crash', 'SIGKILL']] as const)('%s ends the process by %s, and waits for an engine that answers', async (what, signal) => {
  const { host, requests } = await fakeEngine({ '/version': { status: 200, body: '{}' } });
  const program = spawn('sleep', ['60']);
  const ended = once(program, 'exit');
  const file = path.join(tempDir(), 'docker.pid');
  fs.writeFileSync(file, `${program.pid}`);
  await new Daemon({ engine: at(host), source: 'a test', problems: [] }, file)[what]();
  expect(await ended).toEqual([null, signal]);
  expect(requests.map(({ url }) => url)).toEqual(['/version']);
});

test('where there is no daemon to end, that is said', () => {
  const daemon = new Daemon({ engine: at('unix:///nowhere/docker.sock'), source: 'a test', problems: [] }, '/nowhere/docker.pid');
  expect(() => daemon.check()).toThrow('--engine restarts the Docker Engine of this machine, which takes root and a dockerd here (/nowhere/docker.pid).\n    sudo npm run faults -- --engine');
});
