import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

/** A new directory, with a path short enough for a Unix socket in it (108 bytes); removed after the test file. */
export function tempDir(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'llm-'));
  made.push(dir);
  return dir;
}

const made: string[] = [];
afterAll(() => made.forEach((dir) => fs.rmSync(dir, { recursive: true, force: true })));
