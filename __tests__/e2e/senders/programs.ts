/** What the snippets of docs/senders.md need, from package registries, kept in the project's cache. */
import { copyFile, rename, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { aptInstall, ask, buildGoProgram, ensure, goCommand, pythonWith, recipeFile } from '../../../lab';

const list = (name: string): string => path.join(__dirname, name);

export interface Programs {
  /** Python with the packages. */
  readonly python: string;
  /** Folder with a `node_modules`. */
  readonly node: string;
  readonly go: string;
  /** Folder with jars. */
  readonly java: string;
  /** Undefined where it is left out. */
  readonly collector: string | undefined;
  readonly claude: string;
}

/** It takes minutes to compile, which a run of all tests does not have: the workflow that runs each night does. */
export const withCollector = process.env['E2E_COLLECTOR'] === 'true' || process.env['E2E_PUBLISHED'] === 'true';

/** One after the other: each of them keeps a small machine busy. */
export async function programs(): Promise<Programs> {
  return {
    python: await pythonWith('python-senders', list('requirements.txt'), { minutes: 2, cache: 800 }),
    node: await node(),
    java: await java(),
    go: await goCommand('the snippet in Go'),
    collector: withCollector ? await collector() : undefined,
    claude: await claude(),
  };
}

function node(): Promise<string> {
  const inputs = recipeFile(list('package-lock.json'));
  return ensure({ name: 'node-senders', version: '1', inputs, from: 'npm', cost: { minutes: 0.5, cache: 130 } }, async (build) => {
    await Promise.all(['package.json', 'package-lock.json'].map((name) => copyFile(list(name), path.join(build.dir, name))));
    await build.run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: build.dir });
  });
}

async function claude(): Promise<string> {
  const inputs = recipeFile(list('claude-code/package.json'));
  const recipe = { name: 'claude-code-senders', version: '1', inputs, from: 'npm', cost: { minutes: 0.5, cache: 390 } };
  const dir = await ensure(recipe, async (build) => {
    await copyFile(list('claude-code/package.json'), path.join(build.dir, 'package.json'));
    // Without a lock file: one would bring its programs for all machines.
    await build.run('npm', ['install', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: build.dir });
    await build.run('node', [path.join('node_modules', '@anthropic-ai', 'claude-code', 'install.cjs')], { cwd: build.dir });
  });
  return path.join(dir, 'node_modules', '.bin', 'claude');
}

async function java(): Promise<string> {
  // A machine may have the packages from before, and no Java.
  if ((await ask('java', ['-version'])) === undefined) await aptInstall(['default-jdk-headless']);
  const inputs = recipeFile(list('pom.xml'));
  return ensure({ name: 'java-senders', version: '1', inputs, from: 'Maven Central', cost: { minutes: 0.5, cache: 5 } }, async (build) => {
    if ((await ask('mvn', ['-version'])) === undefined) await aptInstall(['maven']);
    const repository = path.join(build.dir, 'repository');
    await build.run('mvn', ['-B', '-q', `-Dmaven.repo.local=${repository}`, '-f', list('pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${build.dir}`]);
    await rm(repository, { recursive: true });
  });
}

/** A Collector as OpenTelemetry's builder makes it. */
async function collector(): Promise<string> {
  const inputs = recipeFile(list('collector.yaml'));
  const version = /otlpreceiver (v\S+)/.exec(inputs)?.[1] ?? '';
  const recipe = { name: 'otelcol-senders', version, inputs, from: 'the Go module proxy', cost: { minutes: 4, cache: 40, go: 900 } };
  const dir = await ensure(recipe, async (build) => {
    await buildGoProgram(build, { module: 'go.opentelemetry.io/collector/cmd/builder', version }, 'builder');
    const folder = path.dirname(await goCommand('the Collector'));
    const env = { CGO_ENABLED: '0', ...(path.isAbsolute(folder) ? { PATH: `${folder}:${process.env['PATH']}` } : {}) };
    build.phase('compiling the Collector');
    await copyFile(list('collector.yaml'), path.join(build.dir, 'collector.yaml'));
    await build.run(path.join(build.dir, 'bin', 'builder'), ['--config', 'collector.yaml'], { cwd: build.dir, env });
    await rename(path.join(build.dir, 'source', 'otelcol'), path.join(build.dir, 'otelcol'));
    await Promise.all(['source', 'bin'].map((name) => rm(path.join(build.dir, name), { recursive: true })));
  });
  return path.join(dir, 'otelcol');
}

/** Module file and checksums of the snippet in Go, into its folder. */
export async function goModule(folder: string): Promise<void> {
  await Promise.all(['go.mod', 'go.sum'].map((name) => copyFile(path.join(list('go'), name), path.join(folder, name))));
}

