import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tempDir } from './temp';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Command {
  readonly pid: number;
  /** Signals it alone, or all of its process group, as a terminal does. Default: it alone. */
  kill(signal: NodeJS.Signals, whom?: 'all' | 'one'): void;
  /** Resolves when stderr or stdout holds the text. */
  says(text: string): Promise<void>;
  readonly ended: Promise<Ended>;
}

const packages = {
  '': { name: 'clone' },
  'node_modules/tsx': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/elsewhere': { version: '1.0.0', integrity: 'sha512-b', optional: true, os: ['none'] },
};

/**
 * A fresh clone with the entry of the commands and commands of its own, and an npm that does to node_modules what the real one
 * does: empties it first, and writes its own lock file last. It waits in the middle while the file `hold` is there.
 */
export function freshClone(commands: Readonly<Record<string, string>>) {
  const root = tempDir();
  const at = (...parts: string[]): string => path.join(root, ...parts);
  fs.mkdirSync(at('ops', 'support'), { recursive: true });
  fs.mkdirSync(at('bin'));
  ['run.mjs', 'support/dependencies.mjs', 'support/one-at-a-time.mjs', 'support/process.mjs', 'support/signals.cjs'].forEach((file) => fs.copyFileSync(path.join('ops', file), at('ops', file)));
  Object.entries(commands).forEach(([name, source]) => fs.writeFileSync(at('ops', `${name}.ts`), source));
  const lockFile = (): string => JSON.stringify({ packages });
  fs.writeFileSync(at('package-lock.json'), lockFile());
  fs.writeFileSync(at('hidden.json'), JSON.stringify({ packages: { 'node_modules/tsx': packages['node_modules/tsx'] } }));
  const npm = [
    '#!/bin/sh',
    `cd '${root}'`,
    'echo "$*" >> calls',
    'echo "words of npm"',
    'rm -rf node_modules && mkdir node_modules',
    '[ -e broken ] && { echo "npm error network" >&2; exit 1; }',
    'while [ -e hold ]; do sleep 0.05; done',
    `ln -s '${path.resolve('node_modules/tsx')}' node_modules/tsx`,
    'cp hidden.json node_modules/.package-lock.json',
  ];
  fs.writeFileSync(at('bin', 'npm'), `${npm.join('\n')}\n`, { mode: 0o755 });

  return {
    root,
    at,
    /** Arguments of every run of npm. */
    npmCalls: (): string[] => (fs.existsSync(at('calls')) ? fs.readFileSync(at('calls'), 'utf8').trim().split('\n') : []),
    /** What somebody has who has run `npm ci` by hand. */
    installByHand(hidden: object = { 'node_modules/tsx': packages['node_modules/tsx'] }): void {
      fs.mkdirSync(at('node_modules'));
      fs.symlinkSync(path.resolve('node_modules/tsx'), at('node_modules', 'tsx'));
      fs.writeFileSync(at('node_modules', '.package-lock.json'), JSON.stringify({ packages: hidden }));
    },
    pull: (): void => fs.writeFileSync(at('package-lock.json'), `${lockFile()}\n`),
    run(args: readonly string[], env: NodeJS.ProcessEnv = {}, starter: readonly string[] = [process.execPath, at('ops', 'run.mjs')]): Command {
      const [program = '', ...more] = starter;
      const child = spawn(program, [...more, ...args], {
        env: { PATH: `${at('bin')}:/usr/bin:/bin`, HOME: root, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        // A group of its own, as a shell gives to each command.
        detached: true,
      });
      const texts = { stdout: '', stderr: '' };
      const waiting: (() => void)[] = [];
      (['stdout', 'stderr'] as const).forEach((name) =>
        child[name].on('data', (chunk: Buffer) => {
          texts[name] += chunk.toString();
          waiting.forEach((look) => look());
        }),
      );
      return {
        pid: child.pid ?? 0,
        kill: (signal, whom) => void process.kill(whom === 'all' ? -Number(child.pid) : Number(child.pid), signal),
        says: (text) =>
          new Promise((resolve) => {
            const look = (): void => void ((texts.stdout + texts.stderr).includes(text) && resolve());
            waiting.push(look);
            look();
          }),
        ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, ...texts }))),
      };
    },
  };
}
