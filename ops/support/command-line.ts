/**
 * Command line parsing, and how a command ends.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CommanderError, type CommandUnknownOpts as Command, type Option } from '@commander-js/extra-typings';
import { distance } from 'fastest-levenshtein';
import { isStackName } from '../../components/names';
import { shellQuoted } from '../../settings/setting';
import { keys } from '../../settings/keys';
import { withoutPassword } from '../../engine';
import { bugReport } from './bug';
import { projectDir } from './backend';
import { stacksWithFile } from './project';
import { Failure, Misread, say, Stopped } from './say';

/**
 * Runs a command with the arguments as typed. Every error ends it with a message, and none with a bare stack trace.
 * @param handedOn options of the program that it passes on
 */
export function main(command: Command, handedOn: readonly Option[] = []): void {
  const end = (error: unknown): void => {
    process.exitCode = error instanceof Failure ? error.exitCode : 1;
    say(`\n${error instanceof Failure ? error.message : bugReport(error)}`);
  };
  // The reader has closed the pipe (`| head`) or the terminal. The command continues: that must not interrupt a deployment.
  [process.stdout, process.stderr].forEach((stream) => stream.on('error', (error: NodeJS.ErrnoException) => void (['EPIPE', 'EIO'].includes(error.code ?? '') || end(error))));
  process.on('uncaughtException', (error) => {
    end(error);
    process.exit();
  });
  parse(command, process.argv.slice(2), handedOn).catch((error) => {
    end(error);
    if (error instanceof Stopped) {
      // Unfinished work is not waited for.
      process.exit();
    }
  });
}

/** The command whose help is shown under the name that a person types. */
export function withUsage(command: Command): Command {
  return command.configureHelp({
    commandUsage: () => `npm run ${command.name()} -- ${command.usage()}`,
    optionDescription: ({ description, defaultValue }) => `${description}${defaultValue === undefined || defaultValue === false ? '' : ` (default: ${String(defaultValue)})`}`,
  });
}

