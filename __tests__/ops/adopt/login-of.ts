/** A Phoenix with login, as far as the scripts that run in its container look at it. */
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tempDir } from '../../support/temp';

/** The script as in a container whose first process, Phoenix, has this environment. */
export function inContainer(script: string, env: Readonly<Record<string, string>>): string {
  const processes = tempDir();
  fs.mkdirSync(path.join(processes, '1'));
  fs.writeFileSync(path.join(processes, '1', 'environ'), Object.entries(env).map(([name, value]) => `${name}=${value}\0`).join(''));
  // What is no process, and one that is gone.
  ['self', '7'].forEach((name) => fs.mkdirSync(path.join(processes, name)));
  const inside = script.replace("PROCESSES = '/proc'", `PROCESSES = '${processes}'`);
  expect(inside).not.toBe(script);
  return inside;
}

/** Statements that make API keys. @param keys number, role of whose it is, and end */
export const keysOf = (keys: readonly (readonly [number, string, string?])[]): string => `
CREATE TABLE user_roles (id INTEGER, name TEXT);
CREATE TABLE users (id INTEGER, user_role_id INTEGER);
CREATE TABLE api_keys (id INTEGER, user_id INTEGER, expires_at TEXT);
${keys.map(([id, role, end = 'NULL']) => `INSERT INTO user_roles VALUES (${id}, '${role}'); INSERT INTO users VALUES (${id}, ${id}); INSERT INTO api_keys VALUES (${id}, ${id}, ${end});`).join('\n')}`;

/** A key as Phoenix has given it out: JwtStore in its jwt_store.py. */
export function tokenOf(secret: string, id: number): string {
  const parts = ['{"alg":"HS256"}', `{"jti": "ApiKey:${id}"}`].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return `${parts}.${crypto.createHmac('sha256', secret).update(parts).digest('base64url')}`;
}
