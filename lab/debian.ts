import { readdir } from 'node:fs/promises';
import { ask, command, CommandError } from './command';

/**
 * Installs those of `packages` that are missing, from the machine's own package sources. Reports it in one line.
 *
 * @throws Error with what to do when the machine has no apt, the user may not install, or apt fails
 */
export async function aptInstall(packages: readonly string[]): Promise<void> {
  const missing = await missingPackages(packages);
  if (missing.length === 0) return;

  process.stderr.write(`Debian packages: installing ${missing.join(', ')}\n`);
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  try {
    if (!(await hasPackageLists())) await apt(['update']);
    await apt(install).catch(async (error) => {
      // Outdated lists name files that the mirror no longer has.
      if (!(error instanceof CommandError) || refused(error)) throw error;
      await apt(['update']);
      await apt(install);
    });
  } catch (error) {
    if (!(error instanceof CommandError) || !refused(error)) throw error;
    throw new Error(`${missing.join(', ')} (Debian packages) must be installed, and sudo did not let this run do it. Install and run this again:\n  sudo apt-get ${install.join(' ')}`, { cause: error });
  }
}

/**
 * Those of `packages` that are not installed.
 *
 * @throws Error with what to do when some are missing and the machine has no apt
 */
export async function missingPackages(packages: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const name of packages) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length > 0 && (await ask('apt-get', ['--version'])) === undefined) {
    throw new Error(`${missing.join(', ')} (Debian package names) must be installed, and this machine has no apt: install them by hand and run this again.`);
  }
  return missing;
}

async function isInstalled(name: string): Promise<boolean> {
  const status = await ask('dpkg-query', ['-W', '-f', '${db:Status-Status}', name]);
  return status === 'installed';
}

/** Whether this machine has the lists of its package sources. */
export async function hasPackageLists(): Promise<boolean> {
  const names = await readdir('/var/lib/apt/lists').catch(() => [] as string[]);
  return names.some((name) => /_(Packages|InRelease)/.test(name));
}

/** Fetches the lists of the package sources. @throws Error if that changes nothing, or as `aptInstall` does */
export async function aptLists(): Promise<void> {
  process.stderr.write('Debian packages: reading what there is (apt-get update)\n');
  await apt(['update']);
  if (!(await hasPackageLists())) {
    throw new Error('apt-get update has found no package sources. Add one to /etc/apt/sources.list and run this again.');
  }
}

/** As root, otherwise through sudo, which asks for the password at a terminal; waits up to five minutes for another apt to finish. */
async function apt(args: readonly string[]): Promise<void> {
  const call = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', ...args];
  const sudo = process.stdin.isTTY ? ['sudo'] : ['sudo', '-n'];
  const [program, ...rest] = process.getuid?.() === 0 ? call : [...sudo, ...call];
  await command(program, rest);
}

/** Sudo's own words begin with its name, or there is no sudo. */
function refused({ status, lastLines }: CommandError): boolean {
  return status === null || lastLines.some((line) => /^sudo: /.test(line) || / is not in the sudoers file/.test(line));
}
