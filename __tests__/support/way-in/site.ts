/**
 * Stands in for get.pulumi.com and for the releases of Pulumi on GitHub, over https on loopback.
 * GitHub answers a download with a redirect to where it keeps its files; Pulumi's own site with the file.
 */
import { execFileSync } from 'node:child_process';
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import type * as http from 'node:http';
import * as https from 'node:https';
import type * as net from 'node:net';
import * as path from 'node:path';
import { pulumiVersion } from '../../../components/catalog';
import { providers, providerVersion } from '../../../ops/support/plugins';
import { tempDir } from '../temp';
import { endsWithTests } from '../web';
import { authority, type Authority } from './authority';

export const hosts = ['get.pulumi.com', 'github.com', 'api.github.com', 'release-assets.githubusercontent.com'];

/** How a request is answered in the place of the file: with a status, never, with half of it, or with a page. */
export interface Fault {
  readonly status?: number;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly silent?: boolean;
  readonly half?: boolean;
  readonly page?: string;
  /** Sent in the place of the file. */
  readonly file?: Buffer;
}

export interface DownloadSite {
  readonly port: number;
  readonly authority: Authority;
  /** `host/path` of every request, in order. */
  readonly asked: string[];
  /** Faults by what `host/path` matches; the first that fits. */
  faults: readonly (readonly [RegExp, Fault])[];
  /** Called at every request, before the answer. */
  onRequest?: (what: string) => void;
}

const here = __dirname;
const version = pulumiVersion.pinned;

/** The CLI of the archive. */
export const standIn = fs.readFileSync(path.join(here, 'cli.sh'), 'utf8').replace('@VERSION@', version);

/** @param cli the CLI of the archive. Default: a stand-in */
export async function downloadSite(cli?: string): Promise<DownloadSite> {
  const ca = authority(hosts);
  const site: DownloadSite = { authority: ca, asked: [], faults: [], port: 0 };
  const files = released(cli);
  const server = https.createServer({ key: ca.key, cert: ca.cert }, (request, response) => {
    const what = `${request.headers.host}${request.url}`;
    site.asked.push(what);
    site.onRequest?.(what);
    const fault = site.faults.find(([where]) => where.test(what))?.[1];
    answer(what, files, fault, response);
  });
  // A client that does not trust the authority breaks off in the middle of the handshake.
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endsWithTests(server);
  return Object.assign(site, { port: (server.address() as net.AddressInfo).port });
}

function answer(what: string, files: ReadonlyMap<string, Buffer>, fault: Fault | undefined, response: http.ServerResponse): void {
  const name = what.split('/').at(-1) ?? '';
  const file = fault?.file ?? files.get(name);
  if (fault?.silent) {
    return;
  }
  if (fault?.status || fault?.page !== undefined) {
    response.writeHead(fault.status ?? 200, { 'Content-Type': 'text/html', ...fault.headers }).end(fault.page ?? '');
  } else if (/^github\.com\/.*\/releases\/download\//.test(what) && file) {
    response.writeHead(302, { Location: `https://release-assets.githubusercontent.com/${name}` }).end();
  } else if (what === 'github.com/pulumi') {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!DOCTYPE html><title>Pulumi</title>');
  } else if (!file) {
    response.writeHead(404).end('Not Found');
  } else {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': file.length });
    if (fault?.half) {
      response.write(file.subarray(0, file.length / 2), () => response.destroy());
    } else {
      response.end(file);
    }
  }
}

/** The files by their names: the script, the archive of the CLI for every platform of the tests, and of the plugins. */
function released(cli: string | undefined): Map<string, Buffer> {
  const stage = tempDir();
  const made = (name: string, folder: string, content: Readonly<Record<string, Buffer | string>>): Buffer => {
    const root = path.join(stage, name);
    for (const [file, data] of Object.entries(content)) {
      fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      fs.writeFileSync(path.join(root, file), data, { mode: 0o755 });
    }
    execFileSync('tar', ['czf', path.join(stage, `${name}.tar.gz`), '-C', root, folder]);
    return fs.readFileSync(path.join(stage, `${name}.tar.gz`));
  };
  const beside = ['language-nodejs', 'language-go', 'language-python', 'language-yaml', 'resource-pulumi-nodejs', 'watch'];
  const archive = made('cli', 'pulumi', {
    'pulumi/pulumi': cli ? fs.readFileSync(cli) : standIn,
    ...Object.fromEntries(beside.map((name) => [`pulumi/pulumi-${name}`, '#!/bin/sh\nexit 1\n'])),
    // As a real one it is too large for one packet, so that it can be cut off in the middle.
    'pulumi/pulumi-language-dotnet': crypto.randomBytes(2_000_000),
  });
  return new Map([
    ['install.sh', fs.readFileSync(path.join(here, 'installer.sh'))],
    ...['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'].map((platform) => [`pulumi-v${version}-${platform}.tar.gz`, archive] as [string, Buffer]),
    ...providers.map((name): [string, Buffer] => [
      `pulumi-resource-${name}-v${providerVersion(name)}-linux-amd64.tar.gz`,
      made(name, '.', { [`pulumi-resource-${name}`]: '#!/bin/sh\nexit 1\n' }),
    ]),
  ]);
}
