import { existsSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Build } from './cache';
import { wrapGoMod, type GoProgram } from './go-module';
import { goCommand } from './go-toolchain';
import { copyModule } from './module-copy';

/**
 * What makes a build use the checksum database, whatever `go env -w` or the shell says; your own proxy stays in force. Go reads
 * an empty variable as "look in the config file", hence the names that match nothing.
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
 * Builds `program` from the Go module proxy to `<build.dir>/bin/<binary>`, without C and so for every Linux.
 *
 * The module's own go.sum is included: the build uses the versions that its authors built with, and anything not in it is
 * verified against the checksum database. So is the module itself, before anything in it is replaced.
 *
 * @throws Error when there is no Go and none can be installed, or a step fails
 */
export async function buildGoProgram(build: Build, program: GoProgram, binary: string): Promise<void> {
  build.phase('looking for Go');
  const go = await goCommand(program.module);
  const work = join(build.dir, 'module');
  const temporary = join(build.dir, 'tmp');
  await Promise.all([mkdir(work), mkdir(temporary)]);
  // On the disk of the cache: elsewhere, /tmp is often small and in memory, and nothing clears it after a kill.
  const env = { ...VERIFIED, CGO_ENABLED: '0', GOTMPDIR: temporary };
  const run = (args: readonly string[], onLine?: (line: string) => void): Promise<string> => build.run(go, args, { cwd: work, env, onLine });

  build.phase('downloading');
  const moduleAt = async (name: string, version: string): Promise<{ Dir: string; GoMod: string }> =>
    JSON.parse(await run(['mod', 'download', '-json', `${name}@${version}`])) as { Dir: string; GoMod: string };
  const source = await moduleAt(program.module, program.version);
  const siblings: string[] = [];
  for (const [name, version] of Object.entries(program.siblings ?? {})) siblings.push(readFileSync((await moduleAt(name, version)).GoMod, 'utf8'));
  const copy = program.files && join(work, 'copy');
  if (program.files && copy) await copyModule(source.Dir, copy, program.files);
  await writeFile(join(work, 'go.mod'), wrapGoMod(readFileSync(source.GoMod, 'utf8'), program, siblings, copy && './copy'));
  if (existsSync(join(source.Dir, 'go.sum'))) {
    await copyFile(join(source.Dir, 'go.sum'), join(work, 'go.sum'));
    await chmod(join(work, 'go.sum'), 0o644);
  }

  const target = program.package ?? program.module;
  // Paths are trimmed: a second attempt in a different folder can reuse what the first one compiled.
  const flags = [...(program.flags ?? []), '-buildvcs=false', '-trimpath'];
  const packages = await run(['list', '-deps', ...flags, target]);
  const total = packages.split('\n').length;

  let compiled = 0;
  build.phase('compiling and linking', () => `${compiled.toLocaleString('en')} of at most ${total.toLocaleString('en')} packages`);
  await run(['build', '-v', ...flags, '-o', join(build.dir, 'bin', binary), target], (line) => {
    if (/^[\w./~-]+$/.test(line)) compiled += 1;
  });
  await Promise.all([rm(work, { recursive: true }), rm(temporary, { recursive: true })]);
}
