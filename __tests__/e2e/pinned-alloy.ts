import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** In the place of the program: takes a configuration as newer versions do, without what the older one below does not know. */
const wrapper = `#!/bin/bash
sed '/write_timeout/d' /etc/alloy/config.alloy > /tmp/config.alloy
exec /usr/local/lib/alloy "\${@/#\\/etc\\/alloy\\/config.alloy//tmp/config.alloy}"
`;

/**
 * An Alloy that may stand under the tag of the pinned version where only an older one could be built.
 * @param base image of the older one
 * @param tag of what is made
 */
export async function pinnedAlloy(base: string, tag: string): Promise<void> {
  const context = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-alloy-'));
  try {
    fs.writeFileSync(path.join(context, 'alloy'), wrapper, { mode: 0o755 });
    fs.writeFileSync(path.join(context, 'Dockerfile'), [
      `FROM ${base}`,
      'USER 0',
      'RUN cp "$(command -v alloy)" /usr/local/lib/alloy',
      'COPY alloy /tmp/alloy',
      'RUN cp /tmp/alloy "$(command -v alloy)"',
      'USER 473',
    ].join('\n'));
    // On the engine of who runs the tests, whichever a test has chosen for its commands.
    await run('env', ['DOCKER_BUILDKIT=0', 'docker', 'build', '--quiet', '--network', 'none', '--tag', tag, context], { maxBuffer: 64 << 20 });
  } finally {
    fs.rmSync(context, { recursive: true });
  }
}
