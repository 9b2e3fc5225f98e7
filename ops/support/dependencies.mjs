/**
 * The packages of node_modules, installed according to package-lock.json. Plain JavaScript on Node's own modules: nothing else
 * exists yet.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { oneAtATime } from './one-at-a-time.mjs';
import { run } from './process.mjs';

/** Runs `npm ci` if node_modules does not match package-lock.json. Returns the exit code: 0 when everything is installed. */
export async function installDependencies(root) {
  if (upToDate(root)) {
    return 0;
  }
  const lock = join(root, '.npm-ci.lock');
  const held = (owner) => console.error(`Another command installs the dependencies (process ${owner}); waiting for it to finish. If there is none: rm ${lock}`);
  try {
    return await oneAtATime(lock, async () => (upToDate(root) ? 0 : npmCi(root)), { held });
  } catch (error) {
    if (error.code === undefined) {
      throw error;
    }
    console.error(`The dependencies cannot be installed in ${root}: ${error.message}`);
    console.error(`    ls -ld ${root}   # this user must be able to write there`);
    return 1;
  }
}

async function npmCi(root) {
  console.error('Installing the dependencies (npm ci) …');
  rmSync(stampOf(root), { force: true });
  // npm's output goes to stderr: stdout belongs to the command, which may print JSON. Development packages are installed
  // whatever NODE_ENV says: tests and checks are commands of this project.
  const code = await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['inherit', 2, 2],
  });
  if (code === 0) {
    writeFileSync(stampOf(root), wanted(root));
  } else if (code < 128) {
    console.error('npm ci failed; its message is above, and the next command tries again. Behind a proxy or an authority of its own:');
    console.error('    export HTTPS_PROXY=http://HOST:PORT NODE_EXTRA_CA_CERTS=/path/of/the/authority.pem');
  }
  return code;
}

/** Records for which lock file `npm ci` was run, as the last step. */
const stampOf = (root) => join(root, 'node_modules', '.installed-from');

const wanted = (root) => createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');

function upToDate(root) {
  const stamp = stampOf(root);
  return (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted(root)) || installedByNpm(root);
}

/**
 * Whether npm was run by hand. It writes what it has installed into its own lock file, when everything is installed; optional
 * packages for other platforms are not in it.
 */
function installedByNpm(root) {
  const file = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(file)) {
    return false;
  }
  try {
    const packages = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;
    const there = packages(file);
    return Object.entries(packages(join(root, 'package-lock.json'))).every(([path, { version, integrity, optional, os, cpu, libc }]) => {
      const found = there[path];
      const here = !libc && (!os || os.includes(process.platform)) && (!cpu || cpu.includes(process.arch));
      return path === '' || (found ? found.version === version && found.integrity === integrity : optional && !(here && (os || cpu)));
    });
  } catch {
    return false;
  }
}
