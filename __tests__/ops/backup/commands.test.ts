/**
 * `npm run backup` and `npm run restore` in this process, with a CLI that answers from a table and a Docker Engine that keeps
 * containers; what a task of database.py would print is given.
 */
import { createHash } from 'node:crypto';
import type * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { checkBackup, writeBackup, type Manifest } from '../../../ops/support/backup/file';
import { fakeContainer, fakeDocker, type FakeDocker } from '../../support/fake-docker';
import { fakePulumi } from '../../support/fake-pulumi';
import { listen } from '../../support/said';
import { tempDir } from '../../support/temp';
import type * as typed from '../../support/typed';

const mockCommand: { args: readonly string[]; main?: () => Promise<void>; pulumi?: string; gate: string[]; replies: (url: string) => { status: number; text: string } } = { args: [], gate: [], replies: () => ({ status: 200, text: '{"data":[{}]}' }) };

jest.mock('../../../ops/support/command-line', () => jest.requireActual<typeof typed>('../../support/typed').keptMain(() => mockCommand.args, (run) => (mockCommand.main = run)));
jest.mock('../../../ops/support/toolchain', () => ({ findToolchain: async () => ({ pulumi: mockCommand.pulumi, env: {} }) }));
jest.mock('../../../ops/support/lab', () => ({ laboratory: async () => ({ cacheRoot: () => jest.requireActual<{ tempDir: () => string }>('../../support/temp').tempDir(), withLock: (_: string, work: () => Promise<void>) => work() }) }));
// The gate is told by `docker exec`, and Phoenix asked through it.
jest.mock('../../../provider/intake', () => ({ intake: () => ({ delete: async () => void mockCommand.gate.push('closed'), create: async () => void mockCommand.gate.push('open') }) }));
jest.mock('../../../provider/container-reach', () => ({ from: () => ({ ask: async (url: string) => mockCommand.replies(url), close: () => undefined }) }));
// The cost of a guess is for those who guess.
jest.mock('node:crypto', () => {
  const actual = jest.requireActual<typeof crypto>('node:crypto');
  return { ...actual, scrypt: (password: string, salt: Buffer, length: number, cost: crypto.ScryptOptions, done: (error: Error | null, key: Buffer) => void) => actual.scrypt(password, salt, length, { ...cost, N: 1024 }, done) };
});

const passphrase = 'correct horse battery';
const secret = 'a-secret-of-this-stack-0123456789';
const content = Buffer.from('a database');
const facts = { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex'), spans: 3, traces: 2, projects: 1, phoenix: '20.26.1', revision: 'abc' };
const manifest: Manifest = { format: 1, stack: 'dev', date: '2026-01-01T00:00:00.000Z', auth: true, secrets: { PHOENIX_SECRET: secret }, ...facts };
const scratch = 'phoenix-dev-backup';

beforeEach(() => {
  process.env['BACKUP_PASSPHRASE'] = passphrase;
  Object.assign(mockCommand, { gate: [], replies: () => ({ status: 200, text: '{"data":[{}]}' }) });
});
afterEach(() => {
  delete process.env['BACKUP_PASSPHRASE'];
});

async function tarOf(name: string, text: Buffer | string): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name }, text);
  tar.finalize();
  return buffer(tar);
}

/** What the tasks print; a text is a failure. */
type Tasks = Readonly<Record<string, object | string>>;

interface Stack {
  readonly docker: FakeDocker;
  /** Tasks in their order. */
  readonly ran: string[];
}

