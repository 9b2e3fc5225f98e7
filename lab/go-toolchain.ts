import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, ensure } from './cache';
import { ask } from './command';
import { aptInstall, aptLists, hasPackageLists } from './debian';
import { isAtLeast } from './go-version';
import type { Recipe } from './recipe';
import type { Work } from './work';

/** From this version on, Go itself fetches and verifies a newer Go that a module requires, from the module proxy. */
const OLDEST_GO = '1.21';

/**
 * Debian 12 has Go 1.19; its backports have a newer one, which is unpacked into the cache so that the machine's package sources
 * stay unchanged.
 */
const backport: Recipe = {
  name: 'Go',
  version: '1.23',
  inputs: 'bookworm-backports',
  from: "Debian's backports",
  cost: { minutes: 1, cache: 270, go: 300 },
};

/** A Go that can build: its command, or the steps to get one. */
type Found = { command: string } | { install: readonly string[] } | { mirror: string } | { lists: 'missing' };

/** The steps that are left before a Go program can be built. Throws as `goCommand` does. */
export async function goWork(what: string): Promise<Work[]> {
  const found = await findGo(what);
  if ('command' in found) return [];
  if ('install' in found) return [{ key: 'golang', from: 'Debian packages', cost: { minutes: 1, go: 600 }, packages: found.install }];
  return [{ key: 'golang', from: backport.from, cost: backport.cost, packages: [] }];
}

/**
 * A Go that can build `what`: the one on PATH, one in a usual place, or otherwise Debian's.
 *
 * @throws Error with the one thing to do when there is none
 */
export async function goCommand(what: string): Promise<string> {
  const found = await findGo(what);
  if ('command' in found) return found.command;
  if ('mirror' in found) return unpackBackport(found.mirror);
  if ('lists' in found) {
    await aptLists();
    return goCommand(what);
  }
  await aptInstall(found.install);
  return 'go';
}

async function usualPlaces(): Promise<string[]> {
  const debian = await readdir('/usr/lib').catch(() => [] as string[]);
  const unpacked = cached(backport);
  return [
    'go', '/usr/local/go/bin/go',
    ...debian.filter((name) => name.startsWith('go-')).map((name) => `/usr/lib/${name}/bin/go`),
    ...(unpacked ? [goIn(unpacked)] : []),
  ];
}

/**
 * @param places programs to try. Default: the one on PATH, and where an installer or Debian puts them
 * @param bookworm whether this is Debian 12, whose backports fit
 * @throws Error as `goCommand` does
 */
export async function findGo(what: string, places?: readonly string[], bookworm = isBookworm(), lists = hasPackageLists): Promise<Found> {
  for (const place of places ?? (await usualPlaces())) if (await isRecent(place)) return { command: place };

  const offered = (await ask('apt-cache', ['policy', 'golang-go']))?.match(/Candidate: (?:\d+:)?(\d+\.\d+)/)?.[1];
  if (offered !== undefined && isAtLeast(offered, OLDEST_GO)) return { install: ['golang-go'] };
  const mirror = bookworm ? await debianMirror() : undefined;
  if (mirror !== undefined) return { mirror };
  // As on a fresh Debian image: its package lists are not there yet.
  if (!(await lists()) && (await ask('apt-get', ['--version'])) !== undefined) return { lists: 'missing' };
  throw new Error(`Building ${what} needs Go ${OLDEST_GO} or newer, and this machine has none: install it from https://go.dev/dl/ and run this again.`);
}

async function unpackBackport(mirror: string): Promise<string> {
  const dir = await ensure(backport, async (build) => {
    const lists = join(build.dir, 'apt');
    await mkdir(join(lists, 'lists', 'partial'), { recursive: true });
    await writeFile(join(lists, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} bookworm-backports main\n`);
    const own = ['-o', `Dir::State::Lists=${lists}/lists`, '-o', `Dir::Cache=${lists}`, '-o', `Dir::Etc::SourceList=${lists}/sources.list`, '-o', 'Dir::Etc::SourceParts=-', '-o', 'APT::Sandbox::User=root'];
    build.phase('downloading');
    await build.run('apt-get', [...own, 'update']);
    await build.run('apt-get', [...own, 'download', 'golang-1.23-go', 'golang-1.23-src'], { cwd: lists });
    build.phase('unpacking');
    for (const file of await readdir(lists)) {
      if (file.endsWith('.deb')) await build.run('dpkg-deb', ['-x', join(lists, file), build.dir]);
    }
    await rm(lists, { recursive: true });
  });
  return goIn(dir);
}

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

const goIn = (dir: string): string => join(dir, 'usr', 'lib', 'go-1.23', 'bin', 'go');

function isBookworm(): boolean {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return /^VERSION_CODENAME=bookworm$/m.test(release) && existsSync(keyring);
}

/** Where this machine gets Debian's packages from: backports are in the same archive. */
async function debianMirror(): Promise<string | undefined> {
  const targets = await ask('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Codename: bookworm', 'Created-By: Packages']);
  return targets?.split('\n').find((uri) => /\/debian\/?$/.test(uri));
}

async function isRecent(go: string): Promise<boolean> {
  const version = await ask(go, ['env', 'GOVERSION'], { env: { GOTOOLCHAIN: 'local' } });
  return version !== undefined && isAtLeast(version.replace(/^go/, ''), OLDEST_GO);
}
