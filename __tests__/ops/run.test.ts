import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { freshClone, type Command } from '../support/fresh-clone';
import { tempDir } from '../support/temp';

jest.setTimeout(60_000);

const ci = 'ci --include=dev --no-audit --no-fund --loglevel=error';
const commands = {
  hello: 'process.stdout.write(JSON.stringify(process.argv.slice(2)));',
  fails: 'process.exitCode = 7;',
  waits: "['SIGINT', 'SIGTERM', 'SIGHUP'].forEach((name) => process.on(name, () => console.error(name))); console.error('at work'); setInterval(() => require('fs').existsSync('end') && process.exit(0), 20);",
  works: "console.error('at work'); setInterval(() => {}, 1000);",
  tidies: "process.on('SIGTERM', () => { console.error('tidying'); process.exit(5); }); setInterval(() => {}, 1000); console.error('at work');",
};

let clone: ReturnType<typeof freshClone>;
beforeEach(() => {
  clone = freshClone(commands);
});

describe('the dependencies', () => {
  test('are installed by the first command, on stderr, and by no other', async () => {
    expect(await clone.run(['hello', '--json', 'x y']).ended).toEqual({
      code: 0,
      stdout: '["--json","x y"]',
      stderr: 'Installing the dependencies (npm ci) …\nwords of npm\n',
    });
    expect(await clone.run(['hello'], { NODE_ENV: 'production' }).ended).toEqual({ code: 0, stdout: '[]', stderr: '' });
    expect(clone.npmCalls()).toEqual([ci]);
  });

  test('are installed again when the lock file has changed', async () => {
    await clone.run(['hello']).ended;
    clone.pull();
    fs.writeFileSync(clone.at('node_modules', '.package-lock.json'), '{"packages":{}}');
    expect((await clone.run(['hello']).ended).code).toBe(0);
    expect(clone.npmCalls()).toEqual([ci, ci]);
  });

  test('that somebody has installed by hand are taken', async () => {
    clone.installByHand();
    expect(await clone.run(['hello']).ended).toEqual({ code: 0, stdout: '[]', stderr: '' });
  });

  test.each<[string, object]>([
    ['of another version', { 'node_modules/tsx': { version: '0.9.0', integrity: 'sha512-a' } }],
    ['of other content', { 'node_modules/tsx': { version: '1.0.0', integrity: 'sha512-c' } }],
    ['without those for development', {}],
  ])('%s are not', async (_, hidden) => {
    clone.installByHand(hidden);
    expect((await clone.run(['hello']).ended).code).toBe(0);
    expect(clone.npmCalls()).toEqual([ci]);
  });

  test('that cannot be had: the words of npm, what to do, and another attempt by the next command', async () => {
    fs.writeFileSync(clone.at('broken'), '');
    const { code, stdout, stderr } = await clone.run(['hello']).ended;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/npm error network\nnpm ci failed; its message is above, and the next command tries again.*\n {4}export HTTPS_PROXY=/);
    fs.rmSync(clone.at('broken'));
    expect(await clone.run(['hello']).ended).toMatchObject({ code: 0, stdout: '[]' });
  });

  test('without an npm', async () => {
    fs.rmSync(clone.at('bin', 'npm'));
    const { code, stderr } = await clone.run(['hello'], { PATH: clone.at('bin') }).ended;
    expect(code).toBe(127);
    expect(stderr).toMatch(/npm: spawn npm ENOENT/);
  });

  test('two commands at once: one installs, the other says who does, and waits', async () => {
    fs.writeFileSync(clone.at('hold'), '');
    const first = clone.run(['hello']);
    await first.says('words of npm');
    const second = clone.run(['hello', 'second']);
    await second.says(`Another command installs the dependencies (process ${first.pid}@${os.hostname()}); waiting for it to finish.`);
    fs.rmSync(clone.at('hold'));
    expect(await first.ended).toMatchObject({ code: 0, stdout: '[]' });
    expect(await second.ended).toMatchObject({ code: 0, stdout: '["second"]' });
    expect(clone.npmCalls()).toEqual([ci]);
    expect(fs.readdirSync(clone.at('.')).filter((name) => name.startsWith('.npm-ci'))).toEqual([]);
  });

  test('that were killed in the middle: the next command takes over and installs again', async () => {
    fs.writeFileSync(clone.at('hold'), '');
    const killed = clone.run(['hello']);
    await killed.says('words of npm');
    killed.kill('SIGKILL');
    // npm itself may still be at work on what the next one empties.
    fs.rmSync(clone.at('hold'));
    await killed.ended;
    fs.rmSync(clone.at('node_modules'), { recursive: true, force: true });
    expect(await clone.run(['hello']).ended).toMatchObject({ code: 0, stdout: '[]' });
    expect(clone.npmCalls()).toEqual([ci, ci]);
  });

  test('stopped by a supervisor: npm is too, nothing is run, and the lock is gone', async () => {
    fs.writeFileSync(clone.at('hold'), '');
    const run = clone.run(['hello']);
    await run.says('words of npm');
    run.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 143, stdout: '' });
    expect(fs.readdirSync(clone.at('.')).filter((name) => name.startsWith('.npm-ci'))).toEqual([]);
  });

  test('where no lock can be made', async () => {
    // As in a folder that may not be written to, which root always may.
    fs.mkdirSync(clone.at('.npm-ci.lock'));
    const { code, stderr } = await clone.run(['hello']).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The dependencies cannot be installed in .*: E[A-Z]+.*\n {4}ls -ld /);
  });

  test('the lock of somebody who shows no sign of life on another host is taken over', () => {
    const lock = path.join(tempDir(), 'lock');
    fs.symlinkSync('1@elsewhere', lock);
    const script = `import { oneAtATime } from '${path.resolve('ops/support/one-at-a-time.mjs')}';
      console.log(await oneAtATime(${JSON.stringify(lock)}, async () => 'done', { held: (owner) => console.log(owner), everyMs: 10, staleMs: 200 }));`;
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe('1@elsewhere\ndone\n');
    expect(fs.readdirSync(path.dirname(lock))).toEqual([]);
  });

  test('of many at once, each runs alone', async () => {
    const dir = tempDir();
    const script = `import { oneAtATime } from '${path.resolve('ops/support/one-at-a-time.mjs')}'; import fs from 'node:fs';
      await oneAtATime('${dir}/lock', async () => { fs.mkdirSync('${dir}/inside'); await new Promise((r) => setTimeout(r, 20)); fs.rmdirSync('${dir}/inside'); }, { everyMs: 5 });`;
    fs.symlinkSync(`999999999@${os.hostname()}`, path.join(dir, 'lock'));
    const shell = Array.from({ length: 8 }, () => `"$0" --input-type=module -e "$1" & pids="$pids $!"`).join('\n');
    const { status, stderr } = spawnSync('sh', ['-c', `${shell}\nfor pid in $pids; do wait $pid || exit 1; done`, process.execPath, script], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(fs.readdirSync(dir)).toEqual([]);
  });
});

