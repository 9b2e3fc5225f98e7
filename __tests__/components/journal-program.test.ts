/**
 * The program of the journal, run by this machine's Python against a stand-in that takes spans as Phoenix does.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { journalProgram, type JournalProgram } from '../../components/journal';
import { freePort } from '../../lab';
import { tempDir } from '../support/temp';

const quick = { lookSeconds: 0.05, settleSeconds: 0.3, keepSeconds: 600, backoffSeconds: 0.1, holdSeconds: 60 };

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: http.IncomingHttpHeaders;
}

interface Status {
  readonly kept: number;
  readonly waiting: number;
  readonly sending: boolean;
  readonly full: boolean;
  readonly accepted: number;
  readonly refused: number;
  readonly sentAgain: number;
  readonly dropped: number;
  readonly gaveUp: number;
  readonly aside: number;
}

/** Waits for a condition; fails with what is there after half a minute. */
async function until<T>(what: string, look: () => T | Promise<T>, good: (found: T) => boolean): Promise<T> {
  const end = Date.now() + 30_000;
  for (;;) {
    const found = await look();
    if (good(found)) {
      return found;
    }
    if (Date.now() > end) {
      throw new Error(`${what}: ${JSON.stringify(found)}`);
    }
    await pause(20);
  }
}

/** A journal and a Phoenix behind it. */
class Pair {
  readonly folder = tempDir();
  readonly data = tempDir();
  readonly authorizationFile = path.join(this.folder, 'authorization');
  log = '';
  sent: string[] = [];
  private phoenix?: ChildProcess;
  journal?: ChildProcess;
  private ports = { phoenix: 0, metrics: 0, journal: 0 };

  constructor(private readonly bounds: JournalProgram['bounds'] = {}, private readonly metrics = true, private readonly volume = this.data) {}

  async start(): Promise<this> {
    this.ports = { phoenix: await freePort(), metrics: await freePort(), journal: await freePort() };
    await this.startPhoenix();
    await this.startJournal();
    return this;
  }

  async startPhoenix(): Promise<void> {
    const { phoenix, metrics } = this.ports;
    this.phoenix = spawn('python3', [path.join('__tests__', 'support', 'phoenix.py'), String(phoenix), String(metrics), this.folder], { stdio: 'inherit' });
    await until('Phoenix', () => this.ask(phoenix, 'GET', '/', {}, '').then(() => true, () => false), Boolean);
  }

  async startJournal(): Promise<void> {
    const program = journalProgram({
      phoenix: `http://127.0.0.1:${this.ports.phoenix}`,
      metricsPort: this.metrics ? this.ports.metrics : 0,
      port: this.ports.journal,
      folder: this.volume,
      authorizationFile: this.authorizationFile,
      bounds: { ...quick, ...this.bounds },
    });
    this.journal = spawn('python3', ['-ISc', program], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.journal.stdout, this.journal.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    }
    await until('the journal', () => this.ask(this.ports.journal, 'GET', '/healthz', {}, '').then(({ status }) => status, () => {
      const { exitCode, signalCode } = this.journal ?? {};
      if (exitCode !== null || signalCode !== null) {
        throw new Error(`the journal ended with ${exitCode ?? signalCode}: ${this.log}`);
      }
      return 0;
    }), (status) => status === 200);
  }

  async kill(which: 'phoenix' | 'journal', signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this[which];
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    }
  }

  async end(): Promise<void> {
    await Promise.all([this.kill('phoenix'), this.kill('journal')]);
  }

  moods(moods: object): void {
    const file = path.join(this.folder, 'moods.json');
    fs.writeFileSync(`${file}.new`, JSON.stringify(moods));
    fs.renameSync(`${file}.new`, file);
  }

  ask(port: number, method: string, pathname: string, headers: http.OutgoingHttpHeaders, body: string | Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = http.request({ host: '127.0.0.1', port, method, path: pathname, headers: { ...headers, ...(headers['transfer-encoding'] ? {} : { 'content-length': Buffer.byteLength(body) }) }, agent: false }, (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }));
        answer.on('error', reject);
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  post(body: string | Buffer, headers: http.OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.ask(this.ports.journal, 'POST', '/v1/traces', { 'content-type': 'application/x-protobuf', ...headers }, body);
  }

  /** Sends spans, one a request, as Alloy does: again until they are accepted. */
  async send(...spans: string[]): Promise<void> {
    for (const span of spans) {
      await until(`${span} to be accepted`, () => this.post(`${span}\n`).then(({ status }) => status, () => 0), (status) => status === 200);
      this.sent.push(span);
    }
  }

  async status(): Promise<Status> {
    return JSON.parse((await this.ask(this.ports.journal, 'GET', '/status', {}, '')).text) as Status;
  }

  stored(): string[] {
    const file = path.join(this.folder, 'stored');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).sort() : [];
  }

  requests(): [number, number, Record<string, string>][] {
    const file = path.join(this.folder, 'requests');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as [number, number, Record<string, string>]) : [];
  }

  /** Every span that was accepted is stored, once. */
  async nothingLost(): Promise<void> {
    const sent = [...this.sent].sort();
    await until('everything to be stored', () => this.stored(), (stored) => stored.length >= sent.length);
    expect(this.stored()).toEqual(sent);
  }

  /** Everything is known to be stored. */
  settled(): Promise<Status> {
    return until('nothing to wait', () => this.status().catch(() => undefined), (status) => status?.waiting === 0 && !status.sending) as Promise<Status>;
  }
}

