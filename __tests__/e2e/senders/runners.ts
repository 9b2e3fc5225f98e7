import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { build } from 'esbuild';
import { aptInstall, ask } from '../../../lab';
import type { Snippet } from '../../support/snippets';
import { tempDir } from '../../support/temp';
import { endsWithTests, nobody } from '../../support/web';
import { until } from '../checkout';
import { goModule, type Programs } from './programs';

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A stack and what the programs of the snippets find around them. */
export interface Surroundings extends Programs {
  /** Ports of the stack's Alloy. */
  readonly ports: { readonly http: number; readonly grpc: number };
  readonly env: Readonly<Record<string, string>>;
}

/** Another stack than the usual one has other ports; nothing else of a snippet changes. */
export function atPorts(code: string, { ports }: Pick<Surroundings, 'ports'>): string {
  return code.replaceAll('localhost:4318', `localhost:${ports.http}`).replaceAll('localhost:4317', `localhost:${ports.grpc}`);
}

type Runner = (code: string, surroundings: Surroundings) => Promise<Ended>;

const byLanguage: Readonly<Record<string, Runner>> = {
  python: (code, { python, env }) => run(python, ['snippet.py'], folderWith('snippet.py', code), env),
  js: (code, { node, env }) => run('node', ['snippet.mjs'], withModules(folderWith('snippet.mjs', code), node), env),
  go: async (code, { go, env }) => {
    const folder = folderWith('main.go', code);
    await goModule(folder);
    return run(go, ['run', '.'], folder, env);
  },
  java: (code, { java, env }) => run('java', ['-cp', path.join(java, '*'), 'Main.java'], folderWith('Main.java', code), env),
  sh: (code, { python, claude, env }) => {
    const folder = folderWith('snippet.sh', code);
    const bin = path.join(folder, 'bin');
    fs.mkdirSync(bin);
    // The scripts of a virtual environment have the path in them at which it was made.
    const program = (name: string, script: string): void => fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    program('python', `exec '${python}' "$@"`);
    program('opentelemetry-instrument', `exec '${python}' -c 'from opentelemetry.instrumentation.auto_instrumentation import run; run()' "$@"`);
    fs.symlinkSync(claude, path.join(bin, 'claude'));
    return run('sh', ['-e', 'snippet.sh'], folder, { ...env, HOME: folder, PATH: `${bin}:${process.env['PATH']}` });
  },
  yaml: runCollector,
};

const byTitle: Readonly<Record<string, Runner>> = { 'A browser': runBrowser };

export const languages = Object.keys(byLanguage);

const runnerOf = ({ title, language }: Snippet): Runner | undefined => byTitle[title] ?? byLanguage[language];

export const isRun = (snippet: Snippet): boolean => runnerOf(snippet) !== undefined;

/** Runs a snippet in an empty folder to its end. */
export function runSnippet(snippet: Snippet, surroundings: Surroundings): Promise<Ended> {
  const runner = runnerOf(snippet);
  if (runner === undefined) {
    throw new Error(`nothing runs ${snippet.language}`);
  }
  return runner(atPorts(snippet.code, surroundings), surroundings);
}

/** Runs the snippet of the page about browsers in one that opens it by another name of this machine. */
export const browseAs = (host: string, { code }: Snippet, surroundings: Surroundings): Promise<Ended> => runBrowser(atPorts(code, surroundings), surroundings, host);

function folderWith(name: string, code: string): string {
  const folder = tempDir();
  fs.writeFileSync(path.join(folder, name), code);
  return folder;
}

function withModules(folder: string, node: string): string {
  fs.symlinkSync(path.join(node, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

/** Variables of whoever runs the tests that the libraries would read. */
const theirs = /^(OTEL|PHOENIX|OPENAI|ANTHROPIC|CLAUDE|TRACELOOP|LITELLM|NODE|npm|JEST)_|^CLAUDECODE$/;

function start(program: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): { end: () => void; ended: Promise<Ended> } {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !theirs.test(name)));
  const child = spawn(program, args, { cwd, env: { ...own, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
  return { end: () => void child.kill('SIGTERM'), ended };
}

function run(program: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  return start(program, args, cwd, env).ended;
}

/** Starts the Collector, sends it a span without a project, and stops it. */
async function runCollector(code: string, { collector, env }: Surroundings): Promise<Ended> {
  if (collector === undefined) {
    throw new Error('there is no Collector');
  }
  const own = new URL(await nobody());
  const { end, ended } = start(collector, ['--config', 'config.yaml'], folderWith('config.yaml', code.replace('localhost:5318', own.host)), env);
  const now = `${Date.now()}000000`;
  const span = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name: 'answer', kind: 1, startTimeUnixNano: now, endTimeUnixNano: now };
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  try {
    await Promise.race([
      until('the Collector', async () => (await fetch(`${own.origin}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).ok),
      ended.then(({ output }) => Promise.reject(new Error(output))),
    ]);
  } finally {
    end();
  }
  return ended;
}

/** @param host by which the page is opened: part of its origin */
async function runBrowser(code: string, { node }: Surroundings, host = 'localhost'): Promise<Ended> {
  const done = "provider.forceFlush().then(() => fetch('/done'), (error) => fetch(`/done?${encodeURIComponent(error)}`));\n";
  const folder = withModules(folderWith('page.js', `${code}\n${done}`), node);
  const { outputFiles } = await build({ entryPoints: [path.join(folder, 'page.js')], bundle: true, format: 'esm', platform: 'browser', write: false });
  const { port, failed } = await pageServer(outputFiles[0]?.text ?? '');
  const { end, ended } = start(await chromium(), ['--headless', '--no-sandbox', `--user-data-dir=${path.join(folder, 'profile')}`, `http://${host}:${port}/`], folder, { HOME: folder });
  try {
    const error = await Promise.race([failed, ended.then(({ output }) => Promise.reject(new Error(output)))]);
    return { code: error === '' ? 0 : 1, output: error };
  } finally {
    end();
    await ended;
  }
}

/** A page with a script. `failed` is what the script says of its sending when it is done; empty where it has gone well. */
async function pageServer(script: string): Promise<{ port: number; failed: Promise<string> }> {
  const server = http.createServer();
  const failed = new Promise<string>((resolve) => {
    server.on('request', (request, response) => {
      const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
      response.writeHead(200, { 'content-type': 'text/html' }).end(pathname === '/' ? `<script type="module">${script}</script>` : '');
      if (pathname === '/done') {
        resolve(decodeURIComponent(search.slice(1)));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endsWithTests(server);
  return { port: (server.address() as AddressInfo).port, failed };
}

async function chromium(): Promise<string> {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    if ((await ask(name, ['--version'])) !== undefined) {
      return name;
    }
  }
  await aptInstall(['chromium']);
  return 'chromium';
}
