import { existsSync, readFileSync, statSync } from 'node:fs';
import { link, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LockOptions {
  /** Called once when another process holds the lock, then every `remindMs`. `waitedMs` is the time waited so far. */
  onWait?: (waitedMs: number) => void;
  /** Milliseconds between two calls of `onWait`. Default: 15,000. */
  remindMs?: number;
  /** Milliseconds between two checks of a lock that is held. Default: 500. */
  pollMs?: number;
  /** Milliseconds without a sign of life after which the owner counts as dead. Default: 60,000. */
  staleMs?: number;
  /** Runs the code that holds the lock, including its removal. Default: calls it directly. */
  around?: <T>(held: () => Promise<T>) => Promise<T>;
}

interface Owner {
  pid: number;
  host: string;
}

/**
 * Runs `work` while holding the lock file at `path`; waits while another process of this machine, or of any machine that shares
 * the file system, holds it. The file is removed at the end, even if `work` throws.
 *
 * A dead owner is detected at once by its process ID, or by a file that was not touched for `staleMs` if the ID is inconclusive
 * (a different container, a reused ID). In the few microseconds in which two processes take over from the same dead owner, both
 * may run: callers publish by an atomic rename, so this only costs time.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  await acquire(path, options);
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, (options.staleMs ?? 60_000) / 6);
  heartbeat.unref();
  const held = async (): Promise<T> => {
    try {
      return await work();
    } finally {
      clearInterval(heartbeat);
      await rm(path, { force: true });
    }
  };
  return options.around ? options.around(held) : held();
}

/** Whether it is held by an owner who is not known to be dead. */
export function isLocked(path: string): boolean {
  return existsSync(path) && !isDead(path);
}

async function acquire(path: string, options: LockOptions): Promise<void> {
  const { onWait, remindMs = 15_000, pollMs = 500, staleMs = 60_000 } = options;
  const started = performance.now();
  let reminded = -Infinity;
  let beat = NaN;
  let beatSeen = started;
  for (;;) {
    if (await create(path)) return;

    // The monotonic clock stops while a laptop sleeps: both sides wake up with the owner still alive.
    const now = performance.now();
    const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (modified === undefined) continue;
    if (modified !== beat) {
      beat = modified;
      beatSeen = now;
    }
    if (isDead(path) || now - beatSeen > staleMs) {
      await takeAway(path, modified);
      continue;
    }
    if (now - reminded >= remindMs) {
      reminded = now;
      onWait?.(now - started);
    }
    await sleep(pollMs);
  }
}

/** Creates the lock with its content in one step, so that nobody reads an incomplete owner. False if it exists. */
async function create(path: string): Promise<boolean> {
  const own = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const owner: Owner = { pid: process.pid, host: hostname() };
  await writeFile(own, JSON.stringify(owner));
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

function isDead(path: string): boolean {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as Owner;
    if (owner.host !== hostname()) return false;
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Removes a dead owner's lock, and restores it if a living owner was faster. */
async function takeAway(path: string, modified: number): Promise<void> {
  const aside = `${path}.${process.pid}.dead`;
  try {
    await rename(path, aside);
    if ((await stat(aside)).mtimeMs !== modified) await link(aside, path);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}
