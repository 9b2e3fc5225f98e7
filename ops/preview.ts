/**
 * `npm run preview`: what the next deployment would change, of one environment or of all, and what that means.
 * Changes nothing: not the state, not the stack file.
 */
import * as os from 'node:os';
import type { Remote } from '../settings/edge-access';
import { unknownSecret } from '../settings/setting';
import { report, type Problem } from '../settings/problem';
import { preview } from './commands';
import { main } from './support/command-line';
import { whyNoEngine } from './support/docker';
import { choiceOf, engineProblems } from './support/engine-choice';
import { whereEmpty, withCentral } from './support/preview/configured';
import { digestIn } from './support/preview/digest';
import { asMarkdown, asText, pageOf, type Page, type Run } from './support/preview/page';
import { isSecure, plainOf, settingsOf, Workspace } from './support/preview/workspace';
import { neededProviders } from './support/plugins';
import { defaultStack, stacksWithFile } from './support/project';
import { Pulumi } from './support/pulumi';
import { previewing } from './support/run-tools';
import { Failure, say } from './support/say';
import { findToolchain, withPlugins, type Toolchain } from './support/toolchain';

main(preview.action(async ({ stack = [defaultStack], all, config = {}, markdown, json, offline }) => {
  const stacks = all ? stacksWithFile() : [...new Set(stack)];
  // Offline neither the backend nor its passphrase is looked for, or made.
  const tools = await (offline ? findToolchain({}) : findToolchain());
  // Most of a preview is one process waiting for another, or starting.
  const pages = withCentral(await inTurns(stacks, os.availableParallelism(), (stack) =>
    pageFor(tools, stack, config, offline).catch((error: unknown) => noPage(stack, error))));
  process.stdout.write(json ? `${JSON.stringify(pages, undefined, 2)}\n` : markdown ? asMarkdown(pages) : `${asText(pages)}\n`);
  if (pages.some(({ outcome }) => outcome === 'refused' || outcome === 'failed')) {
    process.exitCode = 1;
  }
}));

async function pageFor(tools: Toolchain, stack: string, overrides: Readonly<Record<string, string>>, offline: boolean): Promise<Page> {
  say(`Preview of ${stack} …`);
  const file = settingsOf(stack);
  const settings = { ...file, config: { ...file.config, ...overrides } };
  const workspace = Workspace.make();
  try {
    const state = offline ? undefined : await new Pulumi(tools, stack).state();
    const equipped = await (offline ? withPlugins(tools, { plugins: neededProviders(Object.keys(settings.config)) }) : previewing(tools, stack, plainOf(settings), state));
    const page = await (state ? ofStack(workspace, equipped, stack, settings) : ofNone(workspace, equipped, stack, settings, offline));
    // What is deployed has been filled in before: that its settings are empty now is an error.
    return state !== undefined && state.resources.length > 0 ? page : whereEmpty(page, Object.keys(settings.config));
  } finally {
    workspace.remove();
  }
}

/** One environment of which there can be no preview leaves the others theirs. */
function noPage(stack: string, error: unknown): Page {
  if (!(error instanceof Failure)) {
    throw error;
  }
  return pageOf(stack, { code: 1, digest: undefined, stderr: error.message });
}

type Settings = ReturnType<typeof settingsOf>;

/** Against what is deployed, as `npm run up` would find it. */
async function ofStack(workspace: Workspace, tools: Toolchain, stack: string, settings: Settings): Promise<Page> {
  const pulumi = workspace.stack(workspace.asking(tools), stack, settings);
  // Where a secret belongs to it, the CLI knows it; where that cannot read it, the preview below says why.
  const known = secretsOf(settings).some((name) => name.startsWith('docker:')) ? await pulumi.settings().catch(() => undefined) : plainOf(settings);
  const { engine, problems } = choiceOf(known ?? {}, stack);
  // What is wrong with the choice is on the page by the program's own words.
  const asked = known !== undefined && problems.length === 0;
  const silent = asked && (await whyNoEngine(engine)) !== undefined;
  const run = await pulumi.run([...command, ...(asked && !silent ? ['--refresh'] : [])]);
  const failure = run.code === 0 ? undefined : pulumi.known(run);
  return pageOf(stack, { ...run, digest: digestIn(run.stdout), stderr: failure?.message ?? run.stderr, problems: workspace.problems() }, silent ? [`whether somebody has changed anything on the Docker host by hand (${engine.host} does not answer)`] : []);
}

