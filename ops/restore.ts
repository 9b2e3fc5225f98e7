/**
 * `npm run restore -- FILE`: replaces the database of a stack with that of a backup. Everything that can be wrong with the file
 * is found before the stack is touched.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as semver from 'semver';
import { shellQuoted } from '../settings/setting';
import { restore } from './commands';
import { agreed, consentOf } from './support/ask';
import { checkBackup, type Manifest } from './support/backup/file';
import { Jobs } from './support/backup/jobs';
import { passphraseOf } from './support/backup/passphrase';
import { Replacement, type Status } from './support/backup/replacement';
import { deployedStack } from './support/backup/stack';
import { main } from './support/command-line';
import { Interruption } from './support/interruption';
import { laboratory } from './support/lab';
import { npmRun } from './support/project';
import { Pulumi } from './support/pulumi';
import { Failure, Misread, say } from './support/say';
import { findToolchain } from './support/toolchain';

main(restore.action(async (typed, { stack, passphraseFile, takeSecret, yes }) => {
  if (typed === undefined) {
    throw new Misread('Name the file of the backup.', [npmRun('restore', stack, 'FILE.backup')]);
  }
  const at = (name: string): string => path.resolve(process.env['INIT_CWD'] ?? '.', name);
  const file = at(typed);
  if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new Failure(`${file} is not a file.`, ['npm run restore -- FILE.backup']);
  }
  const again = npmRun('restore', stack, shellQuoted(typed));
  const passphrase = await passphraseOf(passphraseFile === undefined ? undefined : at(passphraseFile), false, again);
  const manifest = await checkBackup({ file, passphrase });
  say(`${file}: ${manifest.spans} spans in ${manifest.traces} traces of stack ${manifest.stack}, ${manifest.date}, Phoenix ${manifest.phoenix}`);
  const pulumi = new Pulumi(await findToolchain(), stack);
  if (takeSecret) {
    await pulumi.setSecrets({ 'phoenix:secret': manifest.secrets.PHOENIX_SECRET });
    say(`Stack ${stack} has the secret of the backup from its next deployment on. Deploy it, then restore:\n    ${npmRun('up', stack)}\n    ${again}`);
    return;
  }
  const { engine, outputs, image, secrets } = await deployedStack(pulumi);
  if (secrets.PHOENIX_SECRET !== manifest.secrets.PHOENIX_SECRET) {
    throw new Failure(`The backup was made with a different PHOENIX_SECRET than stack ${stack} has: its API keys and the credentials stored in it would be unusable. Nothing was changed.`, [`${again} --take-secret   # the stack gets that secret`, npmRun('up', stack), again]);
  }
  const { cacheRoot, withLock } = await laboratory();
  fs.mkdirSync(cacheRoot(), { recursive: true });
  await withLock(path.join(cacheRoot(), `backup-${stack}.lock`), () => Interruption.during(async (interruption) => {
    const jobs = new Jobs(engine, stack, image, interruption);
    await jobs.clear();
    const replacement = new Replacement(engine, jobs, outputs.containers, interruption);
    await replacement.recover();
    const status = await replacement.status(manifest.bytes, manifest.revision);
    refuseNewer(manifest, status, stack);
    if (status.spans !== 0) {
      const consent = consentOf(yes, `Replacing the traces of stack ${stack}`, `${again} --yes`);
      if (consent === 'ask' && !(await agreed(`Replace the database of stack ${stack} (${status.spans ?? 'an unknown number of'} spans) with the backup? [y/N] `))) {
        throw new Failure('Nothing was changed.');
      }
    }
    const start = Date.now();
    await replacement.run({ file, passphrase });
    say(`\nStack ${stack} has the ${manifest.spans} spans of the backup (${((Date.now() - start) / 1000).toFixed(1)} s). What arrived meanwhile comes from the queue of Alloy.`);
    say(`Next:\n  ${npmRun('up', stack)}   create the API keys that the backup does not have; until then spans wait`);
  }), { staleMs: 10_000, onWait: () => say(`Another backup or restore of stack ${stack} is in progress; waiting for it to finish`) });
}));

/** @throws Failure for a database that the stack's Phoenix cannot read: there is no way back to an older version */
function refuseNewer({ phoenix, revision }: Manifest, status: Status, stack: string): void {
  if (!status.known || (semver.valid(phoenix) && semver.valid(status.phoenix) && semver.gt(phoenix, status.phoenix))) {
    throw new Failure(`The backup was made with Phoenix ${phoenix} (revision ${revision} of its tables); stack ${stack} has ${status.phoenix}, which cannot read it. Nothing was changed.`, [npmRun('up', stack, '-c', `phoenix:image=arizephoenix/phoenix:version-${phoenix}-nonroot`)]);
  }
}
