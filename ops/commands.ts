/**
 * The commands of this project: what each does, and its arguments and options. The help, the checks of the command line and
 * the README's list are derived from here.
 */
import { Command, InvalidArgumentError, Option, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { defaultStack, stackNamed } from './support/project';

const command = (name: string, summary: string): Command => new Command(name).summary(summary).description(`${summary}.`);

const stack = new Option('--stack <name>', 'the stack').argParser(stackNamed).default(defaultStack);
const stacks = new Option('--stack <name>', `a stack; can be repeated (default: "${defaultStack}")`).argParser((name, before: readonly string[] = []) => [...before, stackNamed(name)]);
const config = (use: string): Option<'-c, --config <key=value>', undefined, undefined, Record<string, string>> =>
  new Option('-c, --config <key=value>', `a setting, ${use}; can be repeated`).argParser((pair, before: Record<string, string> = {}) => ({ ...before, ...setting(pair) }));
const yes = new Option('-y, --yes', 'do not ask for confirmation: required without a terminal').default(false);
const json = (what: string): Option<'--json', undefined, false> => new Option('--json', `print ${what} as JSON on standard output`).default(false);
const container = (service: string): string => `the container of the existing ${service}, if there are several`;

export const up = command('up', 'Deploy a stack, then send a trace through it and read it back')
  .addOption(stack)
  .addOption(config("kept in the stack's settings"))
  .addOption(new Option('--rotate <name>', 'replace an API key, a token or a secret; can be repeated').argParser((name, before: readonly string[] = []) => [...before, name]))
  .option('--preview-only', 'show what would change, and change nothing', false)
  .addOption(yes)
  .addOption(json('the endpoints, the trace and the number of changes'));

export const preview = command('preview', 'Show what the next deployment would change, and what that means')
  .addOption(stacks)
  .addOption(new Option('--all', 'every stack that has a file with settings').default(false).conflicts('stack'))
  .addOption(config('assumed for this preview'))
  .addOption(new Option('--markdown', 'print the page as Markdown').default(false).conflicts('json'))
  .addOption(json('the page'))
  .option('--offline', 'read neither the state nor the Docker Engine: everything shows as new', false);

export const verify = command('verify', 'Send a trace through a running stack, read it back and remove it; send to its stores of metrics and logs')
  .addOption(stack)
  .addOption(new Option('--timeout <seconds>', 'how long to wait for it').argParser(wholeSeconds).default(30))
  .addOption(json('the trace, the time of each hop and what the stores accepted'));

export const example = command('example', 'Add an AI service to a stack, talk to it, and show where to look; deploys the stack if it has none')
  .addOption(stack)
  .addOption(new Option('--load <conversations>', 'keep talking to it until Ctrl-C, with this many conversations per second').argParser(wholeNumber).conflicts('json'))
  .addOption(yes)
  .addOption(json('what was said, with calls, tokens and traces'));

export const down = command('down', 'Remove a stack; its data and the secrets that belong to it stay')
  .addOption(stack)
  .option('--purge', 'delete the data and the secrets too', false)
  .addOption(new Option('--forget', 'remove a stack whose Docker Engine no longer exists').default(false).conflicts('purge'))
  .addOption(yes);

export const doctor = command('doctor', 'List what is installed, what is missing, and the command that installs it').addOption(stack);

export const adopt = command('adopt', 'Take over from your own Phoenix and Alloy in Docker, with their data')
  .addOption(stack)
  .option('--phoenix <name>', container('Phoenix'))
  .option('--alloy <name>', `${container('Alloy')}; the container of Phoenix if applications send to Phoenix directly`)
  .addOption(yes)
  .addOption(json('what was taken over'));

const passphraseFile = new Option('--passphrase-file <path>', 'a file whose first line is the passphrase (default: BACKUP_PASSPHRASE, or it is asked for)');

export const backup = command('backup', 'Write the traces of a stack to one encrypted file, and prove that it can be restored')
  .addOption(stack)
  .addOption(new Option('--to <folder>', 'where the file is written').default('.'))
  .addOption(passphraseFile)
  .option('--no-proof', 'do not restore it beside the stack')
  .addOption(json('the file and what is in it'));

export const restore = command('restore', 'Replace the traces of a stack with those of a backup')
  .argument('[file]', 'the backup')
  .addOption(stack)
  .addOption(passphraseFile)
  .addOption(new Option('--take-secret', "store the backup's PHOENIX_SECRET in the settings of the stack, and nothing else").default(false))
  .addOption(yes);

export const graph = command('graph', 'Draw what a stack runs and which way data flows, as a Mermaid flowchart').addOption(stack);

export const invite = command('invite', 'Write the file with which a stack at the edge sends to this one, without access to the state of this one')
  .addOption(stack)
  .option('--token <name>', 'the service token that it shows', 'edge')
  .option('--file <path>', 'the file to write (default: "TOKEN.access.json")');

export const comment = command('comment', 'Post the page of a preview on its pull request, as one comment').option('--file <path>', 'the page', 'preview.md');

export const pin = command('pin', 'Write the digests of the pinned images into components/catalog.ts');

export const bench = command('bench', 'Measure npm run up against docker-compose, and a preview against an empty program');

export const faults = command('faults', 'Break a separate stack under load, and count what was accepted and not stored')
  .addOption(new Option('--only <names>', 'only these faults, separated by commas').argParser((names) => names.split(',').map((name) => name.trim()).filter(Boolean)))
  .option('--list', 'list the faults, and do nothing', false)
  .addOption(new Option('--rate <spans>', 'spans a second').argParser(wholeNumber).default(100))
  .addOption(new Option('--batch <spans>', 'spans in a request').argParser(wholeNumber).default(10))
  .addOption(new Option('--span-bytes <bytes>', 'bytes of each span').argParser(wholeNumber).default(1024))
  .option('--no-journal', 'leave phoenix:journal off')
  .option('--engine', 'also restart and kill the Docker Engine of this machine, and with it all of its containers; requires root', false)
  .option('--seed', 'do the same to Phoenix and Alloy in docker-compose', false);

export const help = command('help', 'List the commands, or show the options of one').argument('[command]', 'a command');

/** All arguments are for the program, including --help. */
const handedOn = (name: string, summary: string, whose: string) =>
  command(name, summary).argument('[arguments...]', `arguments of ${whose}`).helpOption(false).allowUnknownOption().passThroughOptions();

export const pulumi = handedOn('pulumi', 'Run the Pulumi CLI with the state, plugins and images of npm run up', 'Pulumi');
/**
 * Options of Pulumi, which npm consumes if ` -- ` is omitted: without --secret a secret would be stored in plain text, and
 * without --preview-only something would be destroyed.
 */
export const pulumiOptions = [
  ...[
    'stack', 'config', 'config-file', 'target', 'target-replace', 'exclude', 'replace', 'file', 'message', 'parallel', 'policy-pack', 'policy-pack-config', 'override-env', 'attach-debugger',
    'secrets-provider', 'copy-config-from', 'import-file', 'import-pending-creates', 'save-plan', 'suppress-permalink', 'resource', 'type', 'parent', 'provider', 'project', 'organization', 'output', 'since', 'cwd',
  ].map((name) => `--${name} <value>`),
  ...[
    'secret', 'plaintext', 'show-secrets', 'path', 'config-path', 'refresh', 'run-program', 'preview-only', 'diff', 'skip-preview', 'skip-config-validation', 'expect-no-changes', 'continue-on-error',
    'exclude-protected', 'exclude-dependents', 'target-dependents', 'ignore-protect', 'remove', 'remove-backups', 'preserve-config', 'non-interactive', 'yes', 'json', 'force', 'all', 'protect', 'generate-code',
    'show-config', 'show-sames', 'show-reads', 'show-urns', 'show-ids', 'show-name', 'show-replacement-steps', 'show-full-output', 'suppress-outputs', 'suppress-progress', 'clear-pending-creates', 'skip-pending-creates',
    'disable-integrity-checking', 'create', 'no-select', 'debug', 'raw', 'urns', 'open', 'follow', 'strict',
  ].map((name) => `--${name}`),
].map((flags) => new Option(flags));
const test = handedOn('test', 'Check types and style, and run the unit tests', 'Jest');
const e2e = handedOn('e2e', 'Run the end-to-end tests, on a Docker Engine', 'Jest');

/** In the order in which people need them. */
export const commands: readonly CommandUnknownOpts[] = [up, preview, verify, example, down, backup, restore, doctor, adopt, graph, invite, comment, pulumi, test, e2e, pin, bench, faults, help];

function setting(pair: string): Record<string, string> {
  const [, key, value] = /^([\w-]+:[\w-]+)=(.*)$/s.exec(pair) ?? [];
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError('Write KEY=VALUE, such as -c phoenix:uiPort=16006.');
  }
  return { [key]: value };
}

function wholeSeconds(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new InvalidArgumentError('Write whole seconds.');
  }
  return Number(text);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) {
    throw new InvalidArgumentError('Write a whole number above 0.');
  }
  return Number(text);
}