/** Of a stack that is not there yet, or of which nothing may be asked: all of it is new. */
async function ofNone(workspace: Workspace, tools: Toolchain, stack: string, settings: Settings, offline: boolean): Promise<Page> {
  const secure = secretsOf(settings);
  // An engine whose key nobody has here cannot be asked either.
  const blind = offline || secure.includes('docker:keyMaterial');
  const central = text(settings, 'edge:central');
  const tunnelled = Object.keys(settings.config ?? {}).some((name) => name.startsWith('tunnel:'));
  const noToken = offline && tunnelled && !process.env['CLOUDFLARE_API_TOKEN'];
  const env = { ...tools.env, ...(noToken ? { CLOUDFLARE_API_TOKEN: unknownSecret } : {}), ...(blind ? { DOCKER_HOST: '', DOCKER_CERT_PATH: '' } : {}) };
  const remote = central === undefined ? undefined : offline || secure.includes('edge:access') ? someRemote(text(settings, 'edge:token')) : await remoteOf(tools, central);
  const asked = blind ? { ...settings, config: { ...withoutEngine(settings), ...notAsked } } : settings;
  const pulumi = await workspace.unknownStack(workspace.asking({ ...tools, env }), stack, asked, remote);
  const run = await pulumi.run(command);
  const seen: Run = { ...run, digest: digestIn(run.stdout), problems: workspace.problems() };
  return pageOf(stack, blind ? alsoRefused(stack, seen, engineProblems(plainOf(settings), stack)) : seen, [
    ...(offline ? [`what of stack ${stack} stands already (its state was not asked for): everything shows as new`] : []),
    ...(secure.length > 0 ? [`the values of ${secure.join(', ')} (secrets)`] : []),
    ...(blind && !offline ? ['what is on the Docker host, which nobody asks without that key'] : []),
    ...(noToken ? ['whether the Cloudflare account has what the tunnel needs (no API token)'] : []),
    ...(offline && central !== undefined ? [`whether stack ${central} is there and publishes what this one sends to`] : []),
  ]);
}

/**
 * With these no Docker Engine is asked for a stack that is new: the program looks at no host, and the docker provider
 * takes one over SSH to be there until there is something to make.
 */
const notAsked = { 'docker:disableDockerDaemonCheck': 'true', 'docker:host': 'ssh://not-asked.invalid' };

/** The run of a program that was not shown the settings of the engine, with what is wrong with these. */
function alsoRefused(stack: string, run: Run, problems: readonly Problem[]): Run {
  if (problems.length === 0) {
    return run;
  }
  const all = [...(run.problems ?? []), ...problems];
  const others = run.code === 0 || run.problems?.length ? [] : run.digest?.diagnostics ?? [];
  return { ...run, code: 1, digest: { diagnostics: [...others, { severity: 'error', message: report(stack, all) }] }, problems: all };
}

/** Names of the settings that are encrypted. */
const secretsOf = ({ config }: Settings): string[] => Object.entries(config ?? {}).filter(([, value]) => isSecure(value)).map(([name]) => name);

const withoutEngine = ({ config }: Settings): Settings['config'] => Object.fromEntries(Object.entries(config ?? {}).filter(([name]) => !name.startsWith('docker:')));

const command: readonly string[] = ['preview', '--json', '--show-sames', '--non-interactive'];

function text({ config }: Settings, name: string): string | undefined {
  const value = config?.[name];
  return value === undefined || typeof value === 'object' ? undefined : String(value);
}

/** What a central stack tells of itself; undefined where it is not there or tells nothing, which the program then says. */
async function remoteOf(tools: Toolchain, central: string): Promise<Remote | undefined> {
  const { code, stdout } = await new Pulumi(tools, central).run(['stack', 'output', '--json']);
  return code === 0 ? (JSON.parse(stdout) as { remote?: Remote }).remote : undefined;
}

/** What a central stack that publishes everything would tell. */
function someRemote(token = 'edge'): Remote {
  return {
    otlp: { alloy: 'https://not-known.example.com', phoenix: 'https://not-known.example.com' },
    auth: true,
    tokens: { [token]: { expiresAt: '2999-12-31T00:00:00Z' } },
  };
}

/** As many at once as `width`; the answers in the order of the questions. */
async function inTurns<T, R>(questions: readonly T[], width: number, ask: (question: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  const waiting = questions.entries();
  await Promise.all(Array.from({ length: Math.min(width, questions.length) }, async () => {
    for (const [index, question] of waiting) {
      answers[index] = await ask(question);
    }
  }));
  return answers;
}
