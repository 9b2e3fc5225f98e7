import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../command';
import { Engine } from '../engine';

/**
 * Creates an image that trusts an additional authority. It is removed with the Cloudflare that the authority belongs to.
 * @param image Debian's, with a version
 * @param ca PEM
 * @returns its tag: a different one for each authority, and none of `lab/`, which are treated as images that may be rebuilt
 */
export async function trusting(image: string, ca: string): Promise<string> {
  const tag = `trusting/${image.split('/').at(-1)?.split('@')[0]}-${fingerprint(ca)}`;
  const engine = new Engine();
  const user = await engine.docker(['image', 'inspect', '--format', '{{.Config.User}}', image]);
  const context = await mkdtemp(join(tmpdir(), 'lab-trusting-'));
  try {
    await writeFile(join(context, 'lab.crt'), ca);
    await writeFile(join(context, 'Dockerfile'), [
      `FROM ${image}`,
      'USER root',
      'COPY lab.crt /usr/local/share/ca-certificates/lab.crt',
      'RUN update-ca-certificates',
      ...(user ? [`USER ${user}`] : []),
    ].join('\n'));
    await engine.docker(['build', '--network', 'none', '--tag', tag, '--label', labelOf(ca), context]);
  } finally {
    await rm(context, { recursive: true });
  }
  return tag;
}

/** Removes the images that trust an authority, if no container uses them. */
export async function removeTrusting(ca: string): Promise<void> {
  const images = (await ask('docker', ['image', 'ls', '--quiet', '--filter', `label=${labelOf(ca)}`])) ?? '';
  await Promise.all(images.split('\n').filter(Boolean).map((image) => ask('docker', ['image', 'rm', image])));
}

/** Which authority an image trusts. */
const labelOf = (ca: string): string => `llm-observability.lab.trusts=${fingerprint(ca)}`;

function fingerprint(ca: string): string {
  return createHash('sha256').update(ca).digest('hex').slice(0, 12);
}
