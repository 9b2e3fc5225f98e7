/** Debian's Chromium without a window, for which one name has the addresses that a test says. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aptInstall } from '../../lab';
import { startSandbox } from '../../lab/engines';

export interface Name {
  readonly name: string;
  /** In the order in which the browser tries them: as long as one takes a connection, the next is not asked. */
  readonly addresses: readonly string[];
}

/**
 * Opens a page and stays on it until `done`. The machine's own files for names stay as they are: the browser has its own,
 * in namespaces of its own, and its profile is gone with it. Needs root.
 * @returns what `done` becomes
 * @throws Error with the command that installs Chromium where this could not, or with the last lines of a browser that has ended or is not done in time
 */
export async function browse<T>(url: string, { name, addresses }: Name, done: Promise<T>): Promise<T> {
  await aptInstall(['chromium']).catch((cause: Error) => {
    throw new Error('The tests need a browser, and it could not be installed:\n  sudo apt-get install -y --no-install-recommends chromium', { cause });
  });
  let over = false;
  void done.then(() => (over = true));
  const browser = await startSandbox({
    name: 'browser',
    prepare: async ({ dir }) => {
      await mkdir(join(dir, 'home'));
      const hosts = [['127.0.0.1', 'localhost'], ...addresses.map((address) => [address, name])];
      await writeFile(join(dir, 'hosts'), hosts.map((line) => `${line.join(' ')}\n`).join(''));
      // The C library would put first what is nearest to this machine.
      await writeFile(join(dir, 'gai.conf'), addresses.map((address, index) => `precedence ::ffff:${address}/128 ${100 - index}\n`).join(''));
      return { '/etc/hosts': join(dir, 'hosts'), '/etc/gai.conf': join(dir, 'gai.conf') };
    },
    command: ({ dir }) => [
      'env', `HOME=${join(dir, 'home')}`, `TMPDIR=${join(dir, 'home')}`,
      'chromium', '--headless', '--no-sandbox', `--user-data-dir=${join(dir, 'home', 'profile')}`,
      // Chromium's own resolver knows the first address alone of a name in /etc/hosts; the C library knows all.
      '--disable-features=AsyncDns',
      url,
    ],
    isReady: () => Promise.resolve(over),
  });
  await browser.kill();
  return done;
}
