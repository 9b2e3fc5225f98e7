/**
 * `npm run help`: the commands, one line each.
 */
import { commands, help } from './commands';
import { main, withUsage } from './support/command-line';
import { Misread } from './support/say';

main(help.action((name) => {
  const command = commands.find((each) => each.name() === name);
  if (name !== undefined && !command) {
    throw new Misread(`There is no command '${name}'.`, ['npm run help']);
  }
  if (command) {
    withUsage(command).outputHelp();
    return;
  }

  const width = Math.max(...commands.map((command) => command.name().length));
  const rows = commands.map((command) => `  npm run ${command.name().padEnd(width)}  ${command.summary()}`);
  process.stdout.write(`${rows.join('\n')}\n\nOptions of a command: npm run up -- --help\n`);
}));
