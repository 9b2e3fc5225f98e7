/**
 * `npm run bench`: three ratios, each measured on this machine in this run.
 *
 * 1. `npm run up`, from nothing running to a verified trace, divided by `docker-compose up -d` of the
 *    seed's two services until a trace can be read. Same images, fresh volumes, everything cached.
 * 2. A preview without changes divided by the preview of an empty Pulumi program, run the same way;
 *    median of several alternating pairs.
 * 3. `npm run preview` of three stacks at once divided by the sum of three single ones.
 */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { bench } from './commands';
import { main } from './support/command-line';
import { projectDir } from './support/backend';
import { checkDelivery } from '../provider/delivery';
import type { Outputs } from './support/outputs';
import { seedOf } from './support/faults/seed';
import { plainOf, settingsOf } from './support/preview/workspace';
import { Pulumi } from './support/pulumi';
import { routeOf } from './support/route';
import { previewing } from './support/run-tools';
import { Failure, say } from './support/say';
import { findToolchain, type Toolchain } from './support/toolchain';

const stack = 'bench';
const pairs = 5;
const execute = promisify(execFile);

main(bench.action(async () => {
  const tools = await findToolchain();
  await npm('up', '--yes');
  const pulumi = new Pulumi(tools, stack);
  const outputs = await pulumi.outputs<Outputs>();
  // With the images of the deployment: different ones would be a change.
  const previews = await previewRatio(await previewing(tools, stack, plainOf(settingsOf(stack)), await pulumi.state()));
  const pages = await pagesTime();
  await npm('down', '--purge', '--yes');

  const composeSeconds = await composeTime(outputs);
  const upSeconds = await seconds(() => npm('up', '--yes'));
  await npm('down', '--purge', '--yes');

  const report = (name: string, ours: number, theirs: number, against: string): void =>
    console.log(`${name}: ${(ours / theirs).toFixed(2)} (${ours.toFixed(1)} s / ${theirs.toFixed(1)} s of ${against})`);
  report('up to a verified trace', upSeconds, composeSeconds, 'docker-compose');
  report('preview without changes', previews.ours, previews.empty, 'an empty program');
  report('page of three stacks', pages.together, pages.single, 'three single ones');
}));

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started) / 1e9;
}

function npm(command: string, ...args: string[]): Promise<void> {
  return run(command, '--stack', stack, ...args);
}

async function run(command: string, ...args: string[]): Promise<void> {
  say(`npm run ${command} -- ${args.join(' ')}`);
  await execute('npm', ['run', '--silent', command, '--', ...args], { cwd: projectDir, maxBuffer: 64 << 20 });
}

/** The previews of three stacks that do not exist yet, together and each by itself. */
async function pagesTime(): Promise<{ together: number; single: number }> {
  const stacks = ['a', 'b', 'c'].map((name) => `${stack}-${name}`);
  const page = (...names: string[]): Promise<number> => seconds(() => run('preview', '--offline', ...names.flatMap((name) => ['--stack', name])));
  const together = await page(...stacks);
  let single = 0;
  for (const name of stacks) {
    single += await page(name);
  }
  return { together, single };
}

/** The seed's two services with the images of the stack, until a trace that was sent to Alloy can be read. */
async function composeTime(outputs: Outputs): Promise<number> {
  const seed = await seedOf(outputs);
  say('docker-compose up -d, until a trace can be read');
  try {
    return await seconds(async () => {
      await seed.compose('up', '-d');
      // A new trace each time: for one that Alloy could not deliver, the delay between attempts grows.
      const deadline = Date.now() + 300_000;
      while (!(await checkDelivery(routeOf({ ...outputs, auth: false }, ''), 1_000)).ok) {
        if (Date.now() > deadline) {
          throw new Failure('The compose services delivered no trace within five minutes.');
        }
      }
    });
  } finally {
    await seed.remove();
  }
}

async function previewRatio(tools: Toolchain): Promise<{ ours: number; empty: number }> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-'));
  const preview = (cwd: string, name: string): Promise<number> =>
    seconds(() => execute(tools.pulumi, ['preview', '--stack', name, '--non-interactive', '--expect-no-changes'], { cwd, env: { ...process.env, ...tools.env } }));
  try {
    for (const file of ['tsconfig.json', 'tsconfig.pulumi.json', 'package.json']) {
      fs.copyFileSync(path.join(projectDir, file), path.join(dir, file));
    }
    // The same runtime without a provider: an empty program has none.
    fs.writeFileSync(path.join(dir, 'Pulumi.yaml'), fs.readFileSync(path.join(projectDir, 'Pulumi.yaml'), 'utf8').replace(/^plugins:\n(?: .*\n)*/m, ''));
    fs.symlinkSync(path.join(projectDir, 'node_modules'), path.join(dir, 'node_modules'));
    fs.writeFileSync(path.join(dir, 'index.ts'), "import '@pulumi/pulumi';\n");
    const empty = async (...args: string[]): Promise<unknown> => execute(tools.pulumi, args, { cwd: dir, env: { ...process.env, ...tools.env } });
    await empty('stack', 'init', `${stack}-empty`);
    await empty('up', '--yes', '--non-interactive', '--stack', `${stack}-empty`);
    const times: { ours: number; empty: number }[] = [];
    for (let pair = 0; pair < pairs; pair += 1) {
      say(`previews, pair ${pair + 1} of ${pairs}`);
      times.push({ ours: await preview(projectDir, stack), empty: await preview(dir, `${stack}-empty`) });
    }
    await empty('destroy', '--yes', '--non-interactive', '--remove', '--stack', `${stack}-empty`);
    const byRatio = times.sort((a, b) => a.ours / a.empty - b.ours / b.empty);
    return byRatio[Math.floor(pairs / 2)] ?? { ours: NaN, empty: NaN };
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
