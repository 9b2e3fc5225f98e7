import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { pythonOtel } from '../../lab';
import { usedImages } from './images';

const run = promisify(execFile);
const version = '20.26.0';
const packages = '/phoenix/.venv/lib/python3.11/site-packages';

/** Phoenix as it was a version ago: the published image, or the one of lab/ with the older package in it. @returns its tag */
export async function previousPhoenix(): Promise<string> {
  const [{ phoenix: base }, python] = await Promise.all([usedImages(), pythonOtel()]);
  if (!base.startsWith('lab/')) {
    return base.replace(/@.*/, '').replace(/\d+\.\d+\.\d+/, version);
  }
  const tag = `phoenix-before:${version}`;
  const context = fs.mkdtempSync(path.join(os.tmpdir(), 'phoenix-before-'));
  try {
    await run(python, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', context, `arize-phoenix==${version}`]);
    const [wheel = ''] = fs.readdirSync(context);
    await run(python, ['-m', 'zipfile', '-e', path.join(context, wheel), path.join(context, 'package')]);
    const without = `import shutil,glob; [shutil.rmtree(one) for one in glob.glob('${packages}/phoenix')+glob.glob('${packages}/arize_phoenix-*')]`;
    fs.writeFileSync(path.join(context, 'Dockerfile'), [
      `FROM ${base}`,
      'USER 0',
      `RUN ${JSON.stringify(['python3', '-c', without])}`,
      `COPY package ${packages}`,
      // A read-only root cannot compile at run time.
      `RUN ${JSON.stringify(['python3', '-m', 'compileall', '-q', `${packages}/phoenix`])}`,
      'USER 65532',
    ].join('\n'));
    await run('docker', ['build', '--quiet', '--tag', tag, context], { env: { ...process.env, DOCKER_BUILDKIT: '0' }, maxBuffer: 64 << 20 });
    return tag;
  } finally {
    fs.rmSync(context, { recursive: true, force: true });
  }
}
