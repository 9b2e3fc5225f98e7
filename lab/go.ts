import { existsSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensure, type Build } from './cache';
import { ask } from './command';
import { aptInstall } from './debian';
import { wrapGoMod, type GoProgram } from './go-module';

/** From this version on Go fetches the newer Go that a module asks for, itself and verified, from the module proxy. */
const OLDEST_GO = '1.21';

/**
 * What makes a build honour the checksum database whatever `go env -w` or the shell says; a proxy of one's own
 * stays in force. Go reads an empty variable as "look in the config file", hence the names that match nothing.
 */
const VERIFIED = {
  GOFLAGS: '-mod=mod',
  GONOSUMDB: 'none.invalid',
  GONOSUMCHECK: undefined,
  GOINSECURE: 'none.invalid',
  GOSUMDB: process.env.GOSUMDB && process.env.GOSUMDB !== 'off' ? process.env.GOSUMDB : 'sum.golang.org',
  GOTOOLCHAIN: 'auto',
  GOWORK: 'off',
};

/**
 * Builds `program` from the Go module proxy to `<build.dir>/bin/<binary>`.
 *
 * The module's own go.sum comes along: what its authors built with is what is built here, and whatever is not
 * in it is verified against the checksum database.
 *
 * @throws Error when there is no Go and none can be had, or a step fails
 */
export async function buildGoProgram(build: Build, program: GoProgram, binary: string): Promise<void> {
  build.phase('looking for Go');
  const go = await goCommand(program.module);
  if (program.cgo && (await ask('gcc', ['--version'])) === undefined) await aptInstall(['gcc', 'libc6-dev']);

  const work = join(build.dir, 'module');
  await mkdir(work);
  const run = (args: readonly string[], onLine?: (line: string) => void): Promise<string> =>
    build.run(go, args, { cwd: work, env: { ...VERIFIED, CGO_ENABLED: program.cgo ? '1' : '0' }, onLine });

  build.phase('downloading');
  const download = await run(['mod', 'download', '-json', `${program.module}@${program.version}`]);
  const source = JSON.parse(download) as { Dir: string; GoMod: string };
  await writeFile(join(work, 'go.mod'), wrapGoMod(readFileSync(source.GoMod, 'utf8'), program));
  if (existsSync(join(source.Dir, 'go.sum'))) {
    await copyFile(join(source.Dir, 'go.sum'), join(work, 'go.sum'));
    await chmod(join(work, 'go.sum'), 0o644);
  }

  const target = program.package ?? program.module;
  const flags = [...(program.flags ?? []), '-buildvcs=false'];
  const packages = await run(['list', '-deps', ...flags, target]);
  const total = packages.split('\n').length;

  let compiled = 0;
  build.phase('compiling and linking', () => `${compiled.toLocaleString('en')} of at most ${total.toLocaleString('en')} packages`);
  await run(['build', '-v', ...flags, '-o', join(build.dir, 'bin', binary), target], (line) => {
    if (/^[\w./~-]+$/.test(line)) compiled += 1;
  });
  await rm(work, { recursive: true });
}

/**
 * A Go that can build `what`: the one on PATH, one in a usual place, or else Debian's.
 *
 * @throws Error with the one thing to do when there is none
 */
export async function goCommand(what: string): Promise<string> {
  const debian = await readdir('/usr/lib').catch(() => [] as string[]);
  const places = ['go', '/usr/local/go/bin/go', ...debian.filter((name) => name.startsWith('go-')).map((name) => `/usr/lib/${name}/bin/go`)];
  for (const place of places) if (await isRecent(place)) return place;

  const offered = (await ask('apt-cache', ['policy', 'golang-go']))?.match(/Candidate: (?:\d+:)?(\d+\.\d+)/)?.[1];
  if (offered !== undefined && isAtLeast(offered, OLDEST_GO)) {
    await aptInstall(['golang-go']);
    if (await isRecent('go')) return 'go';
  }
  const backported = await backportedGo();
  if (backported !== undefined) return backported;
  throw new Error(`Building ${what} needs Go ${OLDEST_GO} or newer, and this machine has none: install it from https://go.dev/dl/ and run this again.`);
}

/**
 * Debian 12 has Go 1.19; its backports have a newer one, which is unpacked into the cache so that the machine's
 * package sources stay as they are. Undefined on another release.
 */
async function backportedGo(): Promise<string | undefined> {
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const mirror = await debianMirror();
  if (!/^VERSION_CODENAME=bookworm$/m.test(release) || !existsSync(keyring) || !mirror) return undefined;

  const recipe = { name: 'Go', version: '1.23', inputs: 'bookworm-backports', why: `none found, or older than ${OLDEST_GO}; unpacking 1.23 from Debian's backports (a minute, once)` };
  const dir = await ensure(recipe, async (build) => {
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
  const go = join(dir, 'usr', 'lib', 'go-1.23', 'bin', 'go');
  return (await isRecent(go)) ? go : undefined;
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

/** Compares "1.23.5" with "1.21" number by number; what follows a pre-release letter does not count. */
export function isAtLeast(version: string, least: string): boolean {
  const numbers = (text: string): number[] => text.split('.').map((part) => parseInt(part, 10) || 0);
  const [have, want] = [numbers(version), numbers(least)];
  for (let index = 0; index < want.length; index += 1) {
    const difference = (have[index] ?? 0) - want[index];
    if (difference !== 0) return difference > 0;
  }
  return true;
}
