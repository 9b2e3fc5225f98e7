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

function fail(message, ...commands) {
  console.error([message, ...commands.map((command) => `    ${command}`)].join('\n'));
  process.exit(1);
}

const before = git(['rev-parse', 'HEAD'], 'pipe').stdout?.trim();
const pull = git(['-c', merging, 'pull', '--rebase', '--autostash', ...process.argv.slice(2)], 'inherit');
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
