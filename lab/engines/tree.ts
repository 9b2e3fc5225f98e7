import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensure } from '../cache';
import { aptInstall } from '../debian';
import type { Recipe } from '../recipe';
import { enginesDir } from './remains';

/** A Debian in a folder, as the root of a sandbox. Nothing in it changes once it is complete. */
export interface Tree {
  readonly dir: string;
  readonly suite: string;
  /** Version of a Debian package in it, as Debian writes it: `28.5.2+dfsg4-5`. Undefined when it is not in there. */
  version(name: string): string | undefined;
}

/** `tini` is process 1 of a sandbox; `mount` is what enters it. */
const packages = ['ca-certificates', 'iptables', 'mount', 'tini', 'docker.io', 'docker-cli', 'iproute2', 'openssh-server', 'rootlesskit', 'slirp4netns', 'uidmap'];

/**
 * A tree with a current Docker Engine: Debian's next release, or the present one if the next cannot be downloaded.
 * `version('docker.io')` says which one it is: the next release changes.
 */
export async function engineTree(): Promise<Tree> {
  return tree('sid').catch((error: Error) => {
    process.stderr.write(`${error.message}\nDebian's next release cannot be had; taking trixie's Docker Engine\n`);
    return tree('trixie');
  });
}

async function tree(suite: string): Promise<Tree> {
  const recipe: Recipe = {
    name: 'docker-tree',
    version: suite,
    inputs: packages,
    from: 'Debian packages',
    cost: { minutes: 1.5, cache: 450 },
  };
  const dir = await ensure(recipe, async (build) => {
    await aptInstall(['mmdebstrap', 'debian-archive-keyring']);
    const root = join(build.dir, 'root');
    build.phase('installing packages');
    await build.run('mmdebstrap', [
      '--variant=apt',
      // A mirror may serve a list that is weeks old. Signatures are still checked.
      '--aptopt=Acquire::Check-Valid-Until "false"',
      `--include=${packages.join(',')}`,
      suite,
      root,
    ]);
    // A sandbox sees its own folder under the same path as outside.
    await mkdir(join(root, enginesDir), { recursive: true });
    // Users other than root run programs in it.
    await chmod(build.dir, 0o755);
  });
  const root = join(dir, 'root');
  const versions = installedVersions(await readFile(join(root, 'var/lib/dpkg/status'), 'utf8'));
  return { dir: root, suite, version: (name) => versions.get(name) };
}

/** Package names with their versions, from dpkg's records. */
export function installedVersions(status: string): Map<string, string> {
  const field = (paragraph: string, name: string): string | undefined =>
    new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1];
  const installed = status.split('\n\n').filter((paragraph) => field(paragraph, 'Status') === 'install ok installed');
  return new Map(installed.map((paragraph) => [field(paragraph, 'Package') ?? '', field(paragraph, 'Version') ?? '']));
}