const named = (name: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${name}${index}`);

let pair: Pair;
const start = (...args: ConstructorParameters<typeof Pair>): Promise<Pair> => (pair = new Pair(...args)).start();
afterEach(() => pair.end());

describe('what passes through', () => {
  test("Phoenix's answer comes back, its headers go on, and no credentials are on disk", async () => {
    await start();
    const headers = { authorization: 'Bearer visible-1', cookie: 'phoenix-access-token=visible-2', 'x-project-name': 'shop', 'content-encoding': 'gzip', 'x-other': 'kept' };
    const answer = await pair.post(gzipSync('a\nb\n'), headers);
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([200, 'application/x-protobuf', '']);
    expect(pair.requests()[0]?.[2]).toMatchObject({ ...headers, 'content-type': 'application/x-protobuf' });
    pair.sent.push('a', 'b');
    await pair.nothingLost();
    const disk = fs.readdirSync(pair.data).map((name) => fs.readFileSync(path.join(pair.data, name), 'latin1')).join('\n');
    expect(disk).toContain('"x-project-name": "shop"');
    expect(disk).not.toMatch(/visible|authorization|cookie/i);
  });

  test('a refusal is passed on, whichever it is, and nothing is kept', async () => {
    await start();
    for (const code of [400, 401, 403, 413, 422, 500, 503, 507]) {
      pair.moods({ answer: code });
      expect(await pair.post('a\n')).toMatchObject({ status: code, text: `answer ${code}` });
      expect(await pair.status()).toMatchObject({ kept: 0, accepted: 0 });
    }
  });

  test('a body in chunks is one record', async () => {
    await start();
    expect((await pair.post('a\nb\n', { 'transfer-encoding': 'chunked' })).status).toBe(200);
    pair.sent.push('a', 'b');
    await pair.nothingLost();
    expect(pair.requests()[0]?.[2]['content-length']).toBe('4');
  });

  test('a request that is cut off is none', async () => {
    await start();
    const socket = net.connect(Number((pair as unknown as { ports: { journal: number } }).ports.journal), '127.0.0.1');
    socket.write('POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 100\r\n\r\nhalf');
    socket.end();
    await once(socket, 'close');
    await pair.send('whole');
    await pair.nothingLost();
    expect(pair.requests()).toHaveLength(1);
  });

  test('nothing but OTLP is its business', async () => {
    await start();
    const port = (pair as unknown as { ports: { journal: number } }).ports.journal;
    expect((await pair.ask(port, 'POST', '/graphql', {}, '{}')).status).toBe(404);
    expect(pair.requests()).toEqual([]);
  });

  test('without Phoenix the answer is one that Alloy tries again', async () => {
    await start();
    await pair.kill('phoenix');
    expect((await pair.post('a\n')).status).toBe(502);
    expect(await pair.status()).toMatchObject({ kept: 0, refused: 1 });
  });

  test('three requests of 64 MiB at once take less memory than one of them', async () => {
    await start({ mostBytes: 1024 ** 3, share: 0.9 });
    const body = Buffer.concat([Buffer.from('large '), Buffer.alloc(64 * 1024 ** 2 - 6, 'x')]);
    const answers = await Promise.all(Array.from({ length: 3 }, () => pair.post(body)));
    expect(answers.map(({ status }) => status)).toEqual(Array(3).fill(200));
    const peak = /VmHWM:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pair.journal?.pid}/status`, 'utf8'))?.[1];
    expect(Number(peak)).toBeLessThan(64 * 1024);
  }, 60_000);
});

