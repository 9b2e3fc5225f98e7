import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Puts shell scripts on PATH, before the machine's own programs of the same names.
 * @param scripts what runs after `#!/bin/sh`, by name
 * @returns what takes PATH back
 */
export function putPrograms(dir: string, scripts: Readonly<Record<string, string>>): () => void {
  mkdirSync(dir, { recursive: true });
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, name), 0o755);
  }
  const before = process.env.PATH;
  process.env.PATH = [dir, before].join(delimiter);
  return () => {
    process.env.PATH = before;
  };
}