/** @throws Misread with what is wrong and the correct command; errors of the command */
export async function parse(command: Command, args: readonly string[], handedOn: readonly Option[] = []): Promise<void> {
  // npm removes this one, pnpm does not.
  const typed = args[0] === '--' ? args.slice(1) : [...args];
  const named = `npm run ${command.name()}`;
  if (handedOn.length === 0) {
    refuseTwice(command, typed);
  }
  refuseSwallowed(named, handedOn.length > 0 ? handedOn : command.options, typed, process.env, handedOn.length > 0);
  withUsage(command).configureOutput({ writeErr: () => undefined }).exitOverride();
  try {
    await command.parseAsync(typed, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    if (error.exitCode !== 0) {
      const help = `${named} -- --help`;
      throw error.code === 'commander.excessArguments'
        ? new Misread(`'${shownWord(command.args[0] ?? '')}' is not an option of ${named}.`, [meant(command, typed) ?? help])
        : new Misread(withoutValues(sentence(error.message)) + begun(command, error.message), [help]);
    }
  }
}

/**
 * @throws Misread for an option given twice of which the library would use the last, and whose default shows that there is one
 * value
 */
function refuseTwice(command: Command, args: readonly string[]): void {
  for (const { long = '', required, defaultValue } of command.options) {
    const times = args.filter((arg) => arg === long || arg.startsWith(`${long}=`)).length;
    if (required && defaultValue !== undefined && times > 1) {
      throw new Misread(`${long} is given ${times} times: npm run ${command.name()} takes one.`, [`npm run ${command.name()} -- --help`]);
    }
  }
}

/** The library's message, as a sentence: `error: unknown option '--stak'\n(Did you mean --stack?)`. */
function sentence(message: string): string {
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n').map((line) => line.replace(/^\((.*)\)$/, '$1')).filter(Boolean);
  return [`${first.charAt(0).toUpperCase()}${first.slice(1)}`.replace(/[^.?]$/, '$&.'), ...rest].join(' ');
}

/** The library's message about an argument, which may contain quotes. */
function withoutValues(text: string): string {
  return text
    .replace(/^(Unknown option )'(.*)'(?=\.( Did you mean|$))/s, (_, before: string, word: string) => `${before}'${shownWord(word)}'`)
    .replace(/(--([\w-]+) <[^>]*>' argument )'(.*)'(?= is invalid\.)/s, (_, before: string, option: string, word: string) => `${before}'${shown(option, word)}'`);
}

/**
 * The option that was typed shortened, with a value that it does not take (`--json=yes`) or misspelled (`--stak=prod`): the
 * library recognizes none of these.
 */
function begun(command: Command, message: string): string {
  const [, name, value] = /unknown option '(--[\w-]+)(=.*)?'$/.exec(message) ?? [];
  const beginning = name === undefined ? [] : command.options.filter(({ long }) => long?.startsWith(name));
  const near = name === undefined || value === undefined ? [] : command.options.filter(({ long = '' }) => distance(long, name) <= 2);
  const [option, ...more] = beginning.length > 0 ? beginning : near;
  return option && more.length === 0 ? ` Did you mean ${option.long}?` : '';
}

/** The command that was meant if the name of an option is missing. */
function meant(command: Command, typed: readonly string[]): string | undefined {
  const [word, ...more] = typed.filter((arg) => !arg.startsWith('-'));
  if (word === undefined || more.length > 0) {
    return undefined;
  }
  const takes = (option: string): boolean => command.options.some(({ long }) => long === option);
  const others = shownArguments(typed.filter((arg) => arg !== word), command.options);
  const option = takes('--config') && /^[\w-]+:[\w-]+=/.test(word) ? ['-c', shown('config', word)] : takes('--stack') && stacksWithFile().includes(word) ? ['--stack', word] : undefined;
  return option && ['npm run', command.name(), '--', ...option.map(shellQuoted), ...others.map(quoted)].join(' ');
}

/**
 * `npm run up --stack=prod`: without ` -- ` npm consumes the option, and passes it in an environment variable.
 * @throws Misread with the correct command
 */
function refuseSwallowed(named: string, options: readonly Pick<Option, 'long' | 'short' | 'required'>[], args: readonly string[], env: NodeJS.ProcessEnv, handsOn: boolean): void {
  const kept = options.flatMap(({ long = '', required }) => {
    const name = long.slice(2);
    // npm interprets the `no` of --no-journal itself, and the option is off.
    const [, negated] = /^no-(.*)$/.exec(name) ?? [];
    const spelled = name === 'config' && env['npm_config_call'] ? 'call' : keptName(negated ?? name, options, env);
    const value = env[variableOf(spelled)];
    const isOff = value === 'false' || (!required && value === '');
    const flag = spelled === 'call' ? '-c' : long;
    const isTyped = args.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
    // If npm consumes a yes, there is a question, or a refusal with the correct command.
    if (name === 'yes' || isTyped || value === undefined || isOff !== (negated !== undefined) || isSettingOfNpm(spelled, env)) {
      return [];
    }
    const typed = spelled === 'call' ? '-c' : negated === undefined ? `--${spelled}` : `--no-${spelled}`;
    return [{ name, flag, typed, required, values: required && value !== 'true' && value !== '' ? value.split('\n\n') : [] }];
  });
  if (kept.length === 0) {
    return;
  }
  // `--stack prod`: npm consumes only the name, and the command gets the value. With two such options it is unknown whose value
  // it is.
  const bare = kept.filter(({ required, values }) => required && values.length === 0);
  const [first = '', ...rest] = args;
  const [alone] = !handsOn && bare.length === 1 ? bare : [];
  const fits = alone !== undefined && first !== '' && !first.startsWith('-') && (alone.name !== 'stack' || isStackName(first));
  const texts = kept.flatMap(({ name, flag, required, values }) => {
    const given = alone?.flag === flag && fits ? [first] : values;
    return !required ? [flag] : given.length > 0 ? given.map((value) => `${flag} ${quoted(shown(name, value))}`) : [`${flag} …`];
  });
  const left = handsOn ? (args.length > 0 ? ['…'] : []) : shownArguments(fits ? rest : args, options);
  // A word that is not shown belongs to an option that is written without its value.
  const others = texts.some((text) => text.endsWith(' …')) && !handsOn ? left.filter((text) => text !== '…') : left;
  throw new Misread(`npm consumed ${[...new Set(kept.map(({ typed }) => typed))].join(', ')}: arguments for the command come after --.`, [
    [named, '--', ...(handsOn ? [...others, ...texts] : [...texts, ...others.map(quoted)])].join(' '),
  ]);
}

const variableOf = (name: string): string => `npm_config_${name.replace(/-/g, '_')}`;

/** npm's own options that are similar to ours and mean something else. */
const npmsOwn = ['all', 'also', 'force', 'include', 'save'];

/** The name under which npm has consumed an option: its own, or one that is similar to only that one (`--stak`, `--preview`). */
function keptName(name: string, options: readonly Pick<Option, 'long'>[], env: NodeJS.ProcessEnv): string {
  const isNear = (typed: string): boolean => (typed.length > 3 && name.startsWith(typed)) || (name.length > 4 && distance(typed, name) <= 2);
  const others = Object.keys(env).flatMap((variable) => /^npm_config_([a-z_]+)$/.exec(variable)?.[1]?.replace(/_/g, '-') ?? []);
  return variableOf(name) in env ? name : others.find((typed) => isNear(typed) && !npmsOwn.includes(typed) && !options.some(({ long }) => long === `--${typed}`)) ?? name;
}

/** Whether one of npm's own options is configured (`json=true`) for all of its commands. */
function isSettingOfNpm(name: string, env: NodeJS.ProcessEnv): boolean {
  const files = [env['npm_config_userconfig'], env['npm_config_globalconfig'], path.join(projectDir, '.npmrc')];
  const line = new RegExp(`^\\s*${name}\\s*=`, 'm');
  return files.some((file) => file !== undefined && fs.existsSync(file) && line.test(fs.readFileSync(file, 'utf8')));
}

/** Settings as typed, without secrets. */
export function configFlags(config: Readonly<Record<string, string>>): string[] {
  return Object.entries(config).flatMap(([key, value]) => ['-c', shellQuoted(shown('config', `${key}=${value}`))]);
}

/** Options whose values are names, numbers and paths. */
const open = ['stack', 'rotate', 'timeout', 'phoenix', 'alloy', 'file', 'only', 'rate', 'batch', 'span-bytes', 'load'];

/** The value of an option as a message may show it. */
function shown(option: string, value: string): string {
  return open.includes(option) ? value : shownPair(value);
}

/** A word in place of `KEY=VALUE`: without the `=` it is unknown which of the two it is. */
const shownPair = (word: string): string => (/[=:\s]/.test(word) ? shownWord(word) : '…');

/** What was typed besides the option that a message is about: possible secrets only as `…`. */
function shownArguments(args: readonly string[], options: readonly Pick<Option, 'long' | 'short' | 'required'>[]): string[] {
  const taking = (arg = ''): string | undefined => options.find(({ long, short, required }) => required && (arg === long || arg === short))?.long?.slice(2);
  return args.map((arg, index) => {
    const option = taking(args[index - 1]);
    const [, name = '', sign = '', value = ''] = /^(--[\w-]+|-\w)(=?)(.*)$/s.exec(arg) ?? [];
    if (option !== undefined) {
      return shown(option, arg);
    }
    if (options.some(({ long, short }) => arg === long || arg === short)) {
      return arg;
    }
    const taker = taking(name);
    return taker === undefined ? (stacksWithFile().includes(arg) ? arg : shownPair(arg)) : `${name}${sign}${shown(taker, value)}`;
  });
}

/** Quotes for the shell; placeholders need none. */
const quoted = (word: string): string => (word === '…' ? word : shellQuoted(word));

/** A word as a message may show it: of a possible secret only the name before it, in `KEY=VALUE` and similar forms. */
function shownWord(word: string): string {
  // A secret in base64 may end like this.
  if (/^[^-:\s][^:\s]*=+$/.test(word)) {
    return '…';
  }
  const [, key, value = ''] = /^([\w-]+:[\w-]+)=(.*)$/s.exec(word) ?? [];
  const entry = key !== undefined && key in keys ? keys[key as keyof typeof keys] : undefined;
  if (entry && !entry.secret) {
    return `${key}=${withoutPassword(value)}`;
  }
  if (/^[\w+.-]+:\/\//.test(word)) {
    return withoutPassword(word);
  }
  const known = Object.keys(keys).map((name) => name.split(':')[0]);
  const [, namespace = '', rest = ''] = /^([^=:\s]*)(.*)$/s.exec(word) ?? [];
  // In a namespace of the settings the name is part of the key; elsewhere it may be the value.
  const [, name = ''] = known.includes(namespace) || key !== undefined ? /^(:[^=:\s]+)/.exec(rest) ?? [] : [];
  const sign = rest.charAt(name.length);
  return sign === '' || rest.length === name.length + 1 ? word : `${namespace}${name}${sign.trim() || '='}…`;
}