describe('what Phoenix loses is sent again', () => {
  test('killed with spans in its memory', async () => {
    await start();
    await pair.send(...named('before', 20));
    await pair.settled();
    pair.moods({ transaction: 1 });
    await pair.send(...named('held', 150));
    await pair.kill('phoenix');
    expect(pair.stored().length).toBeLessThan(pair.sent.length);
    pair.moods({});
    const load = pair.send(...named('after', 50));
    await pair.startPhoenix();
    await load;
    await pair.nothingLost();
    // What was known to be stored is not sent again.
    expect((await pair.settled()).sentAgain).toBeLessThan(201);
    expect(pair.log).toMatch(/Phoenix was started anew: sending \d+ requests again/);
  });

  test('killed between its answer and its queue', async () => {
    await start({ settleSeconds: 3 });
    pair.moods({ queueing: 0.5 });
    expect((await pair.post(named('slow', 4).join('\n'))).status).toBe(200);
    pair.sent.push(...named('slow', 4));
    await pause(700); // What is on its way to the queue cannot be seen, which is what this is about.
    expect((await pair.status()).waiting).toBe(1);
    await pair.kill('phoenix');
    pair.moods({});
    await pair.startPhoenix();
    await pair.nothingLost();
  });

  test('killed while one request alone is on its way to its queue, and nothing else comes', async () => {
    await start({ settleSeconds: 4 });
    pair.moods({ queueing: 3 });
    await pair.send('slow');
    // Many quiet looks long, and still not known to be stored.
    await pause(1500);
    expect((await pair.status()).waiting).toBe(1);
    await pair.kill('phoenix');
    pair.moods({});
    await pair.startPhoenix();
    await pair.nothingLost();
  });

  test('killed again and again while it is being sent to', async () => {
    await start();
    pair.moods({ transaction: 0.3, limit: 5000 });
    let running = true;
    const load = (async () => {
      for (let index = 0; running; index += 1) {
        await pair.send(`span${index}`);
      }
    })();
    for (const count of [40, 80, 120, 160]) {
      await until('load', () => pair.sent.length, (length) => length >= count);
      await pair.kill('phoenix');
      await pair.startPhoenix();
    }
    running = false;
    await load;
    pair.moods({});
    await pair.nothingLost();
  }, 60_000);

  test('commits that fail, until the disk has room again', async () => {
    await start();
    pair.moods({ commit: false });
    await pair.send(...named('unresolved', 30));
    await until('a second try', () => pair.log, (log) => log.includes('have failed in Phoenix, try 4'));
    expect(pair.stored()).toEqual([]);
    pair.moods({});
    await pair.nothingLost();
    expect(await pair.settled()).toMatchObject({ gaveUp: 0, dropped: 0 });
  });

  test('a span that fails each time is given up, counted and logged, and holds nothing else up', async () => {
    await start();
    expect((await pair.post('bad1\ngood1\n')).status).toBe(200);
    pair.sent.push('good1');
    await until('it to be given up', () => pair.status(), ({ gaveUp }) => gaveUp >= 1);
    await pair.send(...named('after', 10));
    await pair.nothingLost();
    expect(await pair.settled()).toMatchObject({ gaveUp: 1, sentAgain: 3 });
    expect(pair.log).toContain('1 spans fail in Phoenix each time and are not sent again');
  });

  test('a record that Phoenix now refuses for good is dropped and counted, and the next one is sent', async () => {
    await start();
    pair.moods({ commit: false });
    await pair.send('one');
    await until('it to be lost', () => pair.log, (log) => log.includes('have failed'));
    pair.moods({ answer: 422 });
    expect(await until('it to be dropped', () => pair.status(), ({ dropped }) => dropped > 0)).toMatchObject({ dropped: 1 });
    expect(pair.log).toMatch(/record 0 is refused for good, 422, and dropped: answer 422/);
  });

  test('an answer that may be another one later is waited out while it is sent again, a new key among them', async () => {
    await start();
    pair.moods({ transaction: 5 });
    await pair.send(...named('held', 3));
    await pair.kill('phoenix');
    const refused = (code: number): Promise<unknown> => until(`a refusal, ${code}`, () => pair.requests(), (requests) => requests.some(([status]) => status === code));
    pair.moods({ answer: 403 });
    await pair.startPhoenix();
    for (const code of [403, 503, 429, 507]) {
      pair.moods({ answer: code });
      await refused(code);
    }
    pair.moods({ token: 'Bearer new' });
    await refused(401);
    fs.writeFileSync(pair.authorizationFile, 'Bearer new\n');
    pair.moods({ token: 'Bearer new' });
    await pair.nothingLost();
    expect(await pair.settled()).toMatchObject({ dropped: 0, sentAgain: 3 });
  });

  test('a planned stop, after which nothing waits, sends nothing again', async () => {
    await start();
    await pair.send(...named('span', 50));
    await pair.settled();
    const served = (): unknown => (JSON.parse(fs.readFileSync(path.join(pair.data, 'state.json'), 'utf8')) as { served: unknown }).served;
    const before = served();
    await pair.kill('phoenix', 'SIGTERM');
    await pair.startPhoenix();
    // What the new one accepts before the journal has seen it may be sent again, once or twice.
    await until('the journal to see the new one', served, (now) => now !== null && now !== before);
    await pair.send('after');
    expect((await pair.settled()).sentAgain).toBe(0);
    await pair.nothingLost();
  });

  test('without metrics: everything kept, whenever Phoenix could not be reached', async () => {
    await start({ settleSeconds: 600 }, false);
    pair.moods({ transaction: 5 });
    await pair.send(...named('held', 20));
    await pair.kill('phoenix');
    pair.moods({});
    await pause(200); // two looks, at which nobody answers
    await pair.startPhoenix();
    await pair.nothingLost();
    expect(await pair.status()).toMatchObject({ sentAgain: 20, waiting: 20 });
  });
});

