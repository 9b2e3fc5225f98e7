import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { alloyStart } from '../../components/alloy-config';
import { alloyDirectories } from '../../components/catalog';
import { tempDir } from '../support/temp';

/**
 * What Alloy 1.11.0 prints about a queue that it cannot read, as it was seen: with its meta pages overwritten it runs on
 * without the exporter, with other pages overwritten or cut off it ends with a trace of bbolt, and status 2.
 */
const words = {
  started: 'ts=2026-11-29T13:04:18.838774728Z level=info msg="Starting HTTP server" component_path=/ component_id=otelcol.receiver.otlp.default endpoint=[::]:4318',
  meta: 'ts=2026-11-29T13:04:18.837400371Z level=error msg="failed to start scheduled component" component_path=/ component_id=otelcol.exporter.otlphttp.phoenix err="invalid database"',
  page: [
    'panic: assertion failed: Page expected to be: 4543, but self identifies as 2261247036370233310',
    '',
    'goroutine 53 [running]:',
    'go.etcd.io/bbolt/internal/common.Assert(...)',
    '\tgo.etcd.io/bbolt@v1.4.3/internal/common/verify.go:65',
    'go.etcd.io/bbolt.(*Tx).page(0x2f0d8e8?, 0x25b70e0?)',
    '\tgo.etcd.io/bbolt@v1.4.3/tx.go:638 +0x7a',
  ].join('\n'),
  cut: [
    'unexpected fault address 0x7f1670d21000',
    'fatal error: fault',
    '[signal SIGBUS: bus error code=0x2 addr=0x7f1670d21000 pc=0x2141aea]',
    '',
    'goroutine 99 gp=0x3a0b877525a0 m=2 mp=0x3a0b87240808 [running]:',
    'runtime.throw({0x2c35d69?, 0x2160c97?})',
    '\truntime/panic.go:1229 +0x48 fp=0x3a0b87958f30 sp=0x3a0b87958f00 pc=0x48e648',
    'go.etcd.io/bbolt/internal/common.(*Page).FastCheck(0x7f1670d21000, 0x1921)',
    '\tgo.etcd.io/bbolt@v1.4.3/internal/common/page.go:83 +0x2a fp=0x3a0b87959058 sp=0x3a0b87958f90 pc=0x2141aea',
  ].join('\n'),
  sum: 'ts=2026-11-29T14:31:02.104582417Z level=error msg="failed to start scheduled component" component_path=/ component_id=otelcol.exporter.otlphttp.phoenix err="checksum error"',
  full: 'ts=2026-11-29T14:33:40.918273645Z level=error msg="failed to start scheduled component" component_path=/ component_id=otelcol.exporter.otlphttp.phoenix err="write /var/lib/alloy/queue/exporter_otlphttp_otelcol.exporter.otlphttp.phoenix_traces: no space left on device"',
  memory: 'fatal error: runtime: cannot allocate memory\n\ngoroutine 7 gp=0x3a0b877525a0 m=2 mp=0x3a0b87240808 [running]:\nruntime.throw({0x2c35d69?, 0x2160c97?})\ngo.etcd.io/bbolt.(*DB).Update(0xed017e2da40, 0xed0180611f0)',
  other: 'panic: runtime error: invalid memory address or nil pointer dereference\n\ngoroutine 1 [running]:\nmain.main()\n\tgithub.com/grafana/alloy/main.go:42 +0x1d',
};

/** A queue on disk, and an Alloy that looks at its files: one whose text begins with a kind of damage is damaged so. */
class Host {
  readonly queue: string;
  readonly damaged: string;
  private readonly dir = tempDir();
  private running: ChildProcess | undefined;
  log = '';

