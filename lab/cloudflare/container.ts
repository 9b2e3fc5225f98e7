import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import * as http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Authority } from '../authority';
import { baseImage } from '../base-image';
import { ask, command } from '../command';
import type { Rights } from './account';
import type { Counts, Mode } from './edge';
import type { AccountOptions, Config, Inventory } from './main';
import { removeTrusting } from './trusting-image';

/** Where cloudflared looks for the edge. */
const edgeName = 'region1.v2.argotunnel.com';
/** Inside the container. */
const ports = { https: 443, connectors: 7844, api: 8080, control: 8081 };
/** Milliseconds. */
const longestStart = 60_000;

export interface CloudflareOptions {
  /** Name of the container. */
  readonly name: string;
  readonly account: AccountOptions;
  /** Name of the Access team. */
  readonly team: string;
  /** Hostnames for which the edge has a certificate. */
  readonly hostnames: readonly string[];
}

/** A separate Cloudflare in a container: the API, and the edge for everything on a network with it. */
export class Cloudflare {
  private constructor(
    readonly name: string,
    /** Authority that signed the edge's certificate, PEM. */
    readonly ca: string,
    /** Base URL of the API for this machine, without a slash at its end. */
    readonly apiUrl: string,
    private readonly controlUrl: string,
    private readonly hostnames: readonly string[],
    private readonly dir: string,
  ) {}

  static async start({ name, account, team, hostnames }: CloudflareOptions): Promise<Cloudflare> {
    const image = await baseImage();
    const dir = await mkdtemp(join(tmpdir(), 'lab-cloudflare-'));
    let made = false;
    try {
      const names = [...hostnames, `${team}.cloudflareaccess.com`];
      const config: Config = { account, team, ports, key: '/edge/key.pem', cert: '/edge/cert.pem' };
      const lab = join(dir, 'lab');
      await mkdir(lab);
      const [certified] = await Promise.all([certificates(join(dir, 'authority'), names), bundle(join(lab, 'main.js')), writeFile(join(lab, 'config.json'), JSON.stringify(config))]);
      const mounts = { [lab]: '/lab', [certified]: '/edge', [process.execPath]: '/usr/local/bin/node' };
      await command('docker', [
        ...['create', '--name', name, ...Object.entries(mounts).flatMap(([here, there]) => ['--volume', `${here}:${there}:ro`])],
        ...[ports.api, ports.control].flatMap((port) => ['--publish', `127.0.0.1::${port}`]),
        ...[image, 'node', '/lab/main.js', '/lab/config.json'],
      ]);
      made = true;
      await command('docker', ['start', name]);
      const [api, control] = await Promise.all([ports.api, ports.control].map((port) => published(name, port)));
      const cloudflare = new Cloudflare(name, await readFile(join(certified, 'ca.pem'), 'utf8'), `${api}/client/v4`, control as string, names, dir);
      await cloudflare.answering();
      return cloudflare;
    } catch (error) {
      // One of that name may exist already, and be somebody else's.
      if (made) await removeContainer(name);
      await rm(dir, { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * Joins a network: containers on it find the edge there under these names.
   * @param aliases default: every name that the certificate is for, and the one that connectors look for
   */
  async join(network: string, aliases: readonly string[] = [...this.hostnames, edgeName]): Promise<void> {
    await command('docker', ['network', 'connect', ...aliases.flatMap((alias) => ['--alias', alias]), network, this.name]);
  }

  /** Leaves a network, which can be removed then. */
  async leave(network: string): Promise<void> {
    await command('docker', ['network', 'disconnect', '--force', network, this.name]);
  }

  /** Sets what the edge does with the requests for a hostname from now on. */
  async mode(hostname: string, mode: Mode): Promise<void> {
    await this.control('/mode', { hostname, mode });
  }

  /** Requests that the edge has answered, by hostname and mode. */
  async counts(): Promise<Counts> {
    return this.control('/counts');
  }

  /** Resets the counts. */
  async forget(): Promise<void> {
    await this.control('/forget', {});
  }

  /** What exists in the account, without its secrets. */
  async account(): Promise<Inventory> {
    return this.control('/account');
  }

  /** A new API token. @param rights default: all that a stack needs */
  async issueToken(rights?: Rights): Promise<string> {
    return (await this.control<{ token: string }>('/token', { rights })).token;
  }

  /** Removes the container, and the images that trust it if no container uses them. */
  async stop(): Promise<void> {
    await removeContainer(this.name);
    await rm(this.dir, { recursive: true, force: true });
    await removeTrusting(this.ca);
  }

  private async answering(): Promise<void> {
    const deadline = Date.now() + longestStart;
    for (;;) {
      try {
        await this.counts();
        return;
      } catch (error) {
        if (Date.now() > deadline || (await ask('docker', ['inspect', '--format', '{{.State.Running}}', this.name])) !== 'true') {
          const logs: string[] = [];
          await ask('docker', ['logs', this.name], { onLine: (line) => logs.push(line) });
          throw new Error([`${this.name} does not answer`, ...logs.slice(-15)].join('\n  '), { cause: error });
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  /** Not with fetch: if its connection is closed before there is a response, it may never notice (Node 20). */
  private control<T>(path: string, body?: object): Promise<T> {
    return new Promise((resolve, reject) => {
      const asked = http.request(`${this.controlUrl}${path}`, { method: body ? 'POST' : 'GET', agent: false }, (answer) => {
        text(answer).then((said) => {
          if (answer.statusCode === 200) resolve(JSON.parse(said) as T);
          else reject(new Error(`${path}: ${answer.statusCode} ${said}`));
        }).catch(reject);
      });
      asked.on('error', reject);
      asked.end(body && JSON.stringify(body));
    });
  }
}

/** @returns a folder with the certificate for these hostnames, its key, and only the authority that signed it */
async function certificates(dir: string, hostnames: readonly string[]): Promise<string> {
  const authority = await Authority.create(dir);
  const folder = await authority.server('edge', hostnames);
  await authority.retire();
  return folder;
}

/** The process of the container as one file, so that it needs nothing but Node. */
async function bundle(outfile: string): Promise<void> {
  const { build } = await import('esbuild');
  await build({ entryPoints: [join(__dirname, 'main.ts')], outfile, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' });
}

/** URL of a container's port on this machine. */
async function published(name: string, port: number): Promise<string> {
  return `http://${await command('docker', ['port', name, `${port}/tcp`])}`;
}

async function removeContainer(name: string): Promise<void> {
  await ask('docker', ['rm', '--force', '--volumes', name]);
}
