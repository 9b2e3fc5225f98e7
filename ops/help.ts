/**
 * `npm run help`: the commands, one line each.
 */
import { commands, help } from './commands';
import { main } from './support/command-line';

main(help.action(() => {
  const width = Math.max(...commands.map((command) => command.name().length));
  const rows = commands.map((command) => `  npm run ${command.name().padEnd(width)}  ${command.summary()}`);
  process.stdout.write(`${rows.join('\n')}\n\nOptions of a command: npm run up -- --help\n`);
}));
