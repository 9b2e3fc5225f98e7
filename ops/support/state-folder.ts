/**
 * The folder with the file state of the stacks, and with the passphrase of its secrets. It is outside of the checkout, where
 * neither `git clean` nor a deleted clone removes it. Earlier versions had it in the checkout: it is moved from there.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { isRunning } from './alive';
import { Failure, say } from './say';

export interface StateFolder {
  readonly dir: string;
  /** The file backend of the Pulumi CLI. */
  readonly backend: string;
  readonly passphrase: string;
}

export interface Places {
  /** Where every checkout of this user keeps it. */
  readonly usual: string;
  /** Where an earlier version kept it in this checkout. */
  readonly old: string;
}

/** Where the state of a user with this environment is kept: as in the XDG specification, which allows only absolute paths. */
export function usualPlace(env: NodeJS.ProcessEnv): string {
  const { XDG_STATE_HOME: chosen = '' } = env;
  return path.join(path.isAbsolute(chosen) ? chosen : path.join(os.homedir(), '.local', 'state'), 'llm-observability');
}

export const folderAt = (dir: string): StateFolder => ({ dir, backend: path.join(dir, 'backend'), passphrase: path.join(dir, 'passphrase') });

/** The folder that the next run would currently use. Changes nothing. */
export function currentFolder({ usual, old }: Places): StateFolder {
  return folderAt([old, onItsWay(old)?.from ?? usual].find(isFilled) ?? usual);
}

/**
 * The folder to use, which exists. What an earlier version has left in the checkout is moved, if nothing conflicts.
 * @throws Failure if the folder can neither be created nor written to
 */
export function settledFolder(places: Places): StateFolder {
  const { usual } = places;
  try {
    makeFolder(path.dirname(usual));
    const found = folderAt(settled(places));
    makeFolder(found.dir);
    makeFolder(found.backend);
    fs.accessSync(found.dir, fs.constants.W_OK);
    return found;
  } catch (error) {
    throw new Failure(`The state of the stacks is kept in ${usual}, and that cannot be written to: ${(error as Error).message}.`, [
      'export XDG_STATE_HOME=/a/folder/that/you/may/write/to   # the same one for each command',
    ]);
  }
}

/** Folder by folder: where nothing can be created (/proc), Node's own `recursive` never ends. */
function makeFolder(dir: string): void {
  if (!fs.existsSync(dir)) {
    makeFolder(path.dirname(dir));
    try {
      fs.mkdirSync(dir, { mode: 0o700 });
    } catch (error) {
      // Another run has created it meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw error;
      }
    }
  }
}