describe('a request that Phoenix refuses for what it holds', () => {
  const folder = (): string[] => (fs.existsSync(path.join(pair.data, 'aside')) ? fs.readdirSync(path.join(pair.data, 'aside')) : []);
  const alone = async (): Promise<void> => {
    await until('it to be put aside', async () => {
      const { status } = await pair.post('poison\n');
      await pair.send(`beside${pair.sent.length}`);
      return status;
    }, (status) => status === 200);
  };

  test('is put aside while others are accepted, once, and sent again when it is asked for', async () => {
    await start({ asideSeconds: 0.5 });
    await alone();
    expect(await pair.status()).toMatchObject({ aside: 1 });
    expect(folder()).toEqual([expect.stringMatching(/^\d{8}T\d{6}Z-[0-9a-f]{12}\.request$/)]);
    expect(pair.log).toMatch(/put aside, because Phoenix refuses it while it accepts others, 500: answer 500/);
    expect(pair.requests().filter(([status]) => status === 500).length).toBeGreaterThanOrEqual(10);

    // Still refused: it stays.
    pair.journal?.kill('SIGHUP');
    await until('a word', () => pair.log, (log) => /sent again, 500: answer 500/.test(log));
    expect(folder()).toHaveLength(1);

    await pair.kill('journal');
    await pair.startJournal();
    expect(await pair.status()).toMatchObject({ aside: 1 });
    pair.moods({ poison: 200 });
    pair.journal?.kill('SIGHUP');
    await until('nothing to be aside', () => pair.status(), ({ aside }) => aside === 0);
    pair.sent.push('poison');
    await pair.nothingLost();
  });

  test('is what was sent again, too, and holds the others up no longer than that', async () => {
    await start({ asideSeconds: 0.5 });
    pair.moods({ poison: 200, transaction: 5 });
    await pair.send('poison', ...named('behind', 3));
    await pair.kill('phoenix');
    pair.moods({});
    await pair.startPhoenix();
    let [stop, sent] = [false, 0];
    const others = (async () => {
      while (!stop) {
        await pair.send(`new${sent++}`);
      }
    })();
    await until('it to be put aside', () => pair.status(), ({ aside }) => aside === 1);
    stop = true;
    await others;
    pair.sent = pair.sent.filter((span) => span !== 'poison');
    await pair.nothingLost();
  });

  test('an answer that is for now, or for the sender to drop it, is none of these: never put aside', async () => {
    await start({ asideSeconds: 0 });
    for (const answer of [401, 429, 502, 503, 504, 422]) {
      pair.moods({ poison: answer });
      for (let tries = 0; tries < 15; tries += 1) {
        expect((await pair.post(`poison${answer}\n`)).status).toBe(answer);
        await pair.send(`beside${pair.sent.length}`);
      }
    }
    expect(folder()).toEqual([]);
  });

  test('while nothing else is accepted, it may be for everybody: nothing is put aside', async () => {
    await start({ asideSeconds: 0 });
    pair.moods({ answer: 500 });
    for (let tries = 0; tries < 30; tries += 1) {
      expect([(await pair.post('one\n')).status, (await pair.post('other\n')).status]).toEqual([500, 500]);
    }
    expect(folder()).toEqual([]);
  });

  test('counts as kept, and where there is no room it is refused as before', async () => {
    await start({ asideSeconds: 0, mostBytes: 3000, keepSeconds: 0 });
    const poison = `poison ${'x'.repeat(2000)}\n`;
    await until('it to be put aside', async () => {
      await pair.send(`beside${pair.sent.length}`);
      return (await pair.post(poison)).status;
    }, (status) => status === 200);
    expect((await pair.status()).kept).toBeGreaterThan(2000);
    expect((await pair.post(`${poison}${poison}`)).status).toBe(503);
    await pair.send('small');
  });
});

