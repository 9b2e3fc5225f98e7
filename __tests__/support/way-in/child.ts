/** The way in as a command walks it, in a process of its own. On stdout: what was found, and which files of lab/ were loaded. */
import { Command } from '@commander-js/extra-typings';
import { main } from '../../../ops/support/command-line';
import { findToolchain, type Needs } from '../../../ops/support/toolchain';

const found: { toolchain?: unknown } = {};
process.on('exit', () => {
  const lab = Object.keys(require.cache).filter((file) => /\/lab\/[^/]+\.ts$/.test(file));
  process.stdout.write(`${JSON.stringify({ ...found, lab: lab.length })}\n`);
});
main(new Command('walk').argument('<needs>').action(async (needs) => {
  found.toolchain = await findToolchain({}, JSON.parse(needs) as Needs);
}));
