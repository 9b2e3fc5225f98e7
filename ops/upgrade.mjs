/**
 * `node ops/upgrade.mjs`: updates a checkout to the newest version of its branch. Settings in the stack files are kept, committed
 * or not. Plain JavaScript with only Node's own modules: any installed packages are those of the previous version.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies } from './support/dependencies.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const driver = join(root, 'ops', 'support', 'merge-settings.mjs');
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
/** For the driver in .gitattributes. Only this command names the program, so that it is in nobody's configuration. */
const merging = `merge.stack-settings.driver=${quoted(process.execPath)} ${quoted(driver)} %O %A %B`;

const git = (args, stdio) => spawnSync('git', args, { cwd: root, encoding: 'utf8', stdio });

const usage = `node ops/upgrade.mjs [--dry-run] [REMOTE [BRANCH]]

Brings this checkout to the newest version of its branch, or of the one that is named. Your settings stay: docs/upgrade.md.

    --dry-run   show what is new, and change nothing
    --help      show this`;

function fail(message, ...commands) {
  console.error([message, ...commands.map((command) => `    ${command}`)].join('\n'));
  process.exit(1);
}

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  console.log(usage);
  process.exit(0);
}
const unknown = args.filter((arg) => arg.startsWith('-') && arg !== '--dry-run');
if (unknown.length > 0) {
  fail(`There is no option ${unknown[0]}.`, 'node ops/upgrade.mjs --help');
}
const from = args.filter((arg) => !arg.startsWith('-'));
if (args.includes('--dry-run')) {
  const fetched = git(['fetch', ...from], 'inherit');
  const news = git(['log', '--oneline', `HEAD..${from.length > 0 ? 'FETCH_HEAD' : '@{upstream}'}`], ['ignore', 'pipe', 'inherit']);
  if (fetched.status !== 0 || news.status !== 0) {
    fail('What is new cannot be shown; the reason is above.', 'git status');
  }
  console.log(news.stdout.trim() || 'This is the newest version.');
  process.exit(0);
}

/** The program that merges settings needs the packages. Without them git would leave the settings as a conflict. */
function canMerge() {
  try {
    createRequire(driver).resolve('js-yaml');
    return true;
  } catch {
    return false;
  }
}

if (!canMerge() && (await installDependencies(root)) !== 0) {
  fail('Nothing was upgraded; the reason is above.', 'node ops/upgrade.mjs');
}

/** Conflicting files, with their existing versions: 2 is the project's, 3 the user's. */
function conflicts() {
  const versions = new Map();
  for (const entry of git(['ls-files', '--unmerged', '-z'], 'pipe').stdout?.split('\0').filter(Boolean) ?? []) {
    const [, version, file] = /^\S+ \S+ (\d)\t(.*)$/s.exec(entry);
    versions.set(file, [...(versions.get(file) ?? []), version]);
  }
  return versions;
}

const isStackFile = (file) => /^Pulumi\.[^/]+\.yaml$/.test(file);

/** If one side deleted a stack file and the other changed it, the user's version or deletion is kept. */
function keepUsers(file, versions) {
  if (versions.includes('3')) {
    console.error(`The new version has deleted ${file}. Yours is kept.`);
    git(['add', '--', file], 'inherit');
    return;
  }
  console.error(`The new version has changed ${file}, which you have deleted. It stays deleted.`);
  rmSync(join(root, file), { force: true });
  git(['rm', '--quiet', '--cached', '--', file], 'inherit');
}

const before = git(['rev-parse', 'HEAD'], 'pipe').stdout?.trim();
const isRebasing = () => existsSync(resolve(root, git(['rev-parse', '--git-path', 'rebase-merge'], 'pipe').stdout?.trim()));
const unfinished = [...conflicts().keys()];
if (unfinished.length > 0) {
  fail(`There is a conflict in ${unfinished.join(', ')} already. Nothing was upgraded.`, 'git status');
}
let pull = git(['-c', merging, 'pull', '--rebase', '--autostash', ...from], 'inherit');
// For git, a stash that conflicts is no failure.
let open = conflicts();
while (open.size > 0 && [...open].every(([file, versions]) => isStackFile(file) && !(versions.includes('2') && versions.includes('3')))) {
  open.forEach((versions, file) => keepUsers(file, versions));
  if (isRebasing()) {
    pull = git(['-c', merging, '-c', 'core.editor=true', 'rebase', '--continue'], 'inherit');
  } else {
    // Uncommitted changes stay uncommitted, in the place where they were.
    git(['reset', '--quiet'], 'inherit');
    git(['stash', 'drop', '--quiet'], 'inherit');
  }
  open = conflicts();
}
if (open.size > 0) {
  fail(`Your changes conflict with the new version: ${[...open.keys()].join(', ')}. Your settings are kept.`, 'git status', 'git diff');
}
if (pull.status !== 0) {
  fail('Nothing was upgraded; the reason is above.', 'git status');
}
const after = git(['rev-parse', 'HEAD'], 'pipe').stdout?.trim();
console.error(before === after ? 'This is the newest version.' : 'Upgraded. See what the next deployment changes:\n    npm run preview');