async function stack(tasks: Tasks = {}): Promise<Stack> {
  const docker = await fakeDocker([fakeContainer('phoenix-dev'), fakeContainer('phoenix-dev-gate')], { 'phoenix-dev-data': {} });
  const ran: string[] = [];
  const all: Tasks = { facts: { ...facts, last: ['a'.repeat(32), 'load', 1], key: 7 }, copy: facts, status: { known: true, spans: 5, phoenix: '20.26.1' }, pending: { pending: false }, ...tasks };
  const task = (): string => docker.containers.get(scratch)?.Config.Cmd?.[0] ?? '';
  const saysOf = (): object | string => all[task()] ?? {};
  docker.answers[`POST /containers/${scratch}/wait`] = () => (ran.push(task()), { StatusCode: typeof saysOf() === 'string' ? 1 : 0 });
  docker.answers[`GET /containers/${scratch}/logs`] = () => { const says = saysOf(); return Buffer.from(typeof says === 'string' ? says : JSON.stringify(says)); };
  docker.answers[`PUT /containers/${scratch}/archive`] = () => (ran.push('upload'), { status: 200 });
  docker.answers[`GET /containers/${scratch}/archive`] = await tarOf('copy.db', content);
  docker.answers['GET /containers/phoenix-dev/archive'] = await tarOf('environment.json', JSON.stringify({ PHOENIX_SECRET: secret, PHOENIX_ADMIN_SECRET: 'other' }));
  docker.answers['GET /version'] = { Version: '28.0.0' };
  return { docker, ran };
}

interface Ended {
  readonly said: string;
  readonly stdout: string;
  readonly failure?: string;
}

async function command(name: 'backup' | 'restore', args: readonly string[], { docker }: Stack, outputs: object = { endpoints: {}, auth: true, containers: { phoenix: 'phoenix-dev', gate: 'phoenix-dev-gate' } }): Promise<Ended> {
  const said = listen();
  let stdout = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((stdout += String(text))));
  const state = { deployment: { resources: [{ urn: 'urn::check', type: 'observability:index:EngineCheck', outputs: { engine: docker.engine } }] } };
  const pulumi = fakePulumi({ 'stack export': { stdout: JSON.stringify(state) }, 'stack output': { stdout: JSON.stringify(outputs) }, 'config set --secret phoenix:secret': {}, 'config': { stdout: '{}' } });
  Object.assign(mockCommand, { args, pulumi: pulumi.file });
  jest.isolateModules(() => void require(`../../../ops/${name}`));
  try {
    await mockCommand.main?.();
    return { said: said.join('\n'), stdout };
  } catch (error) {
    expect((error as Error).constructor.name).toMatch(/^(Failure|Misread|Stopped)$/);
    return { said: said.join('\n'), stdout, failure: (error as Error).message };
  }
}

const nothingLeft = ({ docker }: Stack): void => {
  expect([...docker.containers.keys()]).not.toContain(scratch);
  expect(docker.changes.at(-1)).toBe(`DELETE /volumes/${scratch}`);
};