describe('its own crashes', () => {
  test('killed under load, with Phoenix beside it', async () => {
    await start();
    pair.moods({ transaction: 0.2 });
    let running = true;
    const load = (async () => {
      for (let index = 0; running; index += 1) {
        await pair.send(`span${index}`);
      }
    })();
    for (const count of [30, 60, 90, 120]) {
      await until('load', () => pair.sent.length, (length) => length >= count);
      await Promise.all([pair.kill('journal'), ...(count % 60 === 0 ? [pair.kill('phoenix')] : [])]);
      await pair.startJournal();
      if (count % 60 === 0) {
        await pair.startPhoenix();
      }
    }
    running = false;
    await load;
    pair.moods({});
    await pair.nothingLost();
  }, 60_000);

  test('a record cut at any byte is none, and those before it stay', async () => {
    await start();
    pair.moods({ transaction: 30, limit: 5000 });
    await pair.send('first', 'second', 'third');
    await pair.end();
    const segment = path.join(pair.data, fs.readdirSync(pair.data).find((name) => name.endsWith('.seg')) ?? '');
    const whole = fs.readFileSync(segment);
    const record = whole.length - whole.lastIndexOf('JNL1');
    const check = `import sys; sys.argv = ["x"]\n${journalProgram({ phoenix: 'http://127.0.0.1:1', metricsPort: 1, port: 0, folder: pair.data, authorizationFile: '' }).split('\nif not os.access(FOLDER')[0]}
whole = open(${JSON.stringify(segment)}, "rb").read()
for cut in range(${record} + 1):
    open(${JSON.stringify(segment)}, "wb").write(whole[:len(whole) - cut])
    found = Segment(0)
    found.recover()
    assert (found.end, os.path.getsize(found.path)) == ((3, len(whole)) if cut == 0 else (2, len(whole) - ${record})), (cut, found.end)
damaged = bytearray(whole); damaged[-3] ^= 1
open(${JSON.stringify(segment)}, "wb").write(damaged)
found = Segment(0)
found.recover()
assert found.end == 2
`;
    const python = spawn('python3', ['-ISc', check], { stdio: ['ignore', 'ignore', 'inherit'] });
    expect((await once(python, 'exit'))[0]).toBe(0);
    // The journal goes on with what is left, and Phoenix is given the rest.
    pair.moods({});
    pair.sent = ['first', 'second'];
    await pair.startPhoenix();
    await pair.startJournal();
    await pair.send('third', 'fourth');
    await pair.nothingLost();
  }, 60_000);

  test('a record that is damaged, and a file that somebody has removed, hold nothing else up', async () => {
    await start({ segmentBytes: 200 });
    pair.moods({ transaction: 30, limit: 5000 });
    await pair.send(...named('span', 12));
    const segments = fs.readdirSync(pair.data).filter((name) => name.endsWith('.seg')).sort().map((name) => path.join(pair.data, name));
    expect(segments.length).toBeGreaterThan(3);
    const damaged = fs.readFileSync(segments[0] ?? '');
    damaged.write('X', damaged.indexOf('JNL1'));
    fs.writeFileSync(segments[0] ?? '', damaged);
    fs.rmSync(segments[1] ?? '');
    const inThem = 12 - segments.slice(2).map((file) => fs.readFileSync(file, 'latin1').split('JNL1').length - 1).reduce((sum, count) => sum + count, 0);
    await pair.kill('phoenix');
    pair.moods({});
    await pair.startPhoenix();
    pair.sent.splice(0, inThem);
    await pair.send('later');
    await until('the rest to be stored', () => pair.stored(), (stored) => pair.sent.every((span) => stored.includes(span)));
    expect(pair.log).toMatch(/damaged at request 0; \d+ requests in it cannot be sent again/);
    expect(pair.log).toMatch(/No such file or directory.*requests in it cannot be sent again/);
    await pair.settled();
  });

  test('records behind a damaged one are kept in a file of their own when it starts', async () => {
    await start();
    pair.moods({ transaction: 30, limit: 5000 });
    await pair.send('first', 'second', 'third');
    await pair.kill('journal');
    const segment = path.join(pair.data, fs.readdirSync(pair.data).find((name) => name.endsWith('.seg')) ?? '');
    const text = fs.readFileSync(segment);
    text.write('SECOND', text.indexOf('second'));
    fs.writeFileSync(segment, text);
    await pair.startJournal();
    expect(pair.log).toMatch(/damaged after \d+ bytes; the other \d+ are kept in .*\.seg\.bad and cannot be sent again/);
    expect(fs.readFileSync(`${segment}.bad`, 'utf8')).toContain('third');
  });

  test('after a start of the host everything kept is sent again', async () => {
    await start();
    await pair.send(...named('span', 10));
    await pair.settled();
    await pair.end();
    // The power was cut: the database has lost what the kernel had not written.
    fs.writeFileSync(path.join(pair.folder, 'stored'), 'span0\nspan1\n');
    const state = path.join(pair.data, 'state.json');
    fs.writeFileSync(state, JSON.stringify({ ...(JSON.parse(fs.readFileSync(state, 'utf8')) as object), boot: 'an earlier one' }));
    await pair.startPhoenix();
    await pair.startJournal();
    await pair.nothingLost();
  });

  test('a state that is damaged sends too much again, and never too little', async () => {
    await start();
    await pair.send('one', 'two');
    await pair.settled();
    await pair.kill('journal');
    fs.writeFileSync(path.join(pair.data, 'state.json'), '{"mark": 2, "ser');
    await pair.startJournal();
    await until('all to be sent again', () => pair.status(), ({ sentAgain }) => sentAgain === 2);
  });
});

