/**
 * Encryption of a backup with a passphrase, as a stream: a database of many gigabytes never is in memory.
 *
 * The file: `magic`, 16 bytes of salt, 16 bytes that show whether a passphrase is the right one, then chunks of up to 64 KiB,
 * each with AES-256-GCM and its tag of 16 bytes. The nonce of a chunk is its number and whether it is the last one, so that
 * chunks can be neither exchanged nor left out. scrypt derives a new key for each file from its salt.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

export const magic = Buffer.from('llm-observability-backup-1\n');
const saltBytes = 16;
const proofBytes = 16;
const headBytes = magic.length + saltBytes + proofBytes;
const chunkBytes = 65_536;
const tagBytes = 16;
/** 128 MiB and about half a second for each guess. */
const cost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 ** 2 };

/** Why a file cannot be opened. */
export class Unopened extends Error {
  constructor(readonly reason: 'not a backup' | 'wrong passphrase' | 'damaged') {
    super(reason);
  }
}

const derive = promisify<string, Buffer, number, typeof cost, Buffer>(scrypt);

async function keyOf(passphrase: string, salt: Buffer): Promise<{ key: Buffer; proof: Buffer }> {
  const derived = await derive(passphrase.normalize('NFKC'), salt, 32 + proofBytes, cost);
  return { key: derived.subarray(0, 32), proof: derived.subarray(32) };
}

function nonce(number: number, isLast: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUIntBE(number, 5, 6);
  bytes[11] = isLast ? 1 : 0;
  return bytes;
}

/** Encrypts a stream. */
export async function* sealed(content: AsyncIterable<Buffer>, passphrase: string): AsyncGenerator<Buffer> {
  const salt = randomBytes(saltBytes);
  const { key, proof } = await keyOf(passphrase, salt);
  const head = Buffer.concat([magic, salt, proof]);
  yield head;
  for await (const { chunk, number, isLast } of chunks(content, chunkBytes)) {
    const cipher = createCipheriv('aes-256-gcm', key, nonce(number, isLast)).setAAD(head);
    yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  }
}

/** Decrypts a stream. @throws Unopened */
export async function* unsealed(file: AsyncIterable<Buffer>, passphrase: string): AsyncGenerator<Buffer> {
  const source = file[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  try {
    while (head.length < headBytes) {
      const { value, done } = await source.next();
      if (done) {
        break;
      }
      head = Buffer.concat([head, value]);
    }
    const rest = head.subarray(headBytes);
    head = head.subarray(0, headBytes);
    if (head.length < headBytes || !head.subarray(0, magic.length).equals(magic)) {
      throw new Unopened('not a backup');
    }
    const { key, proof } = await keyOf(passphrase, head.subarray(magic.length, magic.length + saltBytes));
    if (!timingSafeEqual(proof, head.subarray(-proofBytes))) {
      throw new Unopened('wrong passphrase');
    }
    for await (const { chunk, number, isLast } of chunks(rejoined(rest, source), chunkBytes + tagBytes)) {
      yield decrypted(chunk, key, nonce(number, isLast), head);
    }
  } finally {
    await source.return?.();
  }
}

function decrypted(chunk: Buffer, key: Buffer, iv: Buffer, head: Buffer): Buffer {
  if (chunk.length < tagBytes) {
    throw new Unopened('damaged');
  }
  const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(head).setAuthTag(chunk.subarray(-tagBytes));
  const bytes = decipher.update(chunk.subarray(0, -tagBytes));
  try {
    return Buffer.concat([bytes, decipher.final()]);
  } catch {
    throw new Unopened('damaged');
  }
}

async function* rejoined(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) {
    yield next.value;
  }
}

/** Pieces of one size; the last one may be shorter, and is never missing. */
async function* chunks(content: AsyncIterable<Buffer>, size: number): AsyncGenerator<{ chunk: Buffer; number: number; isLast: boolean }> {
  let pending: Buffer[] = [];
  let held = 0;
  let number = 0;
  for await (const piece of content) {
    pending.push(piece);
    held += piece.length;
    if (held > size) {
      const all = Buffer.concat(pending);
      let at = 0;
      for (; all.length - at > size; at += size) {
        yield { chunk: all.subarray(at, at + size), number: number++, isLast: false };
      }
      pending = [all.subarray(at)];
      held = all.length - at;
    }
  }
  yield { chunk: Buffer.concat(pending), number, isLast: true };
}
