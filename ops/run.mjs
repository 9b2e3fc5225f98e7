/**
 * Entry of every `npm run` command. Plain JavaScript on Node's own modules alone, because on a fresh
 * clone nothing else is there yet: it installs the dependencies and hands over to the command.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => join(root, 'node_modules', name);

/** Programs of each command that is no file of ops/, run in turn until one fails. */
const suites = {
  test: (args) => [
    [bin('typescript/bin/tsc'), '--noEmit'],
    [bin('eslint/bin/eslint.js'), '.'],
    [bin('jest/bin/jest.js'), ...args],
  ],
  e2e: (args) => [[bin('jest/bin/jest.js'), '--config', 'jest.e2e.config.js', ...args]],
};

function requireNode(major) {
  if (Number(process.versions.node.split('.')[0]) < major) {
    console.error(`Node ${process.versions.node} is too old: ${major} is the oldest that is supported.`);
    console.error('  nvm install 22   # or from https://nodejs.org');
    process.exit(1);
  }
}

/** Runs `npm ci` when node_modules is missing or was installed from another lock file. */
function installDependencies() {
  const wanted = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
  const stamp = join(root, 'node_modules', '.installed-from');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) {
    return;
  }
  console.error('Installing the dependencies (npm ci) …');
  // npm's output goes to stderr: stdout belongs to the command, which may print JSON.
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['inherit', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error('npm ci failed; nothing was changed. Its message is above.');
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

/** Runs Node on a program and returns its exit code. */
function node(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    child.on('exit', (code, signal) => resolve(signal ? 128 + 2 : code));
  });
}

requireNode(20);
installDependencies();

// Ctrl-C reaches the command by itself; it decides how to end, and this process waits for that.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

const [command, ...args] = process.argv.slice(2);
const programs = suites[command]?.(args) ?? [['--import', 'tsx', join('ops', `${command}.ts`), ...args]];
for (const program of programs) {
  process.exitCode = await node(program);
  if (process.exitCode !== 0) {
    break;
  }
}
