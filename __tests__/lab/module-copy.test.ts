import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { copyModule, goFiles } from '../../lab/module-copy';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'module-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const put = (path: string, text: string, mode = 0o644): void => {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text, { mode });
};

describe('copyModule', () => {
  beforeEach(() => {
    put('source/main.go', 'package main // theirs\n', 0o444);
    put('source/internal/all/all.go', 'package all // theirs\n', 0o444);
    put('source/internal/all/other.go', 'package all // stays\n', 0o444);
    chmodSync(join(dir, 'source/internal/all'), 0o555);
  });
  afterEach(() => chmodSync(join(dir, 'source/internal/all'), 0o755));

  test('puts files in the place of those in a copy of what cannot be written', async () => {
    await copyModule(join(dir, 'source'), join(dir, 'copy'), { 'internal/all/all.go': 'package all // ours\n' });
    const text = (path: string): string => readFileSync(join(dir, path), 'utf8');
    expect(text('copy/internal/all/all.go')).toBe('package all // ours\n');
    expect(text('copy/internal/all/other.go')).toBe('package all // stays\n');
    expect(text('copy/main.go')).toBe('package main // theirs\n');
    expect(text('source/internal/all/all.go')).toBe('package all // theirs\n');
    // What built it removes it.
    expect(() => rmSync(join(dir, 'copy'), { recursive: true })).not.toThrow();
  });

  test('names the files that the module does not have, and copies nothing', async () => {
    const files = { 'main.go': '', 'internal/gone.go': '', 'old/gone.go': '' };
    await expect(copyModule(join(dir, 'source'), join(dir, 'copy'), files)).rejects.toThrow(
      `${join(dir, 'source')} has no internal/gone.go, old/gone.go, which another file is to take the place of.`,
    );
    expect(existsSync(join(dir, 'copy'))).toBe(false);
  });
});

test('goFiles takes Go files by their path, in order, without comments', () => {
  put('src/main.go', '// Why.\npackage main\n\nfunc main() {\n\t// Here too.\n\tprintln("// not here") // nor here\n}\n');
  put('src/a/b/c.go', 'package b\n');
  put('src/a/README.md', '# no\n');
  expect(Object.entries(goFiles(join(dir, 'src')))).toEqual([
    ['a/b/c.go', 'package b\n'],
    ['main.go', 'package main\n\nfunc main() {\n\tprintln("// not here") // nor here\n}\n'],
  ]);
});
