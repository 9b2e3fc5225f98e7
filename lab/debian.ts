import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { ask, command, CommandError } from './command';

/**
 * Installs those of `packages` that are missing, from the machine's own package sources. Says so in one line.
 *
 * @throws Error with what to do when the machine has no apt, or apt fails
 */
export async function aptInstall(packages: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of packages) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return;

  if (!existsSync('/usr/bin/apt-get')) {
    throw new Error(`${missing.join(', ')} (Debian package names) must be installed, and this machine has no apt: install them by hand and run this again.`);
  }
  process.stderr.write(`Debian packages: installing ${missing.join(', ')}\n`);
  if (!(await hasPackageLists())) await apt(['update']);
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  try {
    await apt(install);
  } catch (error) {
    // Lists that are out of date name files that the mirror no longer has.
    if (!(error instanceof CommandError)) throw error;
    await apt(['update']);
    await apt(install);
  }
}

async function isInstalled(name: string): Promise<boolean> {
  const status = await ask('dpkg-query', ['-W', '-f', '${db:Status-Status}', name]);
  return status === 'installed';
}

async function hasPackageLists(): Promise<boolean> {
  const names = await readdir('/var/lib/apt/lists').catch(() => [] as string[]);
  return names.some((name) => /_(Packages|InRelease)/.test(name));
}

/** As root, through sudo otherwise; waits up to five minutes for another apt to finish. */
async function apt(args: readonly string[]): Promise<void> {
  const call = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', ...args];
  const [program, ...rest] = process.getuid?.() === 0 ? call : ['sudo', '-n', ...call];
  await command(program, rest);
}