/** Why a folder could not be created and written to; undefined if it could. Leaves nothing behind. */
export function whyNotWritable(dir: string): string | undefined {
  const there = nearest(dir);
  try {
    // Only a file shows it: a file system may be read-only, full, or unable to store files.
    fs.rmdirSync(fs.mkdtempSync(path.join(there, '.llm-observability-')));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const nearest = (dir: string): string => (fs.existsSync(dir) ? dir : nearest(path.dirname(dir)));

function settled({ usual, old }: Places): string {
  finishMove(usual, old);
  if (!isFilled(old)) {
    return usual;
  }
  // A run of an earlier version is active there.
  if (isInUse(old)) {
    return old;
  }
  if (isFilled(usual)) {
    say(`State: this checkout still uses its own files, in ${old}: ${usual} holds those of other checkouts. docs/state.md says how to move a stack there.`);
    return old;
  }
  const moved = move(usual, old);
  if (moved) {
    say(`State: moved from ${old} to ${usual}, the folder for all your checkouts.`);
  }
  return isFilled(old) ? old : usual;
}

/** @returns whether this run moved it: of two concurrent runs, one does */
function move(usual: string, old: string): boolean {
  try {
    fs.renameSync(old, usual);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(code)) {
      return false;
    }
    if (code !== 'EXDEV') {
      throw error;
    }
    fs.renameSync(old, `${old}.moving-${randomBytes(8).toString('hex')}`);
    finishMove(usual, old);
    return true;
  }
}

/** A copy in progress to another file system. Its name contains an ID that identifies the copy. */
function onItsWay(old: string): { readonly from: string; readonly id: string } | undefined {
  const dir = path.dirname(old);
  const [found] = fs.readdirSync(dir).filter((name) => name.startsWith(`${path.basename(old)}.moving-`));
  return found === undefined ? undefined : { from: path.join(dir, found), id: found.replace(/^.*-/, '') };
}

/**
 * Copies it to its place, under a temporary name until it is complete. Whenever a run ends, the next one finds either the old
 * folder or the complete new one, and continues from there.
 */
function finishMove(usual: string, old: string): void {
  const done = `${old}.moved`;
  fs.rmSync(done, { recursive: true, force: true });
  const { from, id } = onItsWay(old) ?? {};
  if (from === undefined || id === undefined) {
    return;
  }
  const isCopy = (): boolean => fs.existsSync(path.join(usual, marker)) && fs.readFileSync(path.join(usual, marker), 'utf8') === id;
  try {
    if (!isFilled(usual)) {
      const part = `${usual}.part-${id}-${process.pid}`;
      fs.rmSync(part, { recursive: true, force: true });
      fs.cpSync(from, part, { recursive: true, preserveTimestamps: true });
      fs.writeFileSync(path.join(part, marker), id);
      filesIn(part).forEach(flush);
      take(part, usual);
    }
    if (isCopy()) {
      // Under a temporary name first: an incomplete folder is never mistaken for a complete one.
      fs.renameSync(from, done);
      fs.rmSync(done, { recursive: true, force: true });
    } else {
      // Meanwhile another checkout has started to use it.
      fs.renameSync(from, old);
    }
    partsOf(usual, id).forEach((part) => fs.rmSync(part, { recursive: true, force: true }));
  } catch (error) {
    // Another run has done it meanwhile.
    if (fs.existsSync(from)) {
      throw error;
    }
  }
}

/** File that records what a folder is a copy of. */
const marker = 'moved-as';

/** A folder gets its final name, unless that exists by now. */
function take(part: string, usual: string): void {
  try {
    fs.renameSync(part, usual);
  } catch (error) {
    if (!isFilled(usual)) {
      throw error;
    }
  }
}

const partsOf = (usual: string, id: string): string[] =>
  fs.readdirSync(path.dirname(usual)).filter((name) => name.startsWith(`${path.basename(usual)}.part-${id}-`)).map((name) => path.join(path.dirname(usual), name));

function flush(file: string): void {
  const open = fs.openSync(file, 'r');
  try {
    fs.fsyncSync(open);
  } finally {
    fs.closeSync(open);
  }
}

const isFilled = (dir: string): boolean => fs.existsSync(dir) && fs.readdirSync(dir).length > 0;

const filesIn = (dir: string): string[] =>
  fs.existsSync(dir) ? fs.readdirSync(dir, { withFileTypes: true, recursive: true }).filter((one) => one.isFile()).map((one) => path.join(one.parentPath, one.name)) : [];

/** Whether a deployment holds a lock there. */
function isInUse(dir: string): boolean {
  return filesIn(path.join(folderAt(dir).backend, '.pulumi', 'locks')).some((file) => file.endsWith('.json') && isHeld(file));
}

/** Whether the lock in this file is that of a running process; a lock of another machine counts as one. */
function isHeld(file: string): boolean {
  const holder = holderOf(file);
  return holder !== undefined && (holder.hostname !== os.hostname() || isRunning(holder.pid));
}

/** Who has written a lock; undefined if it no longer exists. */
export function holderOf(file: string): { readonly pid: number; readonly hostname: string } | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as { pid: number; hostname: string };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}
