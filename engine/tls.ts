import { createPrivateKey, X509Certificate } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as tls from 'node:tls';
import type { Tls } from './engine';

/** The three files by the names that Docker gives them. */
const files = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' } as const;

export interface Material {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** @throws Error of the file system that names the file */
export function materialOf(material: Tls): Material {
  if (!('certPath' in material)) {
    return material;
  }
  const read = (name: string): string => fs.readFileSync(path.join(material.certPath, name), 'utf8');
  return { ca: read(files.ca), cert: read(files.cert), key: read(files.key) };
}

/** The error of a connection in words: OpenSSL's own hold the address of a thread and a line of its source. */
export function inWords(message: string): string {
  const reason = /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
  if (reason === undefined) {
    return message;
  }
  return /wrong version number/.test(reason) ? 'what listens there does not use TLS' : /certificate|unknown ca/.test(reason) ? `it refuses the client certificate (${reason})` : `TLS failed (${reason})`;
}

/**
 * Why these certificates cannot be used at all, as the rest of a sentence, or undefined.
 * Whether the engine accepts them is up to the engine.
 */
export function whyUnusable(material: Tls): string | undefined {
  let texts: Material;
  try {
    texts = materialOf(material);
  } catch (error) {
    const { code, path: file, message } = error as NodeJS.ErrnoException;
    const found = { ENOENT: 'is not there', EACCES: 'cannot be read by this user', ENOTDIR: 'is not there' }[code ?? ''];
    return found ? `${file} ${found}; TLS needs ${Object.values(files).join(', ')} in that folder` : message;
  }
  if (/ENCRYPTED/.test(texts.key)) {
    return `the key (${files.key}) is encrypted, and a deployment cannot ask for its passphrase`;
  }
  // A connection would take an authority of no form for none, and an empty key as well.
  const wrong = whyNot('the authority', files.ca, () => new X509Certificate(texts.ca))
    ?? whyNot('the certificate', files.cert, () => new X509Certificate(texts.cert))
    ?? whyNot('the key', files.key, () => createPrivateKey(texts.key));
  if (wrong !== undefined) {
    return wrong;
  }
  return new X509Certificate(texts.cert).checkPrivateKey(createPrivateKey(texts.key))
    ? whyNot('what is in them', Object.values(files).join(', '), () => tls.createSecureContext(texts))
    : 'the key does not belong to the certificate';
}

function whyNot(what: string, file: string, read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return `${what} (${file}) cannot be used: ${(error as Error).message}`;
  }
}
