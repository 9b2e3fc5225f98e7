/**
 * Entry point of every `npm run` command. Plain JavaScript with only Node's own modules, because in a new
 * clone nothing else exists yet: it installs the dependencies and runs the command.
 */
import { readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies } from './support/dependencies.mjs';
import { run } from './support/process.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => join(root, 'node_modules', name);

/** Programs of each command that is not a file in ops/, run one after the other until one fails. */
const suites = {
  test: (args) => [
    [bin('typescript/bin/tsc'), '--noEmit'],
    [bin('eslint/bin/eslint.js'), '.'],
    [bin('jest/bin/jest.js'), ...args],
  ],
  e2e: (args) => [[bin('jest/bin/jest.js'), '--config', 'jest.e2e.config.js', ...args]],
  lint: (args) => [[bin('eslint/bin/eslint.js'), '.', ...args]],
  typecheck: (args) => [[bin('typescript/bin/tsc'), '--noEmit', ...args]],
};

function fail(message, ...commands) {
  console.error([message, ...commands.map((command) => `    ${command}`)].join('\n'));
  process.exit(2);
}

function requireNode(major) {
  if (Number(process.versions.node.split('.')[0]) < major) {
    fail(`Node ${process.versions.node} is too old: ${major} is the oldest that is supported.`, 'nvm install 22   # or from https://nodejs.org');
  }
}

function requireCommand(command) {
  const commands = [...Object.keys(suites), ...readdirSync(join(root, 'ops')).filter((file) => file.endsWith('.ts') && file !== 'commands.ts').map((file) => file.slice(0, -3))].sort();
  if (!commands.includes(command)) {
    fail(`There is no command '${command}'. There are ${commands.join(', ')}.`, 'npm run help');
  }
}

if (process.platform === 'win32') {
  fail('Windows by itself is not supported: Linux, macOS, and Windows through WSL 2 are.', 'wsl --install');
}
const [typed = 'help', ...args] = process.argv.slice(2);
const command = ['--help', '-h'].includes(typed) ? 'help' : typed;
requireNode(20);
requireCommand(command);
process.exitCode = await installDependencies(root);

// The folder from which npm was called, or this file without npm: typed paths are relative to it.
process.env.INIT_CWD ??= process.cwd();
// Pulumi starts this project's provider, which looks for Node on PATH: this Node, if there is none.
process.env.PATH = [process.env.PATH, dirname(process.execPath)].filter(Boolean).join(delimiter);
const programs = suites[command]?.(args) ?? [['--import', 'tsx', join('ops', `${command}.ts`), ...args]];
for (const program of process.exitCode === 0 ? programs : []) {
  process.exitCode = await run(process.execPath, program, { cwd: root, stdio: 'inherit' });
  if (process.exitCode !== 0) {
    break;
  }
}
