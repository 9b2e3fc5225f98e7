/**
 * A backup: the manifest with the secrets, then the compressed database, encrypted, in one file.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { shellQuoted } from '../../../settings/setting';
import { Failure } from '../say';
import { sealed, Unopened, unsealed } from './sealed';

/** What the script reports of a database. */
export interface Facts {
  readonly bytes: number;
  /** SHA-256 in hexadecimal. */
  readonly sha256: string;
  readonly spans: number;
  readonly traces: number;
  readonly projects: number;
  /** Version of Phoenix that wrote it, and the revision of its tables. */
  readonly phoenix: string;
  readonly revision: string;
}

export interface Manifest extends Facts {
  readonly format: 1;
  readonly stack: string;
  /** ISO 8601. */
  readonly date: string;
  /** Whether Phoenix required login. */
  readonly auth: boolean;
  readonly secrets: Secrets;
}

/** What the content of the database depends on. */
export interface Secrets {
  /** Signs API keys and encrypts the credentials of models. */
  readonly PHOENIX_SECRET: string;
}

/** A file whose passphrase is known. */
export interface Sealed {
  readonly file: string;
  readonly passphrase: string;
}

const lengthBytes = 4;
/** A larger one is not ours. */
const mostManifestBytes = 65_536;

/**
 * Writes a backup under a temporary name, readable by its owner alone, and renames it when it is complete.
 * @throws Failure if it cannot be written; nothing of it is left then
 */
export async function writeBackup({ file, passphrase }: Sealed, manifest: Manifest, database: Readable, signal?: AbortSignal): Promise<void> {
  const part = `${file}.part`;
  const json = Buffer.from(JSON.stringify(manifest));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(json.length);
  const content = async function* (packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    yield Buffer.concat([length, json]);
    yield* packed;
  };
  try {
    // Open before anything can be stopped: a file that is still being opened would appear after it was removed.
    const output = (await fs.promises.open(part, 'w', 0o600)).createWriteStream({ flush: true });
    await pipeline(database, createGzip({ level: 3 }), content, (whole: AsyncIterable<Buffer>) => sealed(whole, passphrase), output, { ...(signal ? { signal } : {}) });
    fs.renameSync(part, file);
  } catch (error) {
    fs.rmSync(part, { force: true });
    if (signal?.aborted) {
      throw error;
    }
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure(code === 'ENOSPC' || code === 'EDQUOT' ? `There is no room for the backup at ${file}. Nothing of it was left there.` : `The backup cannot be written to ${file}: ${message}. Nothing of it was left there.`, [`df -h ${shellQuoted(file.replace(/[^/]*$/, '') || '.')}`]);
  }
}

/**
 * Reads a backup: its manifest, and its database as a stream, which must be read to its end: only then it is known to be whole.
 * @throws Failure for a file that is not a backup, is damaged or has another passphrase, here or from the stream
 */
export async function readBackup({ file, passphrase }: Sealed): Promise<{ manifest: Manifest; database: Readable }> {
  const whole = unsealed(fs.createReadStream(file), passphrase);
  try {
    let head: Buffer = Buffer.alloc(0);
    let end = lengthBytes;
    while (head.length < end) {
      const { value, done } = await whole.next();
      if (done) {
        throw new Unopened('damaged');
      }
      head = Buffer.concat([head, value]);
      end = head.length >= lengthBytes ? lengthBytes + head.readUInt32BE(0) : lengthBytes;
      if (end > mostManifestBytes) {
        throw new Unopened('damaged');
      }
    }
    const manifest = JSON.parse(head.subarray(lengthBytes, end).toString()) as Manifest;
    if (manifest.format !== 1) {
      throw new Failure(`${file} has format ${String(manifest.format)} and was written by a newer version of this program, which can restore it.`, ['git pull']);
    }
    return { manifest, database: Readable.from(unpacked(head.subarray(end), whole, manifest, file)) };
  } catch (error) {
    await whole.return(undefined);
    throw worded(error, file);
  }
}

async function* unpacked(first: Buffer, whole: AsyncGenerator<Buffer>, { sha256, bytes }: Manifest, file: string): AsyncGenerator<Buffer> {
  const rest = async function* (): AsyncGenerator<Buffer> {
    yield first;
    yield* whole;
  };
  const hash = createHash('sha256');
  let read = 0;
  const source = Readable.from(rest());
  const unzipped = createGunzip();
  source.on('error', (error) => unzipped.destroy(error));
  try {
    for await (const chunk of source.pipe(unzipped) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      read += chunk.length;
      yield chunk;
    }
    if (read !== bytes || hash.digest('hex') !== sha256) {
      throw new Unopened('damaged');
    }
  } catch (error) {
    throw worded(error, file);
  } finally {
    source.destroy();
  }
}

/** Reads a backup to its end. @throws Failure as `readBackup` does */
export async function checkBackup(sealedFile: Sealed): Promise<Manifest> {
  const { manifest, database } = await readBackup(sealedFile);
  for await (const chunk of database) {
    void chunk;
  }
  return manifest;
}

function worded(error: unknown, file: string): unknown {
  if (error instanceof Unopened) {
    return new Failure({
      'not a backup': `${file} is not a backup of this program.`,
      'wrong passphrase': `The passphrase is not the one of ${file}. Without it nobody can read the backup.`,
      damaged: `${file} is damaged or incomplete: use another copy of it, or an earlier backup.`,
    }[error.reason]);
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith('Z_')) {
    return worded(new Unopened('damaged'), file);
  }
  return code && /^E[A-Z]+$/.test(code) ? new Failure(`${file} cannot be read: ${message}.`) : error;
}
