/**
 * Lets the CLI install a provider plugin. By itself it would, at every run, download all plugins of node_modules, even unused
 * ones, and show no progress if its output is captured.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { atTerminal } from './ask';
import { ended, stopGroup } from './child';
import { homeVariable, pulumiHome } from './cli';
import { watchGrowth } from './growth';
import { providerVersion, type Provider } from './plugins';
import { Failure, say } from './say';
import { helpFor, wordsOf } from './trouble';
import { sameWay } from './web';

/** The CLI's progress messages, and its final error after five attempts. */
const chatter = /^(\[resource plugin|Downloading plugin|Unpacking plugin|Will retry in|error: .*: failed all \d+ attempts$)/;
const prefix = /^(warning: Error downloading plugin: |error: \[resource plugin .*?\] downloading from \S* ?: failed to download plugin: \S+: |error: )/;

/**
 * @param site where it is downloaded from, for messages
 * @param silenceMs milliseconds without a byte after which it is given up: the CLI itself would wait forever
 */
export async function downloadPlugin(pulumi: string, name: Provider, site: string, silenceMs: number): Promise<void> {
  const version = providerVersion(name);
  const label = `Plugin ${name} ${version}`;
  const folder = path.join(pulumiHome(), 'plugins');
  say(`${label}: downloading`);
  const outcome = await run(pulumi, ['plugin', 'install', 'resource', name, version], { silenceMs, grows: path.join(folder, `resource-${name}-v${version}`) });
  if (outcome.code !== 0) {
    const words = outcome.silent ? [`no data for ${silenceMs / 1000} s`] : wordsOf(outcome.said).filter((line) => !chatter.test(line)).map((line) => line.replace(prefix, ''));
    throw new Failure(`${label} was not installed in ${folder} from ${site}:\n  ${words.join('\n  ') || 'its message is above'}`, [
      ...helpFor(words.join('\n'), folder),
      `npm run pulumi -- plugin install resource ${name} ${version} --file /path/of/the/archive   # downloaded elsewhere`,
    ]);
  }
  say(`${label}: installed`);
}

interface Outcome {
  readonly code: number;
  readonly said: string;
  readonly silent: boolean;
}

/** At a terminal the CLI draws its progress there; elsewhere its output is kept for the message of a failure. */
async function run(pulumi: string, args: readonly string[], { silenceMs, grows }: { silenceMs: number; grows: string }): Promise<Outcome> {
  const aside = fs.mkdtempSync(path.join(os.tmpdir(), 'pulumi-plugin-'));
  const interactive = atTerminal();
  const stop = (child: ChildProcess): void => void (interactive ? child.kill('SIGKILL') : stopGroup(child, 'SIGKILL'));
  const outcome = { said: '', silent: false };
  let stopWatch = (): void => undefined;
  const start = (): ChildProcess => {
    const child = spawn(pulumi, args, {
      env: { ...process.env, ...homeVariable(), ...sameWay(aside), TMPDIR: aside, PULUMI_SKIP_UPDATE_CHECK: 'true' },
      stdio: interactive ? ['inherit', 2, 2] : ['ignore', 'pipe', 'pipe'],
      // In its own process group it can be ended with everything it has started; at a terminal only a foreground group may
      // draw.
      detached: !interactive,
    });
    [child.stdout, child.stderr].forEach((stream) => stream?.on('data', (chunk: Buffer) => (outcome.said += chunk.toString())));
    const silent = (): void => {
      outcome.silent = true;
      stop(child);
    };
    stopWatch = watchGrowth([aside, grows], { everyMs: 500, silenceMs, silent });
    return child;
  };
  const tidy = (): void => fs.rmSync(aside, { recursive: true, force: true });
  try {
    return { code: await ended(start, stop, tidy), ...outcome };
  } finally {
    stopWatch();
    tidy();
  }
}
