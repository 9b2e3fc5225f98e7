import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { command } from './command';

/**
 * Copies a module out of Go's cache, which is read-only and verified, and replaces files in it with `files`.
 *
 * @param files text by path in the module
 * @throws Error naming the paths that the module does not have: it is a different version, with other files
 */
export async function copyModule(source: string, target: string, files: Readonly<Record<string, string>>): Promise<void> {
  const unknown = Object.keys(files).filter((path) => !existsSync(join(source, path)));
  if (unknown.length > 0) {
    throw new Error(`${source} has no ${unknown.join(', ')}, which another file is to take the place of.`);
  }
  await cp(source, target, { recursive: true });
  await command('chmod', ['-R', 'u+w', target]);
  await Promise.all(Object.entries(files).map(([path, text]) => writeFile(join(target, path), text)));
}

/** The Go files below `dir` by their path in it, without comment lines: a changed comment is no reason to build again. */
export function goFiles(dir: string): Record<string, string> {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.go')).sort();
  return Object.fromEntries(paths.map((path) => {
    const lines = readFileSync(join(dir, path), 'utf8').split('\n');
    return [path.split(sep).join('/'), lines.filter((line) => !/^\s*\/\//.test(line)).join('\n')];
  }));
}
