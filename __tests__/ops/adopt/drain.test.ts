import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { at } from '../../../engine';
import { drained, markedSpan, ready } from '../../../ops/support/adopt/drain';
import { from, run } from '../../../provider/container-reach';
import { tempDir } from '../../support/temp';
import { adoption } from './given';
import { inContainer, keysOf, tokenOf } from './login-of';
import { made, sqlite } from './sqlite';

const engine = at('unix:///docker.sock');

jest.mock('../../../provider/container-reach', () => ({ run: jest.fn(), from: jest.fn() }));
beforeEach(() => jest.resetAllMocks());

const traceId = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const spanId = Buffer.from('f0f1f2f3f4f5f6f7', 'hex');
const hex = (text: string): string => Buffer.from(text).toString('hex');

describe('markedSpan', () => {
  // ExportTraceServiceRequest of opentelemetry-proto, counted by hand: a field is its number and wire type, a length, bytes.
  const span = (time: string): string => `1237${'1235'}${'0a10'}${traceId.toString('hex')}${'1208'}${spanId.toString('hex')}${'2a05'}${hex('adopt')}39${time}41${time}`;

  test('to the byte', () => {
    const attribute = `0a1a${hex('openinference.project.name')}120a0a08${hex('verify-1')}`;
    // 65,485 ms are 0x0f3f35cd40 millions of nanoseconds; the lowest byte comes first.
    expect(markedSpan('verify-1', traceId, spanId, 65_485).toString('hex')).toBe(`0a65${'0a2a'}0a28${attribute}${span('40cd353f0f000000')}`);
  });

  test('a length above 127 takes two bytes', () => {
    const attribute = `0a1a${hex('openinference.project.name')}12cb01${'0ac801'}${hex('p'.repeat(200))}`;
    expect(markedSpan('p'.repeat(200), traceId, spanId, 1).toString('hex')).toBe(`0aa902${'0aed01'}0aea01${attribute}${span('40420f0000000000')}`);
  });
});

describe('drained', () => {
  test('runs in the old Phoenix, with a span of its own in a project as checks have', async () => {
    await drained(engine, adoption({ port: '7007' }));
    expect(run).toHaveBeenCalledTimes(1);
    const [on, container, [python, option, script, port, file, project = '', trace = '', span = '', ...more]] = jest.mocked(run).mock.calls[0] ?? [undefined, '', []];
    expect([on, container, python, option, port, file, more]).toEqual([engine, 'arize-phoenix-phoenix-1', 'python3', '-c', '7007', '/phoenix_storage/phoenix.db', []]);
    expect(script).toMatch(/^"""\nThe credentials for a Phoenix that requires login[^]*"""\nWaits until Phoenix has stored everything/);
    expect(project).toMatch(/^verify-\d{13}$/);
    const bytes = Buffer.from(span, 'base64');
    expect(bytes.indexOf(project) > 0 && bytes.indexOf(trace, 0, 'hex') > 0).toBe(true);
  });

  test('what it says last when it fails', async () => {
    jest.mocked(run).mockRejectedValue(new Error('container x: python3 ended with 1 Traceback\nit has stored nothing for 60 s and holds spans that it has accepted\n'));
    await expect(drained(engine, adoption())).rejects.toThrow(
      'Waiting for the old Phoenix failed: it has stored nothing for 60 s and holds spans that it has accepted.\n    docker logs --tail 30 arize-phoenix-phoenix-1');
  });
});

