/**
 * What a person types, and how a command ends.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CommanderError, type CommandUnknownOpts as Command, type Option } from '@commander-js/extra-typings';
import { shellQuoted } from '../../components/key';
import { keys } from '../../components/settings';
import { bugReport } from './bug';
import { projectDir } from './backend';
import { stacksWithFile } from './project';
import { Failure, say } from './say';

/** What was typed cannot be read. Nothing was done. */
class Misread extends Failure {
  override readonly exitCode = 2;
}

/**
 * Runs a command with what a person has typed. Every error ends it with words, and none with a bare stack trace.
 * @param handedOn options of the program that it hands on to
 */
export function main(command: Command, handedOn: readonly Option[] = []): void {
  const end = (error: unknown): void => {
    process.exitCode = error instanceof Failure ? error.exitCode : 1;
    say(`\n${error instanceof Failure ? error.message : bugReport(error)}`);
  };
  // Whoever has closed the pipe (`| head`) has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? process.exit() : end(error)));
  process.on('uncaughtException', (error) => {
    end(error);
    process.exit();
  });
  parse(command, process.argv.slice(2), handedOn).catch(end);
}

/** @throws Misread with what is wrong and the right command; what the command throws */
export async function parse(command: Command, args: readonly string[], handedOn: readonly Option[] = []): Promise<void> {
  // npm takes this one away, pnpm does not.
  const typed = args[0] === '--' ? args.slice(1) : [...args];
  const named = `npm run ${command.name()}`;
  refuseSwallowed(named, handedOn.length > 0 ? handedOn : command.options, typed, process.env);
  command.configureOutput({ writeErr: () => undefined }).exitOverride().configureHelp({
    commandUsage: () => `${named} -- ${command.usage()}`,
    optionDescription: ({ description, defaultValue }) => `${description}${defaultValue === undefined || defaultValue === false ? '' : ` (default: ${String(defaultValue)})`}`,
  });
  try {
    await command.parseAsync(typed, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    if (error.exitCode !== 0) {
      const help = `${named} -- --help`;
      throw error.code === 'commander.excessArguments'
        ? new Misread(`'${command.args[0]}' is no option of ${named}.`, [meant(command, typed) ?? help])
        : new Misread(sentence(error.message) + begun(command, error.message), [help]);
    }
  }
}

/** The library's words, as a sentence: `error: unknown option '--stak'\n(Did you mean --stack?)`. */
function sentence(message: string): string {
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n').map((line) => line.replace(/^\((.*)\)$/, '$1')).filter(Boolean);
  return [`${first.charAt(0).toUpperCase()}${first.slice(1)}`.replace(/[^.?]$/, '$&.'), ...rest].join(' ');
}

/** The option of which somebody has typed the beginning, or more than it takes (`--json=yes`): the library knows neither. */
function begun(command: Command, message: string): string {
  const [, name] = /unknown option '(--[\w-]+)(?:=.*)?'$/.exec(message) ?? [];
  const [option, ...more] = name === undefined ? [] : command.options.filter(({ long }) => long?.startsWith(name));
  return option && more.length === 0 ? ` Did you mean ${option.long}?` : '';
}

/** The command that somebody means who has left out an option's name. */
function meant(command: Command, typed: readonly string[]): string | undefined {
  const [word, ...more] = typed.filter((arg) => !arg.startsWith('-'));
  if (word === undefined || more.length > 0) {
    return undefined;
  }
  const takes = (option: string): boolean => command.options.some(({ long }) => long === option);
  const others = typed.filter((arg) => arg !== word);
  const option = takes('--config') && /^[\w-]+:[\w-]+=/.test(word) ? ['-c', shown('config', word)] : takes('--stack') && stacksWithFile().includes(word) ? ['--stack', word] : undefined;
  return option && ['npm run', command.name(), '--', ...option.map(shellQuoted), ...others.map(shellQuoted)].join(' ');
}

/**
 * `npm run up --stack=prod`: without ` -- ` npm keeps the option, and tells it to what it runs in a variable.
 * @throws Misread with the right command
 */
function refuseSwallowed(named: string, options: readonly Pick<Option, 'long' | 'required'>[], args: readonly string[], env: NodeJS.ProcessEnv): void {
  const kept = options.flatMap(({ long = '', required }) => {
    const name = long.slice(2);
    const variable = name === 'config' && env['npm_config_call'] ? 'call' : name.replace(/-/g, '_');
    const value = env[`npm_config_${variable}`];
    // A yes that npm keeps is a question, or a refusal with the right command.
    if (name === 'yes' || !value || (value === 'false' && !required) || isSettingOfNpm(variable, env)) {
      return [];
    }
    const flag = variable === 'call' ? '-c' : long;
    // `--stack prod`: npm takes the name alone, and the command is left with the value.
    const given = required ? (value === 'true' ? args[0] : value) : undefined;
    return [{ flag, text: required ? `${flag} ${given === undefined ? '…' : shellQuoted(shown(name, given))}` : flag }];
  });
  if (kept.length > 0) {
    throw new Misread(`npm has kept ${kept.map(({ flag }) => flag).join(', ')} for itself: what is meant for the command comes after --.`, [
      `${named} -- ${kept.map(({ text }) => text).join(' ')}`,
    ]);
  }
}

/** Whether somebody has set an option of npm's own (`json=true`) for all of its commands. */
function isSettingOfNpm(variable: string, env: NodeJS.ProcessEnv): boolean {
  const files = [env['npm_config_userconfig'], env['npm_config_globalconfig'], path.join(projectDir, '.npmrc')];
  const line = new RegExp(`^\\s*${variable.replace(/_/g, '-')}\\s*=`, 'm');
  return files.some((file) => file !== undefined && fs.existsSync(file) && line.test(fs.readFileSync(file, 'utf8')));
}

/** Settings as somebody types them, secrets left out. */
export function configFlags(config: Readonly<Record<string, string>>): string[] {
  return Object.entries(config).flatMap(([key, value]) => ['-c', shellQuoted(shown('config', `${key}=${value}`))]);
}

/** The value of an option as it may stand in a message. */
function shown(option: string, value: string): string {
  const [, name] = /^([\w-]+:[\w-]+)=/.exec(value) ?? [];
  const known = option !== 'config' || (name !== undefined && name in keys && keys[name as keyof typeof keys].secret !== true);
  return known ? value : `${name ?? 'KEY'}=…`;
}