  constructor(version = '1.11.0') {
    this.queue = path.join(this.dir, 'queue');
    this.damaged = path.join(this.dir, 'damaged');
    fs.mkdirSync(this.queue);
    for (const [name, text] of Object.entries(words)) {
      fs.writeFileSync(path.join(this.dir, `${name}.txt`), `${text}\n`);
    }
    fs.writeFileSync(path.join(this.dir, 'alloy'), `#!/bin/bash
echo "started $*" >>${this.dir}/starts
cd ${this.dir}
[[ ! -e always ]] || { cat page.txt >&2; exit 2; }
if [[ -e once ]]; then rm once; cat page.txt >&2; exit 2; fi
for file in queue/exporter_*; do
  case $(head -c 4 "$file" 2>/dev/null) in
    meta) cat meta.txt >&2 ;;
    sum!) cat sum.txt >&2 ;;
    full) cat full.txt >&2 ;;
    mem!) cat memory.txt >&2; exit 2 ;;
    page) cat page.txt >&2; exit 2 ;;
    cut!) cat cut.txt >&2; exit 2 ;;
    oth!) cat other.txt >&2; exit 2 ;;
    oom!) kill -KILL $$ ;;
  esac
done
trap 'echo stopped >&2; kill $!; exit 0' TERM
sleep 600 2>/dev/null &
cat started.txt >&2
wait
`, { mode: 0o755 });
    const script = alloyStart(version).replaceAll(alloyDirectories.queue, this.queue).replaceAll(alloyDirectories.damaged, this.damaged)
      .replace('/bin/alloy', path.join(this.dir, 'alloy')).replace('/tmp/unreadable', path.join(this.dir, 'unreadable'));
    fs.writeFileSync(path.join(this.dir, 'start.sh'), script);
  }

  has(file: string, text: string): void {
    fs.writeFileSync(path.join(this.queue, file), text);
  }

  failsOnce(): void {
    fs.writeFileSync(path.join(this.dir, 'once'), '');
  }

  alwaysFails(): void {
    fs.writeFileSync(path.join(this.dir, 'always'), '');
  }

