/**
 * The progress of a download, measured by its files: the size so far, and whether it still grows.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';

export interface Growth {
  readonly everyMs: number;
  /** Called with the current number of bytes, when it has grown. */
  readonly grown?: (bytes: number) => void;
  /** Called once when nothing has been added for `silenceMs`. */
  readonly silent?: () => void;
  readonly silenceMs?: number;
}

/** Watches what is added to some folders. Returns a function that stops it. */
export function watchGrowth(folders: readonly string[], { everyMs, grown, silent, silenceMs = Infinity }: Growth): () => void {
  let last = bytesIn(folders);
  let since = performance.now();
  const timer = setInterval(() => {
    const bytes = bytesIn(folders);
    if (bytes !== last) {
      since = performance.now();
      if (bytes > last) {
        grown?.(bytes);
      }
      last = bytes;
    } else if (performance.now() - since >= silenceMs) {
      clearInterval(timer);
      silent?.();
    }
  }, everyMs);
  return () => clearInterval(timer);
}

/** Files that are created and removed meanwhile are no error. */
function bytesIn(folders: readonly string[]): number {
  return folders.reduce((sum, folder) => sum + sizeOf(folder), 0);
}

function sizeOf(file: string): number {
  try {
    const found = fs.lstatSync(file);
    return found.isDirectory() ? fs.readdirSync(file).reduce((sum, name) => sum + sizeOf(path.join(file, name)), 0) : found.size;
  } catch {
    return 0;
  }
}

/** Bytes in words: `12 MB`. */
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
