/**
 * Lets only one process at a time work in a folder. Plain JavaScript on Node's own modules: it guards the installation of all
 * others.
 */
import { lstatSync, lutimesSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Runs `work` while no other process does. The lock is a symbolic link that points to its owner, `PID@HOST`: it is created in
 * one step, so that there never is one without an owner.
 * @param {string} lock path of the link
 * @param {() => Promise<T>} work
 * @param {{ held?: (owner: string) => void, everyMs?: number, staleMs?: number }} options `held` is called once, when somebody
 *   else is at it. One that shows no sign of life for `staleMs` is dead, also where its number says nothing: on another host
 *   that shares the folder, or after a restart, when another process may have the number.
 * @template T
 */
export async function oneAtATime(lock, work, { held = () => {}, everyMs = 250, staleMs = 60_000 } = {}) {
  mkdirSync(dirname(lock), { recursive: true, mode: 0o700 });
  await acquire(lock, held, everyMs, staleMs);
  const beat = setInterval(() => touch(lock), staleMs / 6);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    rmSync(lock, { force: true });
  }
}

async function acquire(lock, held, everyMs, staleMs) {
  let seen;
  for (;;) {
    try {
      symlinkSync(`${process.pid}@${hostname()}`, lock);
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') {
        throw error;
      }
    }
    const now = lookAt(lock);
    if (!now) {
      continue;
    }
    if (!seen) {
      held(now.owner);
    }
    if (seen?.owner !== now.owner || seen.beat !== now.beat) {
      seen = { ...now, since: performance.now() };
    }
    if (isDead(now.owner) || performance.now() - seen.since > staleMs) {
      takeAway(lock, now.owner);
    } else {
      await pause(everyMs);
    }
  }
}

function lookAt(lock) {
  try {
    return { owner: readlinkSync(lock), beat: lstatSync(lock).mtimeMs };
  } catch (error) {
    if (error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

function isDead(owner) {
  const [, pid, host] = /^(\d+)@(.*)$/.exec(owner) ?? [];
  if (host !== hostname()) {
    return false;
  }
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Of several that take over from the same dead owner one succeeds, and a later one restores what it took. */
function takeAway(lock, owner) {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
    const taken = readlinkSync(aside);
    rmSync(aside);
    if (taken !== owner) {
      symlinkSync(taken, lock);
    }
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') {
      throw error;
    }
  }
}

function touch(lock) {
  try {
    lutimesSync(lock, new Date(), new Date());
  } catch {
    // Somebody has removed it by hand; the work continues.
  }
}
