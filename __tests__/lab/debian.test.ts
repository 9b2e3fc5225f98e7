import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptInstall, missingPackages } from '../../lab/debian';
import { putPrograms } from '../support/programs';

let dir: string;
let takeBack: () => void;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'debian-'));
  takeBack = () => undefined;
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  takeBack();
  jest.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

/** As dpkg-query answers for what it knows, for what was removed and for what it never heard of. */
const dpkg = `case "$4" in
  here) printf installed ;;
  removed) printf config-files ;;
  *) echo "dpkg-query: no packages found matching $4" >&2; exit 1 ;;
esac`;
const log = (program: string): string => `echo "${program} $*" >> '${join(dir, 'log')}'`;
const logged = (): string[] => readFileSync(join(dir, 'log'), 'utf8').trim().split('\n');
const programs = (scripts: Record<string, string>): void => {
  takeBack = putPrograms(join(dir, 'bin'), { 'dpkg-query': dpkg, ...scripts });
};
const root = (uid: number): void => void jest.spyOn(process as { getuid: () => number }, 'getuid').mockReturnValue(uid);

test('what is installed is not installed again', async () => {
  programs({ 'apt-get': log('apt-get') });
  expect(await missingPackages(['here', 'removed', 'never'])).toEqual(['removed', 'never']);
  await aptInstall(['here']);
  expect(logged()).toEqual(['apt-get --version']);
});

test('only what is missing is asked of apt, as root without sudo', async () => {
  root(0);
  programs({ 'apt-get': log('apt-get'), sudo: log('sudo') });
  await aptInstall(['here', 'never']);
  expect(logged().filter((line) => / install /.test(line))).toEqual([
    'apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends never',
  ]);
  expect(logged().some((line) => line.startsWith('sudo'))).toBe(false);
});

test('lists that are out of date are fetched again, once', async () => {
  root(0);
  programs({
    'apt-get': `${log('apt-get')}
      case "$*" in
        *' update') touch '${join(dir, 'fresh')}' ;;
        *' install '*) [ -e '${join(dir, 'fresh')}' ] || { echo 'E: Failed to fetch http://deb.debian.org/debian/pool/main/n/never/never_1_amd64.deb  404  Not Found' >&2; exit 100; } ;;
      esac`,
  });
  await aptInstall(['never']);
  expect(logged().map((line) => line.match(/ (update|install) ?/)?.[1]).filter(Boolean).slice(-2)).toEqual(['update', 'install']);
});

test.each([
  ['wants a password', 'echo "sudo: a password is required" >&2; exit 1'],
  ['does not know the user', 'echo "somebody is not in the sudoers file." >&2; exit 1'],
])('a sudo that %s: the one command to run', async (_, sudo) => {
  root(1000);
  programs({ 'apt-get': 'true', sudo });
  await expect(aptInstall(['here', 'never', 'removed'])).rejects.toThrow(
    'never, removed (Debian packages) must be installed, and sudo did not let this run do it. Install and run this again:\n  sudo apt-get install -y --no-install-recommends never removed',
  );
});

test('a failure of apt itself is told as it is', async () => {
  root(1000);
  programs({ 'apt-get': 'true', sudo: 'case "$*" in *" install "*) echo "E: Unable to locate package never" >&2; exit 100 ;; esac' });
  await expect(aptInstall(['never'])).rejects.toThrow('E: Unable to locate package never');
});

test('a machine without apt: what to install by hand', async () => {
  programs({ 'apt-get': 'exit 127' });
  await expect(missingPackages(['here'])).resolves.toEqual([]);
  await expect(missingPackages(['never'])).rejects.toThrow('never (Debian package names) must be installed, and this machine has no apt');
});