describe('its bounds', () => {
  test('what is stored is deleted when it is old enough', async () => {
    await start({ keepSeconds: 0.5 });
    await pair.send(...named('span', 5));
    expect((await pair.status()).kept).toBeGreaterThan(0);
    await until('it to be deleted', () => pair.status(), ({ kept }) => kept === 0);
    // It is counted out before its file goes.
    await until('its file to be deleted', () => fs.readdirSync(pair.data), (names) => names.join() === 'state.json');
  });

  test('full of what is not stored it answers 503, and takes more when that is stored', async () => {
    await start({ mostBytes: 20_000, segmentBytes: 4000 });
    pair.moods({ commit: false });
    const answers: number[] = [];
    for (const span of named('span', 30)) {
      const { status } = await pair.post(`${span} ${'x'.repeat(1000)}\n`);
      answers.push(status);
      if (status === 200) {
        pair.sent.push(span);
      }
    }
    expect(answers.filter((status) => status === 503).length).toBeGreaterThan(5);
    expect((await pair.status()).kept).toBeLessThanOrEqual(20_000);
    pair.moods({});
    await pair.settled();
    // Younger than `keepSeconds`, and still it makes room.
    await pair.send(...named('more', 40));
    await pair.nothingLost();
  });

  (process.getuid?.() === 0 ? test : test.skip)('a full disk answers 503, and accepts nothing that it has not kept', async () => {
    const volume = tempDir();
    const mounted = spawn('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', volume], { stdio: 'inherit' });
    expect((await once(mounted, 'exit'))[0]).toBe(0);
    try {
      await start({ share: 100, keepSeconds: 1, segmentBytes: 32_768 }, true, volume);
      pair.moods({ commit: false });
      const answers: number[] = [];
      for (const span of named('span', 40)) {
        const { status } = await pair.post(`${span} ${'x'.repeat(10_000)}\n`);
        answers.push(status);
        if (status === 200) {
          pair.sent.push(span);
        }
      }
      expect(answers.at(-1)).toBe(503);
      expect(pair.log).toMatch(/No space left on device/);
      await pair.kill('journal');
      await pair.startJournal();
      pair.moods({});
      await until('what was accepted to be stored', () => pair.stored(), (stored) => pair.sent.every((span) => stored.includes(span)));
      await until('room', () => pair.post('after\n').then(({ status }) => status), (status) => status === 200);
    } finally {
      await pair.end();
      await once(spawn('umount', [volume], { stdio: 'inherit' }), 'exit');
    }
  });
});
