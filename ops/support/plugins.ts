/**
 * Plugins of the Pulumi CLI: which ones a stack uses, and which are installed.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { projectDir } from './backend';
import { isProgram, pulumiHome } from './cli';

/** Downloaded by the CLI. */
export type Provider = 'docker' | 'random' | 'cloudflare';

/** Parts of a published CLI, in the same folder. */
export type Bundled = 'nodejs' | 'pulumi-nodejs';

export type Plugin = Provider | Bundled;

export const providers: readonly Provider[] = ['docker', 'random', 'cloudflare'];
export const bundled: readonly Bundled[] = ['nodejs', 'pulumi-nodejs'];

/** What every stack uses. */
export const always: readonly Provider[] = ['docker', 'random'];

/**
 * Providers that a run needs: those that the settings require, and those of existing resources that may have to be deleted.
 * @param settings names of the settings
 * @param state resources of the stack, by their types
 */
export function neededProviders(settings: readonly string[], state: readonly { readonly type: string }[] = []): Provider[] {
  const atWork = new Set(state.map(({ type }) => /^pulumi:providers:(.+)$/.exec(type)?.[1] ?? type.split(':')[0]));
  return providers.filter((name) => always.includes(name) || atWork.has(name) || (name === 'cloudflare' && settings.some((key) => key.startsWith('tunnel:'))));
}

/** Version of a plugin: the one that its SDK in node_modules was built for. The CLI accepts no other. */
export function providerVersion(name: Provider): string {
  const file = path.join(projectDir, 'node_modules', '@pulumi', name, 'package.json');
  const { version, pulumi } = JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string; pulumi?: { version?: string } };
  return pulumi?.version ?? version;
}

/** In a directory of stand-ins, which are skipped here: a published plugin takes precedence. */
const standInsMarker = '.stand-ins';

/** Which of some plugins are neither on PATH nor installed, nor, for those that come with a CLI, beside it. */
export function missingPlugins<T extends Plugin>(pulumi: string, names: readonly T[], env: NodeJS.ProcessEnv = process.env): T[] {
  const onPath = (env['PATH'] ?? '').split(path.delimiter).filter((dir) => dir && !fs.existsSync(path.join(dir, standInsMarker)));
  const beside = fs.existsSync(pulumi) ? [path.dirname(fs.realpathSync(pulumi)), path.dirname(pulumi)] : [];
  const installed = installedIn(path.join(pulumiHome(env), 'plugins'));
  return names.filter((name) => {
    const isBundled = (bundled as readonly Plugin[]).includes(name);
    const executable = name === 'nodejs' ? 'pulumi-language-nodejs' : `pulumi-resource-${name}`;
    return ![...onPath, ...(isBundled ? beside : [])].some((dir) => isProgram(path.join(dir, executable)))
      && !installed.some((plugin) => (isBundled ? plugin.startsWith(`${name === 'nodejs' ? 'language' : 'resource'}-${name}-v`) : plugin === `resource-${name}-v${providerVersion(name as Provider)}`));
  });
}

/** Beside an incomplete installation there is a file that marks it. */
function installedIn(folder: string): string[] {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    // Any other problem is reported by the CLI when it installs something there.
    return [];
  }
  const partial = new Set(entries.map(({ name }) => name).filter((name) => name.endsWith('.partial')));
  return entries.filter((entry) => entry.isDirectory() && !partial.has(`${entry.name}.partial`)).map(({ name }) => name);
}
