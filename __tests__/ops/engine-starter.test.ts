/**
 * The start of the daemon on a machine without systemd, with real processes and a dockerd that is a script.
 */
import { setTimeout as pause } from 'node:timers/promises';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { start } from '../../ops/support/engine-starter';
import { setEnvironment } from '../support/environment';
import { listen } from '../support/said';
import { tempDir } from '../support/temp';

const actual = jest.requireActual<typeof fs>('node:fs');
jest.mock('node:fs', () => {
  const real = jest.requireActual<typeof fs>('node:fs');
  return { ...real, existsSync: (file: string) => file !== '/run/systemd/system' && real.existsSync(file) };
});

let dir: string;
beforeEach(() => {
  listen();
  dir = tempDir();
  // Nothing needs to be root here, and nobody is to be asked.
  jest.spyOn(process, 'getuid').mockReturnValue(0);
  setEnvironment({ PATH: `${dir}:${process.env['PATH']}` });
});
const dockerd = (script: string): void => fs.writeFileSync(path.join(dir, 'dockerd'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
/** @throws where it takes too long */
const until = async (done: () => boolean): Promise<void> => {
  for (const deadline = performance.now() + 20_000; !done(); ) {
    if (performance.now() > deadline) {
      throw new Error('it does not come about');
    }
    await pause(20);
  }
};

test('it is in a session of its own, without this terminal, and is seen to run and to end', async () => {
  dockerd(`echo $$ > ${dir}/pid; ps -o sid= -p $$ > ${dir}/session; echo "level=info msg=started"; while [ ! -e ${dir}/end ]; do sleep 0.02; done; echo "level=error msg=over"`);
  const started = await start().run();
  await until(() => actual.existsSync(`${dir}/session`) && fs.readFileSync(`${dir}/session`, 'utf8').trim() !== '');
  expect(started.ended()).toBeUndefined();
  expect(fs.readFileSync(`${dir}/session`, 'utf8').trim()).toBe(fs.readFileSync(`${dir}/pid`, 'utf8').trim());
  fs.writeFileSync(`${dir}/end`, '');
  await until(() => started.ended() !== undefined);
  expect(started.ended()).toBe('dockerd has ended; its last lines:\n    level=info msg=started\n    level=error msg=over');
  expect(started.log).toMatch(/^tail .*dockerd\.log$/);
});

test('one that cannot be run: the reason is in its log', async () => {
  dockerd('');
  fs.chmodSync(path.join(dir, 'dockerd'), 0o644);
  setEnvironment({ PATH: `${dir}:/usr/bin:/bin` });
  const started = await start().run();
  await until(() => started.ended() !== undefined);
  expect(started.ended()).toMatch(/^dockerd has ended; its last lines:\n.*dockerd/);
});
