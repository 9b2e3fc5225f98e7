import * as fs from 'node:fs';
import * as path from 'node:path';

const root = path.join(__dirname, '..', 'goldens');

/** 'all' with `-u`, 'none' with `--ci`, else 'new'. Jest's own snapshots read it there; it has no public name. */
function updateMode(): 'all' | 'new' | 'none' {
  const { snapshotState } = expect.getState() as unknown as { snapshotState: { _updateSnapshot: 'all' | 'new' | 'none' } };
  return snapshotState._updateSnapshot;
}

/** Whether the run was asked to accept what it finds: `npm test -- -u`. */
export const updating = (): boolean => updateMode() === 'all';

/** Files in a folder of goldens: one that nothing is held against any more would stay for ever. */
export const goldensOf = (folder: string): string[] => fs.readdirSync(path.join(root, folder)).sort();

/**
 * Holds a text against the file `goldens/<file>`, a plain file so that a review shows what changed.
 * `npm test -- -u` accepts the text; a missing file is written, but not with `--ci`.
 */
export function expectGolden(file: string, actual: string): void {
  const golden = path.join(root, file);
  const missing = !fs.existsSync(golden);
  if (updating() || (missing && updateMode() === 'new')) {
    fs.mkdirSync(path.dirname(golden), { recursive: true });
    fs.writeFileSync(golden, actual);
  } else if (missing) {
    throw new Error(`__tests__/goldens/${file} is not there, and --ci writes none: run npm test and commit it`);
  }
  expect(actual).toBe(fs.readFileSync(golden, 'utf8'));
}
