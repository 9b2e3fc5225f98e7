/**
 * `npm run help`: the commands, one line each.
 */
import { closest as nearestOf, distance } from 'fastest-levenshtein';
import { commands, help } from './commands';
import { main, withUsage } from './support/command-line';
import { Misread } from './support/say';

/** The most similar name; undefined if none is similar enough. */
function closest(name: string, names: readonly string[]): string | undefined {
  const nearest = nearestOf(name, names);
  return distance(name, nearest) <= 2 ? nearest : undefined;
}

main(help.action((name) => {
  const command = commands.find((each) => each.name() === name);
  if (name !== undefined && !command) {
    const nearest = closest(name, commands.map((each) => each.name()));
    throw new Misread(`There is no command '${name}'.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`, [nearest === undefined ? 'npm run help' : `npm run help -- ${nearest}`]);
  }
  if (command) {
    withUsage(command).outputHelp();
    return;
  }

  const width = Math.max(...commands.map((command) => command.name().length));
  const rows = commands.map((command) => `  npm run ${command.name().padEnd(width)}  ${command.summary()}`);
  process.stdout.write(`${rows.join('\n')}\n\nOptions of a command: npm run up -- --help\n`);
}));
