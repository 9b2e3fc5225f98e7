import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { compareVersions, versionOf } from '../../components/image-reference';
import { usedImages } from './images';

const run = promisify(execFile);

/** File in the working directory of Phoenix for which the migration waits. */
export const goOn = 'go-on';

/**
 * One more migration on top of those that the image has, which takes until somebody makes a file. alembic reads the
 * scripts of the folder, so that is all that a newer version is to a database.
 */
const migration = (workingDir: string): string => `
import glob, importlib.util, os, re
folder = os.path.join(importlib.util.find_spec('phoenix').submodule_search_locations[0], 'db', 'migrations', 'versions')
texts = [open(one).read() for one in glob.glob(os.path.join(folder, '*.py'))]
find = lambda name: {match[1] for text in texts if (match := re.search(r'^' + name + r'\\b[^=\\n]*=\\s*[\\'"](\\w+)', text, re.M))}
head, = find('revision') - find('down_revision')
open(os.path.join(folder, 'feedfacefeed_wait.py'), 'w').write(f'''
import os, time
from alembic import op
revision = 'feedfacefeed'
down_revision = '{head}'
branch_labels = None
depends_on = None
def upgrade():
    op.execute('CREATE TABLE newer (id INTEGER)')
    while not os.path.exists('${workingDir}/${goOn}'):
        time.sleep(0.2)
''')
`;

export interface Newer {
  readonly image: string;
  readonly version: string;
}

/** The Phoenix of the tests with a further migration, and a version to go with it. */
export async function newerPhoenix(workingDir = '/phoenix_storage'): Promise<Newer> {
  const { phoenix: base } = await usedImages();
  const was = versionOf(base) ?? '0.0.0';
  const [major, minor] = was.split('.').map(Number) as [number, number];
  const version = `${major}.${minor + 1}.0`;
  expect(compareVersions(version, was)).toBeGreaterThan(0);
  const image = `phoenix-newer:${version}`;
  const context = fs.mkdtempSync(path.join(os.tmpdir(), 'phoenix-newer-'));
  try {
    fs.writeFileSync(path.join(context, 'Dockerfile'), [
      `FROM ${base}`,
      'USER 0',
      `RUN ${JSON.stringify(['python3', '-c', migration(workingDir)])}`,
      'USER 65532',
    ].join('\n'));
    await run('docker', ['build', '--quiet', '--tag', image, context], { env: { ...process.env, DOCKER_BUILDKIT: '0' }, maxBuffer: 64 << 20 });
    return { image, version };
  } finally {
    fs.rmSync(context, { recursive: true, force: true });
  }
}
