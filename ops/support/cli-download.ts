/**
 * Downloads the pinned Pulumi CLI into Pulumi's own folder, with Pulumi's own installer. It is installed aside and moved into
 * place when it runs: a failed or killed download leaves nothing that a later run could mistake for a CLI, and two concurrent
 * downloads are each complete.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { pulumiVersion } from '../../components/catalog';
import { isRunning } from './alive';
import { projectDir } from './backend';
import { ended, stopGroup } from './child';
import { cliIn, isPinned, pinnedRoot, pulumiHome } from './cli';
import { megabytes, watchGrowth } from './growth';
import { Failure, say } from './say';
import { helpFor, wordsOf } from './trouble';
import { sameWay } from './web';

/** The installer's progress messages and errors. */
const chatter = /^(===|\+ |We're sorry|If you need help|Get started|Command failed|warning: Pulumi has been installed|error: failed to download|check your internet|issue at |Warning: Problem )/;

/** @param silenceMs milliseconds without a byte after which a site is given up. Returns the path of the CLI. */
export async function downloadCli(site: string, silenceMs: number): Promise<string> {
  const home = pulumiHome();
  const root = pinnedRoot(home);
  let aside: string | undefined;
  try {
    fs.mkdirSync(path.dirname(root), { recursive: true });
    removeLeftovers(path.dirname(root));
    aside = fs.mkdtempSync(path.join(path.dirname(root), `.download-${process.pid}-`));
    await install(aside, silenceMs);
    if (!isPinned(cliIn(path.join(aside, 'cli')))) {
      throw new Error(`what was downloaded is not Pulumi ${pulumiVersion.pinned}`);
    }
    publish(path.join(aside, 'cli'), root, path.join(aside, 'old'));
  } catch (error) {
    const words = (error as Error).message;
    throw new Failure(`Pulumi ${pulumiVersion.pinned} was not installed in ${home} from ${site}:\n  ${words.replace(/\n/g, '\n  ')}`, [
      ...helpFor(words, home),
      ...byHand,
    ]);
  } finally {
    if (aside) {
      fs.rmSync(aside, { recursive: true, force: true });
    }
  }
  return cliIn(root);
}

/** Always works: a CLI that is already installed is used. */
export const byHand = [`export PATH=/folder/of/the/cli:$PATH   # Pulumi ${pulumiVersion.oldest} or newer, installed by hand: https://www.pulumi.com/docs/install`];

async function install(aside: string, silenceMs: number): Promise<void> {
  const tmp = path.join(aside, 'tmp');
  fs.mkdirSync(tmp);
  let said = '';
  let outcome: { message?: string; output?: string } | undefined;
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, ['--import', 'tsx', path.join(__dirname, 'cli-installer.ts'), pulumiVersion.pinned, path.join(aside, 'cli')], {
      cwd: projectDir,
      env: { ...process.env, ...installerEnvironment(aside, tmp, silenceMs) },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // Its own process group, so that its shell and curl end with it.
      detached: true,
    });
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    return child.on('message', (message) => (outcome = message as typeof outcome));
  };
  const stopWatch = watchGrowth([tmp], { everyMs: 3_000, grown: (bytes) => void (bytes >= 1e6 && say(`Pulumi ${pulumiVersion.pinned}: ${megabytes(bytes)} on disk`)) });
  await ended(start, stopGroup, () => fs.rmSync(aside, { recursive: true, force: true })).finally(stopWatch);
  if (!outcome || outcome.message !== undefined) {
    // The shell refers to the script by its temporary file.
    const words = wordsOf(outcome?.output ?? said).filter((line) => !chatter.test(line)).map((line) => line.replace(/^\S*\/tmp-\S+: (?:(?:line )?\d+: )?/, ''));
    throw new Error(words.length > 0 ? [...new Set(words)].join('\n') : (outcome?.message ?? 'the installer ended without a message'));
  }
}

/** All temporary files of the installer go into a folder of ours, and its curl uses the same proxy and authorities as our requests. */
function installerEnvironment(aside: string, tmp: string, silenceMs: number): Record<string, string> {
  // Without these, curl waits forever for a silent site, and never reaches its fallback.
  const limits = ['connect-timeout = 20', 'speed-limit = 1', `speed-time = ${Math.ceil(silenceMs / 1000)}`];
  const theirs = curlConfig(process.env);
  fs.writeFileSync(path.join(aside, '.curlrc'), [...limits, ...(theirs ? [`config = ${JSON.stringify(theirs)}`] : []), ''].join('\n'));
  return { ...sameWay(aside), TMPDIR: tmp, CURL_HOME: aside };
}

/** The configuration file that curl would read; it reads only one. */
function curlConfig(env: NodeJS.ProcessEnv): string | undefined {
  const folders = [env['CURL_HOME'], env['XDG_CONFIG_HOME'], env['HOME'] || os.homedir()];
  return folders.flatMap((folder) => (folder ? [path.join(folder, '.curlrc')] : [])).find((file) => fs.existsSync(file));
}

/** Moves a complete CLI into place. Another run may have been faster, and a killed installer may have left an incomplete one. */
function publish(from: string, to: string, old: string): void {
  try {
    if (fs.existsSync(to) && !isPinned(cliIn(to))) {
      fs.renameSync(to, old);
    }
    fs.renameSync(from, to);
  } catch (error) {
    if (!isPinned(cliIn(to))) {
      throw error;
    }
  }
}

/** What killed downloads have left. */
function removeLeftovers(folder: string): void {
  for (const name of fs.readdirSync(folder)) {
    const pid = /^\.download-(\d+)-/.exec(name)?.[1];
    if (pid && !isRunning(Number(pid))) {
      fs.rmSync(path.join(folder, name), { recursive: true, force: true });
    }
  }
}
