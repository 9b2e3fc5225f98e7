import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Copies images from one engine to another, with their tags, as `docker save | docker load` does. Engines for tests
 * pull from nowhere.
 * @param from `unix://…` @param to `unix://…`
 * @throws Error with the message of either of the two
 */
export async function copyImages(from: string, to: string, tags: readonly string[]): Promise<void> {
  const save = spawn('docker', ['--host', from, 'save', ...tags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const load = spawn('docker', ['--host', to, 'load', '--quiet'], { stdio: [save.stdout, 'ignore', 'pipe'] });
  // The other process has it now: if this end stayed open here, that process would not notice that the reader is gone.
  save.stdout.destroy();
  const complaints: string[] = [];
  for (const { stderr } of [save, load]) stderr?.on('data', (chunk: Buffer) => complaints.push(chunk.toString()));
  const codes = await Promise.all([save, load].map(async (child) => ((await once(child, 'close')) as [number | null])[0]));
  if (codes.some((code) => code !== 0)) throw new Error(`${tags.join(', ')} could not be copied from ${from} to ${to}: ${complaints.join('').trim()}`);
}
