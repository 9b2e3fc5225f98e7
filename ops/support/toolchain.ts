/**
 * The Pulumi CLI and its plugins: what is installed is used, what is missing is downloaded, and only if the sites cannot be
 * reached at all does lab/ replace it.
 */
import * as path from 'node:path';
import { pulumiVersion } from '../../components/catalog';
import { commandVariable } from '../../settings/problem';
import type { Consent } from './ask';
import { backendEnvironment } from './backend';
import { cliOnPath, homeVariable, pinnedCli } from './cli';
import { byHand, downloadCli } from './cli-download';
import { buildPlan, builtCli, standInsFor, told, type LabOptions, type Part } from './lab';
import { downloadPlugin } from './plugin-download';
import { always, bundled, missingPlugins, providers, type Plugin, type Provider } from './plugins';
import { patience, reach, type Patience, type Reach } from './reach';
import { Failure, say } from './say';

/** The Pulumi CLI and its required environment variables. */
export interface Toolchain {
  /** Path of the CLI. */
  readonly pulumi: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Needs {
  /** Providers that the run uses (`neededProviders`), or `automatic`: the CLI handles them itself. Default: those of every stack. */
  readonly plugins?: readonly Provider[] | 'automatic';
  /** How a build from package registries is confirmed. Default: `ask`. */
  readonly consent?: Consent;
  /**
   * What else the run would build, so that one plan shows everything and it is built in parallel. Called only if the CLI has to
   * be built.
   */
  readonly alsoBuilt?: () => Promise<{ readonly parts: readonly Part[]; readonly options?: LabOptions }>;
  readonly patience?: Patience;
}

/** Site from which the CLI is downloaded, and also plugins that are not on GitHub. */
export const downloadSite = 'https://get.pulumi.com';

const installer = { url: `${downloadSite}/install.sh`, looksRight: /^#!/ };
const pluginSite = 'https://github.com/pulumi';

/**
 * Finds the Pulumi CLI and provides its plugins.
 * @param backend where the state is, as environment variables. Default: see `backendEnvironment`
 * @throws Failure naming the site, its response and what helps, if something can neither be found nor downloaded
 */
export async function findToolchain(backend: Readonly<Record<string, string>> = backendEnvironment(), needs: Needs = {}): Promise<Toolchain> {
  const cli = await findCli(needs);
  const extra = { ...homeVariable(), ...backend };
  // With a separate backend or home, or without this CLI on PATH, the plain command would not find the stack.
  const plain = cli.from === 'PATH' && Object.keys(extra).length === 0;
  const env = { PULUMI_SKIP_UPDATE_CHECK: 'true', ...extra, ...(plain ? {} : { [commandVariable]: 'npm run pulumi --' }) };
  // If the CLI was built here, the sites are not reachable anyway.
  const waits = { ...patience, ...needs.patience, ...(cli.from === 'lab' ? { againMs: 0 } : {}) };
  return withPlugins({ pulumi: cli.file, env }, { ...needs, patience: waits });
}

/** Path of the Pulumi CLI: a good one on PATH, else the pinned one, downloaded or built if it is not there. */
export async function findPulumi(needs: Needs = {}): Promise<string> {
  return (await findCli(needs)).file;
}

interface Cli {
  readonly file: string;
  readonly from: 'PATH' | 'Pulumi' | 'lab';
}

async function findCli({ consent = 'ask', alsoBuilt, patience: waits = patience }: Needs): Promise<Cli> {
  const { cli, passedOver } = cliOnPath();
  const found = cli ?? pinnedCli();
  if (found) {
    used(passedOver, `using ${found}`);
    return { file: found, from: cli ? 'PATH' : 'Pulumi' };
  }
  const why = passedOver.length > 0 ? passedOver : ['no CLI on PATH'];
  const first = await reach(installer.url, installer.looksRight, { ...waits, againMs: 0 });
  const built = first.kind === 'unreachable' ? await builtCli() : undefined;
  if (built) {
    used(passedOver, `using ${built}, built before`);
    return { file: built, from: 'lab' };
  }
  const site = first.kind === 'unreachable' ? await reach(installer.url, installer.looksRight, waits) : first;
  if (site.kind === 'answers') {
    used(why, `downloading ${pulumiVersion.pinned} from ${downloadSite}`);
    return { file: await downloadCli(downloadSite, waits.silenceMs), from: 'Pulumi' };
  }
  if (site.kind === 'faulty') {
    throw notFrom(downloadSite, site, `Pulumi ${pulumiVersion.pinned}`, byHand);
  }
  used(why, `and ${downloadSite} cannot be reached: ${site.why}`);
  const more = (await alsoBuilt?.()) ?? { parts: [] };
  const parts: readonly Part[] = ['pulumi', ...more.parts];
  const lab = await buildPlan(parts, consent, more.options);
  await told(lab.build(parts, more.options));
  return { file: await lab.pulumiCli(), from: 'lab' };
}

/** The same tools with more plugins: for a run that learns only from the stack which ones it needs. */
export async function withPlugins(tools: Toolchain, { plugins = always, patience: waits = patience }: Needs): Promise<Toolchain> {
  const { pulumi, env } = tools;
  const here = { ...process.env, ...env };
  const missing = missingPlugins(pulumi, plugins === 'automatic' ? providers : plugins, here);
  const standIns: Plugin[] = missingPlugins(pulumi, bundled, here);
  const source = missing.length > 0 ? await pluginSource(waits) : undefined;
  if (source?.kind === 'faulty') {
    throw notFrom(source.site, source, `Plugins ${missing.join(', ')}`, []);
  }
  if (source?.kind === 'unreachable') {
    standIns.unshift(...missingPlugins(pulumi, providers, here));
    sayOnce(`Plugins ${standIns.join(', ')}: not installed, and ${source.site} cannot be reached: ${source.why}; using the stand-ins of lab/providers`);
  } else if (source && plugins !== 'automatic') {
    for (const name of missing) {
      await downloadPlugin(pulumi, name, source.site, 4 * waits.silenceMs);
    }
  }
  return {
    pulumi,
    env: {
      ...env,
      ...(plugins === 'automatic' ? {} : { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true' }),
      ...(standIns.length > 0 ? { PATH: [await standInsFor(standIns), here['PATH']].join(path.delimiter) } : {}),
    },
  };
}

const alreadySaid = new Set<string>();

/** Several stacks or steps of one run may find the same problem. */
function sayOnce(text: string): void {
  if (!alreadySaid.has(text)) {
    alreadySaid.add(text);
    say(text);
  }
}

/** The installed parts of the toolchain, without downloading anything. */
export async function surveyToolchain(): Promise<{ pulumi: string | undefined; passedOver: readonly string[]; missing: readonly Plugin[]; env: Record<string, string> }> {
  const { cli, passedOver } = cliOnPath();
  const pulumi = cli ?? pinnedCli() ?? (await builtCli());
  return { pulumi, passedOver, missing: missingPlugins(pulumi ?? '', [...always, ...bundled]), env: { PULUMI_SKIP_UPDATE_CHECK: 'true', ...homeVariable() } };
}

/** The CLI queries GitHub first and then Pulumi's own site, so that one of them is enough. A mirror is reached by the CLI itself. */
async function pluginSource(waits: Patience): Promise<Reach & { readonly site: string }> {
  const mirrors = process.env['PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES'];
  if (mirrors) {
    return { kind: 'answers', site: mirrors };
  }
  const first = { ...(await reach(pluginSite, undefined, { ...waits, againMs: 0 })), site: pluginSite };
  if (first.kind === 'answers') {
    return first;
  }
  const second = { ...(await reach(installer.url, installer.looksRight, waits)), site: downloadSite };
  return second.kind === 'unreachable' && first.kind === 'faulty' ? first : second;
}

/** One line about what is skipped and what is used instead; none if there is nothing to report. */
function used(passedOver: readonly string[], instead: string): void {
  if (passedOver.length > 0) {
    say(`Pulumi: ${[...passedOver, instead].join('; ')}`);
  }
}

function notFrom(site: string, { why, mend }: Extract<Reach, { kind: 'faulty' }>, what: string, more: readonly string[]): Failure {
  return new Failure(`${what} cannot be downloaded from ${site}: ${why}.${mend.length > 0 ? '' : ' Try again later.'}`, [...mend, ...more]);
}