describe('backup', () => {
  test('writes a file that holds the secret, and proves it', async () => {
    const [made, folder] = [await stack(), tempDir()];
    const { stdout, said } = await command('backup', ['--to', folder, '--json'], made);
    const [file = ''] = fs.readdirSync(folder);
    expect(file).toMatch(/^dev-\d{8}T\d{6}Z\.backup$/);
    expect(await checkBackup({ file: path.join(folder, file), passphrase })).toMatchObject({ ...facts, stack: 'dev', auth: true, secrets: { PHOENIX_SECRET: secret } });
    expect(JSON.parse(stdout)).toMatchObject({ spans: 3, proven: true, traceId: 'a'.repeat(32) });
    expect(made.ran).toEqual(['copy', 'upload', 'facts', 'own']);
    expect(said).toContain('Proven');
    const created = made.docker.changes.filter((change) => change.startsWith('POST /containers/create')).join('\n');
    expect(created).not.toContain(secret);
    expect(created).not.toMatch(/"NetworkMode":"(?!none)/);
    nothingLeft(made);
  });

  test('without a proof says so', async () => {
    const [made, folder] = [await stack(), tempDir()];
    // Of a killed run, and of another stack.
    ['dev-20260101T000000Z.backup.part', 'dev-2-20260101T000000Z.backup.part'].forEach((name) => fs.writeFileSync(path.join(folder, name), ''));
    expect((await command('backup', ['--to', folder, '--no-proof'], made)).said).toContain('Not proven');
    expect(made.ran).toEqual(['copy']);
    expect(fs.readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual(['dev-2-20260101T000000Z.backup.part']);
    nothingLeft(made);
  });

  test.each<[string, Tasks, string]>([
    ['a full disk of the engine', { copy: 'database or disk is full' }, 'disk is full'],
    ['other content than its manifest says', { facts: { ...facts, spans: 2, last: null, key: null } }, 'spans'],
  ])('%s', async (_, tasks, word) => {
    const made = await stack(tasks);
    expect((await command('backup', ['--to', tempDir()], made)).failure).toContain(word);
    nothingLeft(made);
  });

  test('whose trace Phoenix does not show', async () => {
    const made = await stack();
    mockCommand.replies = (url) => (url.endsWith('/readyz') ? { status: 200, text: '' } : { status: 401, text: '' });
    expect((await command('backup', ['--to', tempDir()], made)).failure).toContain('401');
    nothingLeft(made);
  });

  test('with a login and no API key in it: no trace is read, and it says so', async () => {
    const { said, stdout } = await command('backup', ['--to', tempDir(), '--json'], await stack({ facts: { ...facts, last: ['a'.repeat(32), 'default', 3], key: null } }));
    expect(said).toContain('no trace was read back');
    expect(JSON.parse(stdout)).toMatchObject({ proven: true, traceId: null });
  });

  test('of a stack with a PostgreSQL', async () => {
    const made = await stack();
    const ended = await command('backup', ['--to', tempDir()], made, { endpoints: {}, auth: true, containers: { phoenix: 'phoenix-dev', gate: 'phoenix-dev-gate', database: 'phoenix-dev-database' } });
    expect(ended.failure).toContain('pg_dump');
    expect(made.docker.changes).toEqual([]);
  });

  test('to a folder that does not exist, with a short passphrase, with none', async () => {
    const made = await stack();
    expect((await command('backup', ['--to', path.join(tempDir(), 'none')], made)).failure).toContain('mkdir -p');
    process.env['BACKUP_PASSPHRASE'] = 'short';
    expect((await command('backup', ['--to', tempDir()], made)).failure).toContain('12');
    delete process.env['BACKUP_PASSPHRASE'];
    expect((await command('backup', ['--to', tempDir()], made)).failure).toContain('--passphrase-file');
    expect(made.docker.changes).toEqual([]);
  });

  test('of a stopped Phoenix', async () => {
    const made = await stack();
    made.docker.containers.set('phoenix-dev', fakeContainer('phoenix-dev', { status: 'exited' }));
    expect((await command('backup', ['--to', tempDir()], made)).failure).toContain('does not run');
    expect(made.docker.changes).toEqual([]);
  });

  test('of a stack that is not deployed, and of one at the edge', async () => {
    const made = await stack();
    expect((await command('backup', ['--to', tempDir()], made, {})).failure).toContain('npm run up');
    expect((await command('backup', ['--to', tempDir()], made, { endpoints: {}, central: { stack: 'prod' } })).failure).toContain('npm run backup -- --stack prod');
  });
});

describe('restore', () => {
  async function backupFile(changes: Partial<Manifest> = {}): Promise<string> {
    const file = path.join(tempDir(), 'dev.backup');
    await writeBackup({ file, passphrase }, { ...manifest, ...changes }, Readable.from([content]));
    return file;
  }

  test('replaces the database while the gate is closed', async () => {
    const made = await stack();
    const { said, failure } = await command('restore', [await backupFile(), '--yes'], made);
    expect(failure).toBeUndefined();
    expect(made.ran).toEqual(['pending', 'status', 'upload', 'facts', 'replace', 'done', 'drop']);
    expect(mockCommand.gate).toEqual(['closed', 'open']);
    const steps = made.docker.changes.flatMap((change) => /^POST \/containers\/phoenix-dev\/(\w+)|"Cmd":\["(replace)"/.exec(change)?.slice(1).find(Boolean) ?? []);
    expect(steps).toEqual(['stop', 'replace', 'start']);
    expect(said).toContain('npm run up');
  });

  test.each<[string, Partial<Manifest>, Tasks, string]>([
    ['another secret', { secrets: { PHOENIX_SECRET: 'of-another-stack' } }, {}, '--take-secret'],
    ['a newer Phoenix', { phoenix: '21.0.0' }, {}, 'phoenix:image'],
    ['tables that this Phoenix does not know', {}, { status: { known: false, spans: 0, phoenix: '20.26.1' } }, 'phoenix:image'],
    ['too little room', {}, { status: 'it needs 9 MiB and 1 MiB are free' }, 'free'],
    ['a database that did not arrive whole', {}, { facts: { sha256: 'other' } }, 'Nothing was changed'],
  ])('refuses %s, with everything as it was', async (_, changes, tasks, word) => {
    const made = await stack(tasks);
    expect((await command('restore', [await backupFile(changes), '--yes'], made)).failure).toContain(word);
    expect(mockCommand.gate).toEqual([]);
    expect(made.ran).not.toContain('replace');
    expect([...made.docker.containers.keys()]).not.toContain(scratch);
  });

  test('needs confirmation, unless there are no spans', async () => {
    const made = await stack();
    expect((await command('restore', [await backupFile()], made)).failure).toContain('--yes');
    expect(made.ran).toEqual(['pending', 'status']);
    const empty = await stack({ status: { known: true, spans: 0, phoenix: '20.26.1' } });
    expect((await command('restore', [await backupFile()], empty)).failure).toBeUndefined();
  });

  test('names no file, or one that does not exist', async () => {
    const made = await stack();
    expect((await command('restore', [], made)).failure).toContain('FILE.backup');
    expect((await command('restore', [path.join(tempDir(), 'none.backup')], made)).failure).toContain('not a file');
  });

  test('with a wrong passphrase touches nothing', async () => {
    const made = await stack();
    const file = await backupFile();
    process.env['BACKUP_PASSPHRASE'] = 'wrong horse battery';
    expect((await command('restore', [file, '--yes'], made)).failure).toContain('passphrase');
    expect(made.docker.changes).toEqual([]);
  });

  test('puts the previous database back if a step fails', async () => {
    const made = await stack({ replace: 'Input/output error' });
    expect((await command('restore', [await backupFile(), '--yes'], made)).failure).toContain('previous database is back');
    expect(made.ran.slice(-3)).toEqual(['replace', 'undo', 'drop']);
    expect(mockCommand.gate).toEqual(['closed', 'open']);
    expect(made.docker.containers.get('phoenix-dev')?.State.Running).toBe(true);
  });

  test('puts the previous database back on Ctrl-C', async () => {
    const made = await stack();
    mockCommand.replies = () => (process.emit('SIGINT'), { status: 503, text: '' });
    expect((await command('restore', [await backupFile(), '--yes'], made)).failure).toContain('previous database is back');
    expect(made.ran.slice(-2)).toEqual(['undo', 'drop']);
    expect(mockCommand.gate.at(-1)).toBe('open');
  });

  test('undoes what a killed run has begun', async () => {
    const made = await stack({ pending: { pending: true } });
    await command('restore', [await backupFile(), '--yes'], made);
    expect(made.ran.slice(0, 3)).toEqual(['pending', 'undo', 'status']);
  });

  test('takes the secret over, and changes nothing else', async () => {
    const made = await stack();
    const { said, failure } = await command('restore', [await backupFile({ secrets: { PHOENIX_SECRET: 'of-another-stack' } }), '--take-secret'], made);
    expect(failure).toBeUndefined();
    expect(said).toContain('npm run up');
    expect(said).not.toContain('of-another-stack');
    expect(made.docker.changes).toEqual([]);
  });
});
