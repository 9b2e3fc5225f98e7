import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';

export type StandIn = 'docker' | 'random' | 'cloudflare' | 'nodejs' | 'pulumi-nodejs';

/** The executable that the CLI looks for, and its source. */
const known: Record<StandIn, { executable: string; source?: string }> = {
  docker: { executable: 'pulumi-resource-docker', source: 'docker.ts' },
  random: { executable: 'pulumi-resource-random', source: 'random.ts' },
  cloudflare: { executable: 'pulumi-resource-cloudflare', source: 'cloudflare.ts' },
  nodejs: { executable: 'pulumi-language-nodejs', source: 'language-nodejs.ts' },
  'pulumi-nodejs': { executable: 'pulumi-resource-pulumi-nodejs' },
};

/** In our own directory, so that a later search for the published plugins (ops/support/plugins.ts) skips it. */
const marker = '.stand-ins';

/**
 * Writes an executable for each stand-in.
 * @param opts.projectDir where package.json and node_modules are
 * @param opts.cacheDir where bundles and executables are kept, by the hash of their sources
 * @returns the directory to put in front of PATH
 */
export async function standIns(names: readonly StandIn[], opts: { readonly projectDir: string; readonly cacheDir: string }): Promise<string> {
  const projectDir = path.resolve(opts.projectDir);
  const directory = path.join(path.resolve(opts.cacheDir), `stand-ins-${fingerprint(projectDir, names)}`);
  if (fs.existsSync(path.join(directory, marker))) {
    return directory;
  }
  // Built aside and moved into place: two concurrent runs must not see each other's half.
  fs.mkdirSync(path.dirname(directory), { recursive: true });
  const draft = fs.mkdtempSync(`${directory}-`);
  fs.chmodSync(draft, 0o755);
  for (const name of names) {
    const { executable, source } = known[name];
    const script = source
      ? path.join(directory, `${executable}.js`)
      : path.join(projectDir, 'node_modules', '@pulumi', 'pulumi', 'cmd', 'dynamic-provider');
    if (source) {
      // Loaded only if there is something to bundle, which is once.
      const { build } = await import('esbuild');
      await build({
        entryPoints: [path.join(projectDir, 'lab', 'providers', source)],
        outfile: path.join(draft, `${executable}.js`),
        bundle: true,
        platform: 'node',
        target: 'node20',
        minify: true,
        logLevel: 'silent',
      });
    }
    fs.writeFileSync(path.join(draft, executable), `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(script)} "$@"\n`, { mode: 0o755 });
  }
  fs.writeFileSync(path.join(draft, marker), names.join('\n'));
  try {
    fs.renameSync(draft, directory);
  } catch (error) {
    fs.rmSync(draft, { recursive: true });
    if (!fs.existsSync(path.join(directory, marker))) {
      throw error;
    }
  }
  return directory;
}

/** Changes with the sources, the packages bundled with them, the Node that runs them and where they run. */
function fingerprint(projectDir: string, names: readonly StandIn[]): string {
  const hash = crypto.createHash('sha256').update(JSON.stringify([projectDir, process.execPath, [...names].sort()]));
  const sources = path.join(projectDir, 'lab', 'providers');
  const files = [...fs.readdirSync(sources).sort().map((file) => path.join(sources, file)), path.join(projectDir, 'package-lock.json')];
  for (const file of files.filter((file) => fs.existsSync(file))) {
    hash.update(file).update(fs.readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

function quoted(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}
