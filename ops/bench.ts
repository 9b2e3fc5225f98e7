/**
 * `npm run bench`: two ratios, each taken on this machine in this run.
 *
 * 1. `npm run up`, from nothing running to a verified trace, divided by `docker-compose up -d` of the
 *    seed's two services until a trace can be read. Same images, fresh volumes, everything cached.
 * 2. A preview without changes divided by the preview of an empty Pulumi program by the same route;
 *    median of several pairs in turn.
 */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { ports } from '../components/catalog';
import { ask } from '../lab/command';
import { aptInstall } from '../lab/debian';
import { projectDir } from './support/backend';
import { checkDelivery } from '../provider/delivery';
import type { Outputs } from './support/outputs';
import { Pulumi } from './support/pulumi';
import { routeOf } from './support/route';
import { Failure, main, say } from './support/say';
import { findToolchain, type Toolchain } from './support/toolchain';

const stack = 'bench';
const pairs = 5;
const execute = promisify(execFile);

main(async () => {
  const tools = await findToolchain();
  await npm('up');
  const outputs = await new Pulumi(tools, stack).outputs<Outputs>();
  const previews = await previewRatio(tools);
  await npm('down', '--purge', '--yes');

  const composeSeconds = await composeTime(outputs);
  const upSeconds = await seconds(() => npm('up'));
  await npm('down', '--purge', '--yes');

  const report = (name: string, ours: number, theirs: number, against: string): void =>
    console.log(`${name}: ${(ours / theirs).toFixed(2)} (${ours.toFixed(1)} s / ${theirs.toFixed(1)} s of ${against})`);
  report('up to a verified trace', upSeconds, composeSeconds, 'docker-compose');
  report('preview without changes', previews.ours, previews.empty, 'an empty program');
});

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started) / 1e9;
}

async function npm(command: string, ...args: string[]): Promise<void> {
  say(`npm run ${command} -- --stack ${stack} ${args.join(' ')}`);
  await execute('npm', ['run', '--silent', command, '--', '--stack', stack, ...args], { cwd: projectDir, maxBuffer: 64 << 20 });
}

/** The seed's two services with the images of the stack, until a trace that was sent to Alloy can be read. */
async function composeTime(outputs: Outputs): Promise<number> {
  const [program, ...first] = await compose();
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-'));
  fs.writeFileSync(path.join(dir, 'docker-compose.yml'), seedCompose(outputs));
  fs.writeFileSync(path.join(dir, 'config.alloy'), seedConfig);
  fs.chmodSync(dir, 0o755);
  const run = (...args: string[]): Promise<unknown> => execute(program ?? '', [...first, ...args], { cwd: dir });
  say('docker-compose up -d, until a trace can be read');
  try {
    return await seconds(async () => {
      await run('up', '-d');
      // A new trace each time: one that Alloy could not hand over waits ever longer for its next attempt.
      const deadline = Date.now() + 300_000;
      while (!(await checkDelivery(routeOf({ ...outputs, auth: false }, ''), 1_000)).ok) {
        if (Date.now() > deadline) {
          throw new Failure('The compose services delivered no trace within five minutes.');
        }
      }
    });
  } finally {
    await run('down', '--volumes');
    fs.rmSync(dir, { recursive: true });
  }
}

async function compose(): Promise<string[]> {
  if ((await ask('docker', ['compose', 'version'])) !== undefined) {
    return ['docker', 'compose'];
  }
  if ((await ask('docker-compose', ['version'])) === undefined) {
    await aptInstall(['docker-compose']);
  }
  return ['docker-compose'];
}

function seedCompose({ images, endpoints }: Outputs): string {
  const port = (url: string): string => new URL(url).port;
  return `version: "3.8"
services:
  phoenix:
    image: ${images.phoenix.name}
    user: "0:0"
    restart: unless-stopped
    ports:
      - "${port(endpoints.phoenixUi)}:${ports.phoenix.ui}"
      - "${port(endpoints.phoenixOtlpGrpc)}:${ports.phoenix.otlpGrpc}"
      - "${port(endpoints.phoenixOtlpHttp)}:${ports.phoenix.ui}"
    volumes:
      - phoenix_data:/phoenix_storage
    environment:
      PHOENIX_WORKING_DIR: /phoenix_storage
  alloy:
    image: ${images.alloy.name}
    restart: unless-stopped
    ports:
      - "${port(endpoints.otlpGrpc)}:${ports.alloy.otlpGrpc}"
      - "${port(endpoints.otlpHttp)}:${ports.alloy.otlpHttp}"
      - "${port(endpoints.alloyUi)}:${ports.alloy.ui}"
    volumes:
      - ./config.alloy:/etc/alloy/config.alloy:ro
    command: run /etc/alloy/config.alloy --storage.path=/var/lib/alloy/data --server.http.listen-addr=0.0.0.0:${ports.alloy.ui}
volumes:
  phoenix_data:
`;
}

/** The seed's config; Phoenix is where it is on one host, as there is no tunnel here. */
const seedConfig = `otelcol.receiver.otlp "default" {
	grpc {
		endpoint = "0.0.0.0:${ports.alloy.otlpGrpc}"
	}

	http {
		endpoint = "0.0.0.0:${ports.alloy.otlpHttp}"
	}

	output {
		traces = [otelcol.exporter.otlphttp.phoenix.input]
	}
}

otelcol.exporter.otlphttp "phoenix" {
	client {
		endpoint = "http://phoenix:${ports.phoenix.ui}"
	}
}
`;

async function previewRatio(tools: Toolchain): Promise<{ ours: number; empty: number }> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-'));
  const preview = (cwd: string, name: string): Promise<number> =>
    seconds(() => execute(tools.pulumi, ['preview', '--stack', name, '--non-interactive', '--expect-no-changes'], { cwd, env: { ...process.env, ...tools.env } }));
  try {
    for (const file of ['Pulumi.yaml', 'tsconfig.json', 'package.json']) {
      fs.copyFileSync(path.join(projectDir, file), path.join(dir, file));
    }
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