describe('the command', () => {
  beforeEach(() => clone.installByHand());

  test('decides about the exit code', async () => {
    expect((await clone.run(['fails']).ended).code).toBe(7);
  });

  test.each([
    ['that are all well', 0, ['tsc --noEmit', 'eslint .', 'jest a --ci']],
    ['of which one fails, which is the last', 3, ['tsc --noEmit', 'eslint .']],
  ])('test is several programs %s', async (_, code, ran) => {
    const program = (name: string, file: string, ended: number): void => {
      fs.mkdirSync(path.dirname(clone.at('node_modules', file)), { recursive: true });
      fs.writeFileSync(clone.at('node_modules', file), `console.log(['${name}', ...process.argv.slice(2)].join(' ')); process.exitCode = ${ended};`);
    };
    program('tsc', 'typescript/bin/tsc', 0);
    program('eslint', 'eslint/bin/eslint.js', code);
    program('jest', 'jest/bin/jest.js', 0);
    expect(await clone.run(['test', 'a', '--ci']).ended).toEqual({ code, stdout: `${ran.join('\n')}\n`, stderr: '' });
  });

  test('gets the signal of a supervisor, and is waited for', async () => {
    const run = clone.run(['tidies']);
    await run.says('at work');
    run.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 5, stderr: 'at work\ntidying\n' });
  });

  test('that ends by a signal: 128 and its number', async () => {
    const run = clone.run(['works']);
    await run.says('at work');
    run.kill('SIGTERM');
    expect((await run.ended).code).toBe(128 + os.constants.signals.SIGTERM);
  });

  test.each(['node ops/run.mjs', 'npm run'] as const)('started by %s hears a signal once, to one of its processes or to all, and is waited for', async (by) => {
    const start = (own: typeof clone): Command => {
      if (by === 'node ops/run.mjs') {
        return own.run(['waits']);
      }
      fs.writeFileSync(own.at('package.json'), JSON.stringify({ scripts: { waits: 'exec node ops/run.mjs waits' } }));
      const npm = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
      return own.run(['waits'], { PATH: process.env['PATH'], NO_UPDATE_NOTIFIER: '1' }, [npm, '--prefix', own.root, 'run', '--silent']);
    };
    const hears = async (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', whom: 'one' | 'all'): Promise<object> => {
      const own = freshClone(commands);
      own.installByHand();
      const run = start(own);
      await run.says('at work');
      run.kill(signal, whom);
      await run.says(signal);
      const gone = signal === 'SIGHUP' && by === 'npm run';
      if (!gone) {
        // Whoever stops it later is heard too, and what was sent before has come by then.
        const next = signal === 'SIGINT' ? 'SIGTERM' : 'SIGINT';
        const again = setInterval(() => run.kill(next), 100);
        await run.says(next).finally(() => clearInterval(again));
      }
      fs.writeFileSync(own.at('end'), '');
      const { code, stderr } = await run.ended;
      return { signal, whom, heard: stderr.split('\n').filter((line) => line === signal), code: gone && code === null ? 'gone' : code };
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    // `kill`, and a supervisor of one process; Ctrl-C, `timeout`, and a terminal that is closed. They wait most of the time: all at once.
    const all = (['one', 'all'] as const).flatMap((whom) => signals.map((signal) => [signal, whom] as const));
    expect(await Promise.all(all.map(([signal, whom]) => hears(signal, whom)))).toEqual(
      all.map(([signal, whom]) => ({ signal, whom, heard: [signal], code: signal === 'SIGHUP' && by === 'npm run' ? 'gone' : 0 })),
    );
  });

  test('is not run by a Node that is too old', async () => {
    const preload = path.join(tempDir(), 'old.cjs');
    fs.writeFileSync(preload, "Object.defineProperty(process.versions, 'node', { value: '18.20.8' });");
    expect(await clone.run(['hello'], { NODE_OPTIONS: `--require ${preload}` }).ended).toEqual({
      code: 2, stdout: '', stderr: 'Node 18.20.8 is too old: 20 is the oldest that is supported.\n    nvm install 22   # or from https://nodejs.org\n',
    });
  });

  test('is not run by Windows itself', async () => {
    const preload = path.join(tempDir(), 'windows.cjs');
    fs.writeFileSync(preload, "Object.defineProperty(process, 'platform', { value: 'win32' });");
    expect(await clone.run(['hello'], { NODE_OPTIONS: `--require ${preload}` }).ended).toEqual({
      code: 2, stdout: '', stderr: 'Windows by itself is not supported: Linux, macOS, and Windows through WSL 2 are.\n    wsl --install\n',
    });
    // cmd.exe has no `exec`, with which npm calls every command; a file of that name in the folder it takes.
    expect(fs.readFileSync('exec.cmd', 'utf8').split('\n').filter((line) => !line.startsWith('@rem'))).toEqual(['@%*', '']);
  });

  test('that is none', async () => {
    const { code, stderr } = await clone.run(['upp']).ended;
    expect(code).toBe(2);
    expect(stderr).toBe("There is no command 'upp'. There are e2e, fails, hello, lint, test, tidies, typecheck, waits, works.\n    npm run help\n");
  });

  test('that nobody names is the list of them', async () => {
    expect(await freshClone({ help: "console.log('the list')" }).run([]).ended).toMatchObject({ code: 0, stdout: 'the list\n' });
  });

  test('has the folder of Node on PATH, also where Node was called by its path alone', async () => {
    const { stdout } = await freshClone({ where: 'process.stdout.write(process.env.PATH)' }).run(['where']).ended;
    expect(stdout.split(':').at(-1)).toBe(path.dirname(process.execPath));
  });

  test('gets to know from where it was called', async () => {
    expect((await freshClone({ where: 'process.stdout.write(process.env.INIT_CWD)' }).run(['where'], { INIT_CWD: '/somewhere' }).ended).stdout).toBe('/somewhere');
    expect((await freshClone({ where: 'process.stdout.write(process.env.INIT_CWD)' }).run(['where']).ended).stdout).toBe(process.cwd());
  });
});
