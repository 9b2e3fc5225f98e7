/**
 * `node ops/upgrade.mjs`: brings a checkout to the newest version of its branch. Settings in the stack files stay, committed
 * or not. Plain JavaScript on Node's own modules: the packages that are installed are those of the version before.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const driver = join(root, 'ops', 'support', 'merge-settings.mjs');
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
/** Of .gitattributes. Only this command names the program, so that it is in nobody's configuration. */
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

const before = git(['rev-parse', 'HEAD'], 'pipe').stdout?.trim();
const pull = git(['-c', merging, 'pull', '--rebase', '--autostash', ...from], 'inherit');
// A stash that conflicts is no failure for git.
const conflicts = git(['diff', '--name-only', '--diff-filter=U'], 'pipe').stdout?.trim().split('\n').filter(Boolean) ?? [];
if (conflicts.length > 0) {
  fail(`Your changes conflict with the new version: ${conflicts.join(', ')}. Your settings are kept.`, 'git status', 'git diff');
}
if (pull.status !== 0) {
  fail('Nothing was upgraded; the reason is above.', 'git status');
}
const after = git(['rev-parse', 'HEAD'], 'pipe').stdout?.trim();
console.error(before === after ? 'This is the newest version.' : 'Upgraded. See what the next deployment changes:\n    npm run preview');