  /** Starts it; resolves when Alloy takes requests. */
  async start(): Promise<void> {
    this.running = spawn('bash', [path.join(this.dir, 'start.sh'), 'run', 'a file', '--flag'], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.ended = once(this.running, 'close').then(([code]) => code as number | null);
    await new Promise<void>((resolve) => {
      this.running?.stderr?.on('data', (chunk: Buffer) => {
        this.log += chunk.toString();
        if (this.log.trimEnd().endsWith(words.started) && !this.log.includes(words.full)) {
          resolve();
        }
      });
      void this.ended.then(() => resolve());
    });
  }

  ended: Promise<number | null> = Promise.resolve(null);

  async stop(): Promise<number | null> {
    this.running?.kill('SIGTERM');
    return this.ended;
  }

  kill(): void {
    this.running?.kill('SIGKILL');
  }

  starts(): string[] {
    return fs.readFileSync(path.join(this.dir, 'starts'), 'utf8').trim().split('\n');
  }

  asides(): string[] {
    return fs.existsSync(this.damaged) ? fs.readdirSync(this.damaged).map((name) => name.replace(/^\d{8}T\d{6}Z-/, '')) : [];
  }
}

const traces = 'exporter_otlphttp_otelcol.exporter.otlphttp.phoenix_traces';
const logs = 'exporter_otlphttp_otelcol.exporter.otlphttp.phoenix_logs';

let host: Host;
afterEach(() => host.kill());

test('Alloy is given its arguments, its log is passed on, and a stop is passed to it', async () => {
  host = new Host();
  host.has(traces, 'sound');
  await host.start();
  expect(await host.stop()).toBe(0);
  expect(host.starts()).toEqual(['started run a file --flag']);
  expect(host.log).toBe(`${words.started}\nstopped\n`);
  expect(host.asides()).toEqual([]);
});

test.each(['meta', 'sum!', 'page', 'cut!'])('a file that is damaged (%s) is put aside, and said so; one that is sound is there again', async (damage) => {
  host = new Host();
  host.has(traces, `${damage} and much more of it`);
  host.has(logs, 'sound');
  await host.start();
  // As it is, twice; without the smaller one; without the damaged one.
  await waitFor(() => host.starts().length === 4);
  expect(host.asides()).toEqual([traces]);
  expect(fs.readdirSync(host.queue)).toEqual([logs]);
  expect(fs.readFileSync(path.join(host.damaged, fs.readdirSync(host.damaged)[0] ?? ''), 'utf8')).toBe(`${damage} and much more of it`);
  expect(host.log).toMatch(new RegExp(`level=warn msg="a file of the queue cannot be read: ${host.queue}/${traces} is put aside as ${host.damaged}/\\d{8}T\\d{6}Z-${traces}"`));
  await waitFor(() => host.log.trimEnd().endsWith(words.started));
  expect(await host.stop()).toBe(0);
});

test('several that are damaged are all put aside, and what is put aside does not grow', async () => {
  host = new Host();
  const names = [traces, logs, traces.replace('traces', 'metrics')];
  names.forEach((name) => host.has(name, 'page'));
  await host.start();
  expect(host.asides().sort()).toEqual([...names].sort());
  expect(fs.readdirSync(host.queue)).toEqual([]);
  // Twice as it is, without each of the three, without all.
  expect(host.starts()).toHaveLength(6);
  expect(await host.stop()).toBe(0);
});

test('an Alloy that cannot read what is not there either ends', async () => {
  host = new Host();
  host.has(traces, 'page');
  host.alwaysFails();
  await host.start();
  expect(await host.ended).toBe(1);
});

test('an exporter that does not start on a full disk ends Alloy, and keeps its queue', async () => {
  host = new Host();
  host.has(traces, 'full');
  await host.start();
  expect(await host.ended).toBe(1);
  expect(host.starts()).toHaveLength(1);
  expect(fs.readdirSync(host.queue)).toEqual([traces]);
});

test.each([1, 2, 3, 4, 5, 6])('a stop that comes before Alloy is there is not lost (%d)', async (tries) => {
  host = new Host();
  host.has(traces, 'sound');
  void host.start();
  await new Promise((resolve) => setTimeout(resolve, tries * 3));
  await host.stop();
  expect(host.asides()).toEqual([]);
});

test('once is no damage', async () => {
  host = new Host();
  host.has(traces, 'sound');
  host.failsOnce();
  await host.start();
  expect(await host.stop()).toBe(0);
  expect(host.starts()).toHaveLength(2);
  expect(host.asides()).toEqual([]);
});

test.each([['oth!', 2], ['mem!', 2], ['oom!', 137]])('an Alloy that ends for another reason (%s) ends with its status, and keeps its queue', async (reason, status) => {
  host = new Host();
  host.has(traces, reason);
  await host.start();
  expect(await host.ended).toBe(status);
  expect(host.starts()).toHaveLength(1);
  expect(host.asides()).toEqual([]);
});

test('what cannot be put aside ends it', async () => {
  host = new Host();
  host.has(traces, 'page');
  fs.writeFileSync(host.damaged, 'a file is in the way');
  await host.start();
  expect(await host.ended).toBe(1);
  expect(fs.readdirSync(host.queue)).toEqual([traces]);
});

describe('a version that names the files differently', () => {
  const renamed = traces.replace('exporter_otlphttp_', 'exporter_otlp_http_');

  test.each([['1.15.0', traces, renamed], ['1.18.1', traces, renamed], ['1.14.2', renamed, traces], ['1.11.0', renamed, traces]])('%s goes on with what waits in %s', async (version, before, after) => {
    host = new Host(version);
    host.has(before, 'waiting');
    await host.start();
    expect(fs.readdirSync(host.queue)).toEqual([after]);
    expect(host.log).toContain(`the queue goes on from ${host.queue}/${before}`);
    await host.stop();
  });

  test('leaves both where there are two, and says so', async () => {
    host = new Host('1.18.1');
    host.has(traces, 'old');
    host.has(renamed, 'new');
    await host.start();
    expect(fs.readdirSync(host.queue).sort()).toEqual([renamed, traces].sort());
    expect(host.log).toContain(`${host.queue}/${traces} is of another version of Alloy and stays: ${host.queue}/${renamed} is there too`);
    await host.stop();
  });
});

/** Waits until something holds; the test's own time limit ends it. */
async function waitFor(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
