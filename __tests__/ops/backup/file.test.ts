import type * as crypto from 'node:crypto';
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { checkBackup, readBackup, writeBackup, type Manifest } from '../../../ops/support/backup/file';
import { magic, sealed, unsealed } from '../../../ops/support/backup/sealed';
import { tempDir } from '../../support/temp';

// The cost of a guess is for those who guess.
jest.mock('node:crypto', () => {
  const actual = jest.requireActual<typeof crypto>('node:crypto');
  return { ...actual, scrypt: (password: string, salt: Buffer, length: number, cost: crypto.ScryptOptions, done: (error: Error | null, key: Buffer) => void) => actual.scrypt(password, salt, length, { ...cost, N: 1024 }, done) };
});

const passphrase = 'correct horse battery';
const manifestOf = (content: Buffer): Manifest => ({
  format: 1, stack: 'dev', date: '2026-01-01T00:00:00.000Z', auth: false, secrets: { PHOENIX_SECRET: 's3cret-of-the-backup' },
  bytes: content.length, sha256: createHash('sha256').update(content).digest('hex'), spans: 3, traces: 2, projects: 1, phoenix: '20.26.1', revision: 'abc',
});

async function written(content: Buffer, manifest = manifestOf(content)): Promise<string> {
  const file = path.join(tempDir(), 'dev.backup');
  await writeBackup({ file, passphrase }, manifest, Readable.from([content]));
  return file;
}

async function all(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

describe('a backup', () => {
  const content = randomBytes(300_000);

  test('has the manifest and the database, for its owner alone', async () => {
    const file = await written(content);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    const { manifest, database } = await readBackup({ file, passphrase });
    expect(manifest).toEqual(manifestOf(content));
    expect((await all(database)).equals(content)).toBe(true);
    expect(fs.readFileSync(file).includes('s3cret')).toBe(false);
    expect(fs.readdirSync(path.dirname(file))).toEqual(['dev.backup']);
  });

  test('with another passphrase is told from a damaged one', async () => {
    const file = await written(content);
    await expect(checkBackup({ file, passphrase: 'correct horse batterz' })).rejects.toThrow('passphrase');
  });

  test.each([['the start', 0, 'not a backup'], ['the salt', 30, 'passphrase'], ['the manifest', 70, 'damaged'], ['the middle', 150_000, 'damaged'], ['the last byte', -1, 'damaged']])('with a changed byte in %s', async (_, at, word) => {
    const file = await written(content);
    const bytes = fs.readFileSync(file);
    const index = at < 0 ? bytes.length + at : at;
    bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index);
    fs.writeFileSync(file, bytes);
    await expect(checkBackup({ file, passphrase })).rejects.toThrow(word);
  });

  test.each([[10, 'not a backup'], [100, 'damaged'], [150_000, 'damaged'], [-1, 'damaged']])('cut off after %d bytes', async (length, word) => {
    const file = await written(content);
    fs.truncateSync(file, length < 0 ? fs.statSync(file).size + length : length);
    await expect(checkBackup({ file, passphrase })).rejects.toThrow(word);
  });

  test('whose database is not the one of its manifest', async () => {
    const file = await written(content, { ...manifestOf(content), sha256: '0'.repeat(64) });
    await expect(checkBackup({ file, passphrase })).rejects.toThrow('damaged');
  });

  test('of a newer format', async () => {
    const file = await written(content, { ...manifestOf(content), format: 2 } as never);
    await expect(checkBackup({ file, passphrase })).rejects.toThrow('format 2');
  });

  test('that cannot be written leaves nothing', async () => {
    const folder = tempDir();
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield content;
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    };
    await expect(writeBackup({ file: path.join(folder, 'dev.backup'), passphrase }, manifestOf(content), Readable.from(failing()))).rejects.toThrow('no room');
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('that is stopped leaves nothing', async () => {
    const folder = tempDir();
    const stop = new AbortController();
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (;;) {
        yield content;
        stop.abort();
        await new Promise(setImmediate);
      }
    };
    await expect(writeBackup({ file: path.join(folder, 'dev.backup'), passphrase }, manifestOf(content), Readable.from(endless()), stop.signal)).rejects.toThrow();
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe('encryption', () => {
  // Around the size of a chunk, where the last one is full or empty.
  test.each([0, 1, 65_535, 65_536, 65_537, 131_072])('of %d bytes', async (length) => {
    const content = randomBytes(length);
    const file = await all(sealed(Readable.from([content]), passphrase));
    expect((await all(unsealed(Readable.from([file]), passphrase))).equals(content)).toBe(true);
  });

  test('notices chunks that were exchanged', async () => {
    const file = await all(sealed(Readable.from([randomBytes(131_073)]), passphrase));
    const [head, size] = [magic.length + 32, 65_552];
    const exchanged = Buffer.concat([file.subarray(0, head), file.subarray(head + size, head + 2 * size), file.subarray(head, head + size), file.subarray(head + 2 * size)]);
    await expect(all(unsealed(Readable.from([exchanged]), passphrase))).rejects.toThrow('damaged');
  });

  test('is different each time', async () => {
    const [one, other] = await Promise.all([1, 2].map(() => all(sealed(Readable.from([Buffer.from('same')]), passphrase))));
    expect(one?.equals(other ?? Buffer.alloc(0))).toBe(false);
  });
});
