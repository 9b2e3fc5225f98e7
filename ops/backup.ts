/**
 * `npm run backup`: writes Phoenix's database and its secret to one encrypted file while everything runs, then proves the file:
 * a second Phoenix starts with it and shows a trace.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { backup } from './commands';
import { writeBackup, type Facts, type Manifest } from './support/backup/file';
import { dataDir, Jobs, scratchDir } from './support/backup/jobs';
import { passphraseOf } from './support/backup/passphrase';
import { proven } from './support/backup/proof';
import { deployedStack } from './support/backup/stack';
import { main } from './support/command-line';
import { Interruption } from './support/interruption';
import { laboratory } from './support/lab';
import { npmRun } from './support/project';
import { Pulumi } from './support/pulumi';
import { Failure, say, Stopped } from './support/say';
import { findToolchain } from './support/toolchain';

main(backup.action(async ({ stack, to, proof, passphraseFile, json }) => {
  const at = (typed: string): string => path.resolve(process.env['INIT_CWD'] ?? '.', typed);
  const folder = at(to);
  if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Failure(`${folder} is not a folder.`, [`mkdir -p ${folder}`]);
  }
  const passphrase = await passphraseOf(passphraseFile === undefined ? undefined : at(passphraseFile), true, npmRun('backup', stack));
  const { engine, outputs, image, secrets, running } = await deployedStack(new Pulumi(await findToolchain(), stack));
  if (!running) {
    // What is in its log alone can be read only beside a running Phoenix.
    throw new Failure(`Container ${outputs.containers.phoenix} does not run, and its database can only be copied while it does.`, [npmRun('up', stack)]);
  }
  const { cacheRoot, withLock } = await laboratory();
  fs.mkdirSync(cacheRoot(), { recursive: true });
  await withLock(path.join(cacheRoot(), `backup-${stack}.lock`), () => Interruption.during(async (interruption) => {
    const jobs = new Jobs(engine, stack, image, interruption);
    // Of a killed run.
    await jobs.clear();
    fs.readdirSync(folder).filter((name) => name.startsWith(`${stack}-`) && /^-\d{8}T\d{6}Z\.backup\.part$/.test(name.slice(stack.length))).forEach((name) => fs.rmSync(path.join(folder, name), { force: true }));
    const start = Date.now();
    const date = new Date().toISOString();
    const file = path.join(folder, `${stack}-${date.replace(/[-:]|\.\d+/g, '')}.backup`);
    try {
      const { bytes, sha256, spans, traces, projects, phoenix, revision } = await jobs.run<Facts>('copy', [{ ...jobs.data, readOnly: true }, jobs.beside], [`${dataDir}/phoenix.db`, `${scratchDir}/copy.db`]);
      const manifest: Manifest = { format: 1, stack, date, auth: outputs.auth, secrets, bytes, sha256, spans, traces, projects, phoenix, revision };
      await jobs.download(jobs.beside, 'copy.db', (content) => writeBackup({ file, passphrase }, manifest, content, interruption.signal)).catch((error: unknown) => {
        throw interruption.signal.aborted ? new Stopped('Stopped. Nothing was written.') : error;
      });
      say(`${file}: ${spans} spans in ${traces} traces and ${projects} projects, ${megabytes(bytes)} of database in ${megabytes(fs.statSync(file).size)}, ${seconds(start)} s`);
      const proved = proof ? await proofOf(file) : undefined;
      if (json) {
        process.stdout.write(`${JSON.stringify({ file, spans, traces, projects, bytes, sha256, proven: proved !== undefined, traceId: proved?.traceId ?? null })}\n`);
      }
      say(proved ? `Proven: a second Phoenix started with it, with ${proved.spans} spans${proved.traceId === undefined ? '; no trace was read back: it has none, or no API key' : `, and showed trace ${proved.traceId}`} (${seconds(start)} s in all).` : 'Not proven (--no-proof): nobody has tried to restore it.');
      say('Without its passphrase nobody can read it: keep that in a different place.');
    } finally {
      await jobs.clear();
    }

    async function proofOf(written: string): ReturnType<typeof proven> {
      say('Restoring it beside the stack, as a proof');
      await jobs.clear();
      try {
        return await proven(engine, jobs, { file: written, passphrase }, interruption);
      } catch (error) {
        if (interruption.signal.aborted) {
          throw new Stopped(`Stopped. ${written} stays and is not proven.`);
        }
        throw error;
      }
    }
  }), { staleMs: 10_000, onWait: () => say(`Another backup or restore of stack ${stack} is in progress; waiting for it to finish`) });
}));

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const seconds = (start: number): string => ((Date.now() - start) / 1000).toFixed(1);
