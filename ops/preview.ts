/**
 * `npm run preview`: what the next deployment would change, for one environment or for all, and what that means.
 * Changes nothing: neither the state nor the stack file.
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
  // Offline, neither the backend nor its passphrase is looked up or created.
  const tools = await (offline ? findToolchain({}) : findToolchain());
  // Most of a preview is one process that waits for another, or starts.
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
    // The settings of a deployed stack were filled in before: if they are empty now, that is an error.
    return state !== undefined && state.resources.length > 0 ? page : whereEmpty(page, Object.keys(settings.config));
  } finally {
    workspace.remove();
  }
}

/** A stack whose preview fails does not affect the previews of the others. */
function noPage(stack: string, error: unknown): Page {
  if (!(error instanceof Failure)) {
    throw error;
  }
  return pageOf(stack, { code: 1, digest: undefined, stderr: error.message });
}

type Settings = ReturnType<typeof settingsOf>;

/** Compares with what is deployed, like `npm run up`. */
async function ofStack(workspace: Workspace, tools: Toolchain, stack: string, settings: Settings): Promise<Page> {
  const pulumi = workspace.stack(workspace.asking(tools), stack, settings);
  // The CLI can decrypt a secret among these settings; if it cannot, the preview below reports the reason.
  const known = secretsOf(settings).some((name) => name.startsWith('docker:')) ? await pulumi.settings().catch(() => undefined) : plainOf(settings);
  const { engine, problems } = choiceOf(known ?? {}, stack);
  // The program itself reports on the page what is wrong with the choice.
  const asked = known !== undefined && problems.length === 0;
  const silent = asked && (await whyNoEngine(engine)) !== undefined;
  const run = await pulumi.run([...command, ...(asked && !silent ? ['--refresh'] : [])]);
  const failure = run.code === 0 ? undefined : pulumi.known(run);
  return pageOf(stack, { ...run, digest: digestIn(run.stdout), stderr: failure?.message ?? run.stderr, problems: workspace.problems() }, silent ? [`whether someone has changed anything on the Docker host by hand (${engine.host} does not answer)`] : []);
}

/** For a stack that does not exist yet, or about which nothing may be queried: everything is new. */
async function ofNone(workspace: Workspace, tools: Toolchain, stack: string, settings: Settings, offline: boolean): Promise<Page> {
  const secure = secretsOf(settings);
  // Nor can an engine be queried if its key is not available here.
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
    ...(offline ? [`what stack ${stack} has already deployed (its state was not read): everything shows as new`] : []),
    ...(secure.length > 0 ? [`the values of ${secure.join(', ')} (secrets)`] : []),
    ...(blind && !offline ? ['what is on the Docker host, which is not asked without that key'] : []),
    ...(noToken ? ['whether the Cloudflare account has what the tunnel needs (no API token)'] : []),
    ...(offline && central !== undefined ? [`whether stack ${central} exists and publishes the receiver to which this one sends`] : []),
  ]);
}

/**
 * With these settings no Docker Engine is contacted for a new stack: the program inspects no host, and the docker provider
 * assumes that an SSH host exists until there is something to create.
 */
const notAsked = { 'docker:disableDockerDaemonCheck': 'true', 'docker:host': 'ssh://not-asked.invalid' };

/** Adds the problems of the engine's settings, which were not passed to the program, to its run. */
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

/** What a central stack reports about itself; undefined if it does not exist or reports nothing, which the program then says. */
async function remoteOf(tools: Toolchain, central: string): Promise<Remote | undefined> {
  const { code, stdout } = await new Pulumi(tools, central).run(['stack', 'output', '--json']);
  return code === 0 ? (JSON.parse(stdout) as { remote?: Remote }).remote : undefined;
}

/** What a central stack that publishes everything would report. */
function someRemote(token = 'edge'): Remote {
  return {
    otlp: { alloy: 'https://not-known.example.com', phoenix: 'https://not-known.example.com' },
    auth: true,
    tokens: { [token]: { expiresAt: '2999-12-31T00:00:00Z' } },
  };
}

/** Runs up to `width` at once; the answers are in the order of the questions. */
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
