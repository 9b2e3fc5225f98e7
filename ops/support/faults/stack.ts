import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { images, users } from '../../../components/catalog';
import { hostName, stackLabel } from '../../../components/names';
import { portKeys } from '../../../settings/ports';
import { keys } from '../../../settings/keys';
import { engineGet, type Engine } from '../../../engine';
import { projectDir } from '../backend';
import { surveyImages } from '../image-survey';
import { imagesOfRun } from '../images';
import { laboratory } from '../lab';
import type { Outputs } from '../outputs';
import { projectName, writeStackFile } from '../project';
import { Pulumi } from '../pulumi';
import { pullImages } from '../pull';
import { loginsOf } from '../registry-login';
import { Failure, say } from '../say';
import { findToolchain } from '../toolchain';
import { Container } from './container';
import type { Needs } from './faults';
import { begin, helperLabel, must, once, removeLabelled } from './helper';
import type { Target } from './target';

const execute = promisify(execFile);
const ownerOf = { alloy: users.alloy, phoenix: users.phoenix };

/**
 * A stack created for faults, under a unique name: its own ports, settings and state. `remove` leaves nothing of it.
 */
export class OwnStack {
  readonly name = `faults-${randomBytes(3).toString('hex')}`;
  private readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), 'llm-observability-faults-'));
  private running: Promise<unknown> = Promise.resolve();
  /** Known once the stack is deployed. */
  outputs: Outputs | undefined;

  constructor(private readonly engine: Engine) {}

  /** Deploys it. @param image with Python, for actions from outside; needed for a separate disk */
  async deploy({ config = {}, disk }: Needs, image: string): Promise<Target> {
    const { claimLabel } = await laboratory();
    await Promise.all(this.labels.map(claimLabel));
    if (disk) {
      await this.makeDisk(disk, image);
    }
    await this.up('-c', `ports:offset=${await freeOffset()}`, '-c', 'alloy:bind=127.0.0.1', ...Object.entries(config).flatMap(([key, value]) => ['-c', `${key}=${value}`]));
    return this.target();
  }

  private async target(): Promise<Target> {
    const outputs = await new Pulumi(await findToolchain(this.backend()), this.name).outputs<Outputs>();
    this.outputs = outputs;
    const { engine } = this;
    const { containers, endpoints, volumes, images } = outputs;
    const helper = images.phoenix.name;
    return {
      receiver: endpoints.otlpHttp,
      alloyUi: endpoints.alloyUi,
      phoenix: new Container(engine, containers.phoenix, 'python3', helper),
      alloy: new Container(engine, containers.alloy, 'bash', helper),
      gate: new Container(engine, containers.gate, 'bash', helper),
      inVolume: (part, script) => once(engine, helper, script, [], { volumes: { '/volume': part === 'queue' ? volumes.alloy : hostName('alloy', this.name, 'secrets') } }),
      up: (...args) => this.up(...args),
    };
  }

  /** Whatever its condition. */
  async remove(): Promise<void> {
    // A deployment that is under way would create more.
    await this.running.catch(() => undefined);
    for (const label of this.labels) {
      await removeLabelled(this.engine, label);
    }
    writeStackFile(this.name, undefined);
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  private async up(...args: string[]): Promise<void> {
    const run = execute(process.execPath, ['ops/run.mjs', 'up', '--stack', this.name, '--yes', ...args], { cwd: projectDir, env: { ...process.env, ...this.backend() }, maxBuffer: 64 << 20 });
    this.running = run;
    await run.catch(({ stderr = '' }: { stderr?: string }) => {
      throw new Failure(`npm run up -- ${args.join(' ')} failed:\n${stderr.trim().split('\n').slice(-25).join('\n')}`);
    });
  }

  /** Everything that it creates has one of these. */
  private get labels(): readonly string[] {
    return [`${stackLabel}=${projectName}/${this.name}`, `${helperLabel}=${this.name}`];
  }

  /** Its state is in its own folder, with a passphrase that nobody needs again. */
  private backend(): Record<string, string> {
    const [backend, passphrase] = ['backend', 'passphrase'].map((name) => path.join(this.dir, name)) as [string, string];
    if (!fs.existsSync(passphrase)) {
      fs.mkdirSync(backend);
      fs.writeFileSync(passphrase, randomBytes(24).toString('base64url'), { mode: 0o600 });
    }
    return { PULUMI_BACKEND_URL: `file://${backend}`, PULUMI_CONFIG_PASSPHRASE_FILE: passphrase };
  }

  /**
   * The deployment finds a small volume in memory under that name. A container that does nothing keeps it mounted, with its
   * content, while the others restart.
   */
  private async makeDisk({ of, MiB }: NonNullable<Needs['disk']>, image: string): Promise<void> {
    const volume = hostName(of, this.name, 'data');
    const [uid, gid] = ownerOf[of].split(':');
    const labels = { [helperLabel]: this.name };
    // A volume without an owner is refused: it may hold data that somebody needs.
    const own = { ...labels, [stackLabel]: `${projectName}/${this.name}` };
    await must(this.engine, 'POST', '/volumes/create', { Name: volume, Driver: 'local', DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: `size=${MiB}m,uid=${uid},gid=${gid},mode=0750` }, Labels: own });
    await begin(this.engine, image, 'import signal; signal.pause()', [], { volumes: { '/volume': volume }, labels });
  }
}

/** The image of Phoenix that a stack without settings uses, which has Python; it is then on the engine. */
export async function phoenixImage(engine: Engine): Promise<string> {
  const run = { stack: 'faults', again: 'npm run faults', logins: loginsOf({}) };
  const { images: chosen, pull } = await imagesOfRun(engine, await surveyImages(engine, {}), {}, { ...run, consent: 'yes' });
  await pullImages(engine, pull, run);
  return { ...images, ...chosen }.phoenix;
}

/** An offset with which all ports of a stack are free on this machine. */
async function freeOffset(): Promise<number> {
  const ports = portKeys.map((key) => Number(keys[key].fallback));
  // The first ones keep below the ports that a kernel gives to whoever asks for any.
  for (let offset = 16_000; offset < 50_000; offset += 100) {
    if ((await Promise.all(ports.map((port) => isFree(port + offset)))).every(Boolean)) {
      say(`Ports of the stack: ${offset} above the usual ones`);
      return offset;
    }
  }
  throw new Failure('There are no free ports for a stack between 20000 and 65000 on this machine.');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Version of an engine, as a person would say it. */
export async function engineVersion(engine: Engine): Promise<string> {
  return `Docker Engine ${(await engineGet<{ Version: string }>(engine, '/version')).Version}`;
}
