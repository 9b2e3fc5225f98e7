/**
 * `npm run pulumi -- ARGUMENTS`: the Pulumi CLI that `npm run up` uses, with the same state, passphrase, plugins
 * and images. Identical to plain `pulumi` if that is installed and logged in.
 */
import { isStackName, shortName } from '../components/names';
import { pulumi, pulumiOptions } from './commands';
import { projectDir } from './support/backend';
import { main } from './support/command-line';
import { makeStack } from './support/deploy';
import { plainOf, settingsOf } from './support/preview/workspace';
import { defaultStack } from './support/project';
import { Pulumi } from './support/pulumi';
import { previewing } from './support/run-tools';
import { Misread } from './support/say';
import { findToolchain, type Toolchain } from './support/toolchain';

/** Commands that run the program, which needs to know the images of the run. */
const running = ['up', 'update', 'preview', 'pre', 'watch'];

/** Commands on the selected stack. Those that remove a stack or resources are not included: they get no default stack. */
const onStack = ['config', ...running, 'refresh', 'cancel', 'import', 'logs', 'console', 'stack'];
const onStackBelow = ['change-secrets-provider', 'export', 'graph', 'history', 'import', 'output', 'tag'];

main(pulumi.action(async (typed) => {
  refuseUnclear(typed);
  const found = await findToolchain(undefined, { plugins: 'automatic' });
  const args = await withStack(found, typed);
  const tools = running.includes(args[0] ?? '') ? await equipped(found, args) : found;
  if (args[0] === 'config' && typed.length > 1) {
    await stackFor(found, args);
  }
  process.exitCode = await new Pulumi(tools, '').handOver(args);
}), pulumiOptions);

/** @throws Misread if the CLI would silently use the selected stack (`--stack=$UNSET`), or the last of several */
function refuseUnclear(args: readonly string[]): void {
  const stacks = args.flatMap((arg, index) => (arg === '--stack' || arg === '-s' ? [args[index + 1] ?? ''] : /^(?:--stack|-s)=(.*)$/s.exec(arg)?.slice(1) ?? []));
  if (stacks.some((name) => name.trim() === '')) {
    throw new Misread('--stack names no stack. Nothing was done.', ['npm run pulumi -- stack ls']);
  }
  if (stacks.length > 1) {
    throw new Misread(`--stack is given ${stacks.length} times: ${stacks.join(', ')}. Nothing was done.`, ['npm run pulumi -- stack ls']);
  }
}

/** The arguments, with the default stack of the other commands if none is named and none is selected. */
async function withStack(tools: Toolchain, args: readonly string[]): Promise<readonly string[]> {
  const [command = '', below = '-'] = args;
  const takesOne = onStack.includes(command) && (command !== 'stack' || below.startsWith('-') || onStackBelow.includes(below));
  if (!takesOne || named(args) !== undefined || args.some((arg) => ['--help', '-h'].includes(arg))) {
    return args;
  }
  const { stderr } = await new Pulumi(tools, '').run(['stack', '--show-name']);
  const words = ['config', 'stack'].includes(command) && !below.startsWith('-') ? 2 : 1;
  return /no stack selected/.test(stderr) ? [...args.slice(0, words), `--stack=${defaultStack}`, ...args.slice(words)] : args;
}

/** Settings come before the first deployment: a stack of this project that is named and does not exist yet is created. */
async function stackFor(tools: Toolchain, args: readonly string[]): Promise<void> {
  const stack = named(args);
  if (stack === undefined || !isStackName(stack)) {
    return;
  }
  const cli = new Pulumi(tools, stack);
  // The CLI reports any other problem.
  const isNew = await cli.state().then((state) => state === undefined, () => false);
  if (isNew) {
    await makeStack(cli);
  }
}

/** The tools for a run of the program. The CLI reports problems with the stack or its settings. */
async function equipped(tools: Toolchain, args: readonly string[]): Promise<Toolchain> {
  const name = named(args) ?? (await new Pulumi(tools, '').run(['stack', '--show-name'])).stdout.trim();
  const stack = shortName(name);
  const cli = new Pulumi(tools, stack, projectDir, name);
  const settings = await cli.settings().catch(() => plainOf(settingsOf(stack)));
  return previewing(tools, stack, settings, await cli.state().catch(() => undefined));
}

/** The stack in the arguments: `--stack NAME`, `-s NAME`, `--stack=NAME`. */
function named(args: readonly string[]): string | undefined {
  const index = args.findIndex((arg) => arg === '--stack' || arg === '-s');
  return index >= 0 ? args[index + 1] : args.flatMap((arg) => /^(?:--stack|-s)=(.+)$/.exec(arg)?.[1] ?? [])[0];
}
