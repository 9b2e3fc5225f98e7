/**
 * `npm run pulumi -- ARGUMENTS`: the Pulumi CLI that `npm run up` uses, with the same state, passphrase
 * and plugins. The same as plain `pulumi` where that is installed and logged in.
 */
import { spawn } from 'node:child_process';
import { main } from './support/say';
import { projectDir } from './support/backend';
import { findToolchain } from './support/toolchain';

main(async () => {
  const { pulumi, env } = await findToolchain();
  const child = spawn(pulumi, process.argv.slice(2), { cwd: projectDir, env: { ...process.env, ...env }, stdio: 'inherit' });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal ? 130 : code ?? 1));
  });
});
