/**
 * `npm run pulumi -- ARGUMENTS`: the Pulumi CLI that `npm run up` uses, with the same state, passphrase, plugins
 * and images. The same as plain `pulumi` where that is installed and logged in.
 */
import { spawn } from 'node:child_process';
import { main } from './support/say';
import { projectDir } from './support/backend';
import { plainOf, settingsOf } from './support/preview/workspace';
import { Pulumi } from './support/pulumi';
import { previewing } from './support/run-tools';
import { findToolchain, type Toolchain } from './support/toolchain';

/** Commands that run the program, which has to be told the images of the run. */
const running = ['up', 'update', 'preview', 'pre', 'watch'];

main(async () => {
  const args = process.argv.slice(2);
  const found = await findToolchain(undefined, { plugins: 'automatic' });
  const { pulumi, env } = running.includes(args[0] ?? '') ? await equipped(found, args) : found;
  const child = spawn(pulumi, args, { cwd: projectDir, env: { ...process.env, ...env }, stdio: 'inherit' });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal ? 130 : code ?? 1));
  });
});

/** The tools for a run of the program. What is wrong with stack or settings is for the CLI to say. */
async function equipped(tools: Toolchain, args: readonly string[]): Promise<Toolchain> {
  const stack = named(args) ?? (await new Pulumi(tools, '').run(['stack', '--show-name'])).stdout.trim();
  const pulumi = new Pulumi(tools, stack);
  const settings = await pulumi.settings().catch(() => plainOf(settingsOf(stack)));
  return previewing(tools, stack, settings, await pulumi.state().catch(() => undefined));
}

/** The stack that the arguments name: `--stack NAME`, `-s NAME`, `--stack=NAME`. */
function named(args: readonly string[]): string | undefined {
  const index = args.findIndex((arg) => arg === '--stack' || arg === '-s');
  return index >= 0 ? args[index + 1] : args.flatMap((arg) => /^(?:--stack|-s)=(.+)$/.exec(arg)?.[1] ?? [])[0];
}