/** Runs it against a Phoenix that answers like this, by the number of the request. */
async function draining(folder: string, answer: (number: number, token: string | undefined) => number, env: Record<string, string> = {}): Promise<{ code: number; said: string; asked: string[] }> {
  const asked: string[] = [];
  const server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => response.writeHead(answer(asked.length, request.headers.authorization)).end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  await drained(engine, adoption());
  const script = inContainer(jest.mocked(run).mock.calls[0]?.[2][2] ?? '', env);
  const port = String((server.address() as AddressInfo).port);
  const child = spawn('python3', ['-c', script, port, path.join(folder, 'phoenix.db'), 'verify-1', traceId.toString('hex'), markedSpan('verify-1', traceId, spanId, 1).toString('base64')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const [code] = (await once(child, 'close')) as [number];
  server.close();
  return { code, said, asked };
}

describe('drain.py', () => {
  test.each([404, 500])('an answer of %i is none that goes away by waiting: it ends at once', async (status) => {
    const folder = tempDir();
    made(folder, { before: 1 });
    const { code, said, asked } = await draining(folder, () => status);
    expect([code, asked]).toEqual([1, ['POST /v1/traces']]);
    expect(said).toMatch(new RegExp(`HTTP Error ${status}`));
  });

  test('tries again while the memory is full, waits until the span is stored, and leaves no project', async () => {
    const folder = tempDir();
    made(folder, { before: 1 });
    const ended = await draining(folder, (number) => {
      if (number === 2) {
        sqlite(folder, `INSERT INTO traces VALUES (2, 1, '${traceId.toString('hex')}');`);
      }
      return number === 1 ? 503 : 200;
    });
    expect(ended).toEqual({ code: 0, said: '', asked: ['POST /v1/traces', 'POST /v1/traces', 'DELETE /v1/projects/verify-1'] });
  });
});

describe('drain.py, where people log in', () => {
  const [secret, adminSecret] = ['phoenix-secret', 'admin-secret'];
  const isStored = (folder: string): number => (sqlite(folder, `INSERT INTO traces VALUES (2, 1, '${traceId.toString('hex')}');`), 200);

  test.each<[string, string, Record<string, string>, string[]]>([
    ['the admin secret', '', { PHOENIX_SECRET: secret, PHOENIX_ADMIN_SECRET: ` ${adminSecret} ` }, [`Bearer ${adminSecret}`]],
    ['the newest key, of which nobody has a copy', keysOf([[1, 'MEMBER'], [2, 'ADMIN']]), { PHOENIX_SECRET: `${secret}\n` }, [`Bearer ${tokenOf(secret, 2)}`]],
    ['the next, where that is one that may not send or has ended', keysOf([[1, 'MEMBER'], [2, 'VIEWER'], [3, 'MEMBER', "'2026-01-01 00:00:00.000000'"], [4, 'MEMBER', "'2999-01-01 00:00:00.000000'"]]), { PHOENIX_SECRET: secret }, [`Bearer ${tokenOf(secret, 4)}`]],
    ['a key, where the admin secret is not taken', keysOf([[7, 'SYSTEM']]), { PHOENIX_SECRET: secret, PHOENIX_ADMIN_SECRET: 'of-another-time' }, ['Bearer of-another-time', `Bearer ${tokenOf(secret, 7)}`]],
  ])('%s opens it', async (_, keys, env, tokens) => {
    const folder = tempDir();
    made(folder, { before: 1 }, keys);
    const shown: (string | undefined)[] = [];
    const { code, said } = await draining(folder, (_number, token) => {
      shown.push(token);
      return token !== tokens.at(-1) ? 401 : shown.length > tokens.length + 1 ? 204 : isStored(folder);
    }, env);
    // The last is for the project, which goes.
    expect([code, said, shown]).toEqual([0, '', [undefined, ...tokens, tokens.at(-1)]]);
  });

  test('nobody has a key: nobody can have sent anything, and nothing is waited for', async () => {
    const folder = tempDir();
    made(folder, { before: 1 }, keysOf([]));
    expect(await draining(folder, () => 401, { PHOENIX_SECRET: secret })).toEqual({ code: 0, said: '', asked: ['POST /v1/traces'] });
  });

  test('it takes none of them: it ends at once, and no secret is in what it says', async () => {
    const folder = tempDir();
    made(folder, { before: 1 }, keysOf([[1, 'MEMBER']]));
    const { code, said, asked } = await draining(folder, () => 403, { PHOENIX_SECRET: secret, PHOENIX_ADMIN_SECRET: 'ends with\n a line' });
    expect([code, asked.length]).toEqual([1, 2]);
    expect(said).toMatch(/HTTP Error 403/);
    expect(said).not.toMatch(/secret|a line|Bearer/);
  });
});

describe('ready', () => {
  const answering = (...statuses: number[]): { ask: jest.Mock; close: jest.Mock } => {
    const reach = { ask: jest.fn(async () => ({ status: statuses.shift() ?? 200, text: '' })), close: jest.fn() };
    jest.mocked(from).mockReturnValue(reach as never);
    return reach;
  };

  test('asks on its own port, from inside, until it answers', async () => {
    const reach = answering(0, 503, 200);
    await ready(engine, adoption({ port: '7007' }));
    expect(reach.ask.mock.calls).toEqual(Array.from({ length: 3 }, () => ['http://127.0.0.1:7007/arize_phoenix_version']));
    expect(from).toHaveBeenCalledWith(engine, 'arize-phoenix-phoenix-1');
    expect(reach.close).toHaveBeenCalledTimes(1);
  });
});
