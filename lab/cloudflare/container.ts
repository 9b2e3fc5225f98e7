import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import * as http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseImage } from '../base-image';
import { ask, command } from '../command';
import { engineBuilder } from '../engine';
import type { Rights } from './account';
import type { Counts, Mode } from './edge';
import type { AccountOptions, Config, Inventory } from './main';

/** Where cloudflared looks for the edge. */
const edgeName = 'region1.v2.argotunnel.com';
/** Inside the container. */
const ports = { https: 443, connectors: 7844, api: 8080, control: 8081 };
/** Label of an image that trusts an authority of the lab: which one. */
const trustLabel = 'llm-observability.lab.trusts';
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

/** A Cloudflare of one's own, in a container: the API, and the edge for whoever is on a network with it. */
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
      const config: Config = { account, team, ports, key: '/lab/edge.key', cert: '/lab/edge.pem' };
      const [ca] = await Promise.all([
        certificates(dir, names, openssl),
        bundle(join(dir, 'main.js')),
        writeFile(join(dir, 'config.json'), JSON.stringify(config)),
      ]);
      await command('docker', [
        ...['create', '--name', name, '--volume', `${dir}:/lab:ro`, '--volume', `${process.execPath}:/usr/local/bin/node:ro`],
        ...[ports.api, ports.control].flatMap((port) => ['--publish', `127.0.0.1::${port}`]),
        ...[image, 'node', '/lab/main.js', '/lab/config.json'],
      ]);
      made = true;
      await command('docker', ['start', name]);
      const [api, control] = await Promise.all([ports.api, ports.control].map((port) => published(name, port)));
      const cloudflare = new Cloudflare(name, ca, `${api}/client/v4`, control as string, names, dir);
      await cloudflare.answering();
      return cloudflare;
    } catch (error) {
      // One of that name may have been there before, and is somebody else's.
      if (made) await removeContainer(name);
      await rm(dir, { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * Joins a network: whoever is on it finds the edge there under these names.
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

  /** Counts from nothing again. */
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

  /** Removes the container, and the images that trust it as far as no container uses them. */
  async stop(): Promise<void> {
    await removeContainer(this.name);
    await rm(this.dir, { recursive: true, force: true });
    const images = (await ask('docker', ['image', 'ls', '--quiet', '--filter', `label=${trustLabel}=${fingerprint(this.ca)}`])) ?? '';
    await Promise.all(images.split('\n').filter(Boolean).map((image) => ask('docker', ['image', 'rm', image])));
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

  /** Not with fetch: one whose connection is closed before there is an answer may never hear of it (Node 20). */
  private control<T>(path: string, body?: object): Promise<T> {
    return new Promise((resolve, reject) => {
      const asked = http.request(`${this.controlUrl}${path}`, { method: body ? 'POST' : 'GET', agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (answer.statusCode === 200) resolve(JSON.parse(text) as T);
          else reject(new Error(`${path}: ${answer.statusCode} ${text}`));
        });
      });
      asked.on('error', reject);
      asked.end(body && JSON.stringify(body));
    });
  }
}

/**
 * Makes an authority, and a certificate for these hostnames that it signs: `edge.key` and `edge.pem` in `dir`.
 * @param shell runs a script with `openssl` in a directory
 * @returns the authority's own certificate, PEM
 */
export async function certificates(dir: string, hostnames: readonly string[], shell: (dir: string, script: string) => Promise<unknown>): Promise<string> {
  await writeFile(join(dir, 'openssl.cnf'), [
    '[req]', 'distinguished_name = name', '[name]',
    '[ca]', 'basicConstraints = critical,CA:TRUE', 'keyUsage = critical,keyCertSign', 'subjectKeyIdentifier = hash',
    '[edge]', 'basicConstraints = critical,CA:FALSE', 'extendedKeyUsage = serverAuth', `subjectAltName = ${hostnames.map((name) => `DNS:${name}`).join(',')}`,
    '',
  ].join('\n'));
  const fresh = 'openssl req -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  await shell(dir, [
    'set -e',
    `${fresh} -x509 -extensions ca -days 30 -subj '/CN=Lab of llm-observability' -keyout ca.key -out ca.pem`,
    `${fresh} -subj /CN=edge -keyout edge.key -out edge.csr`,
    'openssl x509 -req -in edge.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile openssl.cnf -extensions edge -out edge.pem',
    // Nothing else is ever to be signed.
    'rm ca.key',
  ].join('\n'));
  return readFile(join(dir, 'ca.pem'), 'utf8');
}

/** With the openssl of the base image: this machine needs none. The files are to belong to whoever runs this. */
async function openssl(dir: string, script: string): Promise<void> {
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  await command('docker', ['run', '--rm', '--network', 'none', '--user', user, '--volume', `${dir}:/work`, '--workdir', '/work', await baseImage(), 'bash', '-c', script]);
}

/**
 * Makes an image that trusts an authority besides those that it trusts anyway. It is removed with the Cloudflare that
 * the authority belongs to.
 * @param image Debian's, with a version
 * @param ca PEM
 * @returns its tag: another one for each authority, and not one of `lab/`, which are taken for images that may be made anew
 */
export async function trusting(image: string, ca: string): Promise<string> {
  const tag = `trusting/${image.split('/').at(-1)?.split('@')[0]}-${fingerprint(ca)}`;
  const user = await command('docker', ['image', 'inspect', '--format', '{{.Config.User}}', image]);
  const context = await mkdtemp(join(tmpdir(), 'lab-trusting-'));
  try {
    await writeFile(join(context, 'lab.crt'), ca);
    await writeFile(join(context, 'Dockerfile'), [
      `FROM ${image}`,
      'USER root',
      'COPY lab.crt /usr/local/share/ca-certificates/lab.crt',
      'RUN update-ca-certificates',
      ...(user ? [`USER ${user}`] : []),
    ].join('\n'));
    await command('docker', ['build', '--network', 'none', '--tag', tag, '--label', `${trustLabel}=${fingerprint(ca)}`, context], { env: engineBuilder });
  } finally {
    await rm(context, { recursive: true });
  }
  return tag;
}

function fingerprint(ca: string): string {
  return createHash('sha256').update(ca).digest('hex').slice(0, 12);
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
