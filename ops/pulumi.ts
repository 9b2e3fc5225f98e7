/**
 * `npm run pulumi -- ARGUMENTS`: the Pulumi CLI that `npm run up` uses, with the same state, passphrase, plugins
 * and images. The same as plain `pulumi` where that is installed and logged in.
 */
import { shortName } from '../components/catalog';
import { isStackName } from '../components/catalog';
import { pulumi, pulumiOptions } from './commands';
import { projectDir } from './support/backend';
import { main } from './support/command-line';
import { makeStack } from './support/deploy';
import { plainOf, settingsOf } from './support/preview/workspace';
import { Pulumi } from './support/pulumi';
import { previewing } from './support/run-tools';
import { Misread } from './support/say';
import { findToolchain, type Toolchain } from './support/toolchain';

/** Commands that run the program, which has to be told the images of the run. */
const running = ['up', 'update', 'preview', 'pre', 'watch'];

main(pulumi.action(async (args) => {
  refuseUnclear(args);
  const found = await findToolchain(undefined, { plugins: 'automatic' });
  const tools = running.includes(args[0] ?? '') ? await equipped(found, args) : found;
  if (args[0] === 'config' && args.length > 1) {
    await stackFor(found, args);
  }
  process.exitCode = await new Pulumi(tools, '').handOver(args);
}), pulumiOptions);

/** @throws Misread where the CLI would take the stack that is selected (`--stack=$UNSET`), or the last of several, without a word */
function refuseUnclear(args: readonly string[]): void {
  const stacks = args.flatMap((arg, index) => (arg === '--stack' || arg === '-s' ? [args[index + 1] ?? ''] : /^(?:--stack|-s)=(.*)$/s.exec(arg)?.slice(1) ?? []));
  if (stacks.some((name) => name.trim() === '')) {
    throw new Misread('--stack names no stack. Nothing was done.', ['npm run pulumi -- stack ls']);
  }
  if (stacks.length > 1) {
    throw new Misread(`--stack is given ${stacks.length} times: ${stacks.join(', ')}. Nothing was done.`, ['npm run pulumi -- stack ls']);
  }
}

/** Settings come before the first deployment: a stack of this project that is named and is not there yet is made. */
async function stackFor(tools: Toolchain, args: readonly string[]): Promise<void> {
  const stack = named(args);
  if (stack === undefined || !isStackName(stack)) {
    return;
  }
  const cli = new Pulumi(tools, stack);
  // What else is wrong is for the CLI to say.
  const isNew = await cli.state().then((state) => state === undefined, () => false);
  if (isNew) {
    await makeStack(cli);
  }
}

/** The tools for a run of the program. What is wrong with stack or settings is for the CLI to say. */
async function equipped(tools: Toolchain, args: readonly string[]): Promise<Toolchain> {
  const name = named(args) ?? (await new Pulumi(tools, '').run(['stack', '--show-name'])).stdout.trim();
  const stack = shortName(name);
  const cli = new Pulumi(tools, stack, projectDir, name);
  const settings = await cli.settings().catch(() => plainOf(settingsOf(stack)));
  return previewing(tools, stack, settings, await cli.state().catch(() => undefined));
}

/** The stack that the arguments name: `--stack NAME`, `-s NAME`, `--stack=NAME`. */
function named(args: readonly string[]): string | undefined {
  const index = args.findIndex((arg) => arg === '--stack' || arg === '-s');
  return index >= 0 ? args[index + 1] : args.flatMap((arg) => /^(?:--stack|-s)=(.+)$/.exec(arg)?.[1] ?? [])[0];
}
