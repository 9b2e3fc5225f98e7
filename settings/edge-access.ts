/**
 * What an edge stack is given of the central one, instead of access to that one's state and all secrets in it.
 * `npm run invite` writes it, and `edge:access` holds it.
 */
import { unknownSecret } from './setting';
import { BrokenRule } from './broken-rule';
import { json } from './parse';

/** Output `remote` of a stack: what Alloys on other hosts need to know of it. */
export interface Remote {
  /** Base URLs at which it takes OTLP over HTTP; null where that is not published. */
  readonly otlp: { readonly alloy: string | null; readonly phoenix: string | null };
  /** Largest request that it takes, unpacked. Stacks of an older version do not record it; they take 64 MiB. */
  readonly requestMiB?: number;
  /** Whether its Phoenix requires an API key. */
  readonly auth: boolean;
  /**
   * Its service tokens by name, and when they and their API keys expire, in ISO 8601. A key without expiry has an empty text;
   * stacks of an older version do not record it, and their keys never expire.
   */
  readonly tokens: Readonly<Record<string, { readonly expiresAt: string; readonly keyExpiresAt?: string }>>;
}

/** Output `remoteAccess`, secret: the credentials for it, by the name of the service token. */
export type RemoteAccess = Readonly<Record<string, { readonly clientId: string; readonly clientSecret: string; readonly apiKey: string }>>;

/** Two outputs of the central stack, with one service token in them. */
export interface EdgeAccess {
  /** The central one; files of an older version do not name it. */
  readonly stack?: string;
  readonly remote: Remote;
  readonly remoteAccess: RemoteAccess;
}

/**
 * Text of the file.
 * @returns undefined in a preview that may not read it
 * @throws BrokenRule for anything else
 */
export function edgeAccess(raw: string): EdgeAccess | undefined {
  if (raw === unknownSecret) {
    return undefined;
  }
  const found = json(raw);
  if (!isAccess(found)) {
    throw new BrokenRule('it is not the file that `npm run invite` writes for the central stack');
  }
  return found;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
/** A line, as a header holds it. */
const isLine = (value: unknown): boolean => typeof value === 'string' && /^[\x20-\x7e]*$/.test(value);
const isAddress = (value: unknown): boolean => value === null || (typeof value === 'string' && /^https:\/\/[a-z0-9.-]+$/.test(value));
const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value));
/** Of a key, which may have none; stacks of an older version do not record it. */
const isEnd = (value: unknown): boolean => value === undefined || value === '' || isTime(value);

function isAccess(value: unknown): value is EdgeAccess {
  if (!isFields(value) || !isFields(value['remote']) || !isFields(value['remoteAccess'])) {
    return false;
  }
  const { remote: { otlp, requestMiB, auth, tokens }, remoteAccess } = value as { remote: Fields; remoteAccess: Fields };
  return (value['stack'] === undefined || isLine(value['stack'])) && isFields(otlp) && isAddress(otlp['alloy']) && isAddress(otlp['phoenix'])
    && (requestMiB === undefined || (Number.isInteger(requestMiB) && Number(requestMiB) > 0))
    && typeof auth === 'boolean'
    && isFields(tokens) && Object.values(tokens).every((token) => isFields(token) && isTime(token['expiresAt']) && isEnd(token['keyExpiresAt']))
    && Object.values(remoteAccess).every((access) => isFields(access) && ['clientId', 'clientSecret', 'apiKey'].every((part) => isLine(access[part])))
    && Object.keys(tokens).every((token) => token in remoteAccess);
}

/** The secrets in it, without the names. */
export const secretsOf = ({ remoteAccess }: EdgeAccess): string[] =>
  Object.values(remoteAccess).flatMap(({ clientId, clientSecret, apiKey }) => [clientId, clientSecret, apiKey]).filter((text) => text !== '');
