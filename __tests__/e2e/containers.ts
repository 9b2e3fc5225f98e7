/**
 * Containers as the program makes them, without a deployment: created as the docker provider does, on a network of their own.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { stackLabel } from '../../components/names';
import { claimLabel } from '../../lab';
import type { Registered } from '../support/deployment';
import { tempDir } from '../support/temp';
import { docker } from './checkout';

/** Inputs of a container, as far as they are used here. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly user?: string;
  readonly restart?: string;
  readonly entrypoints?: readonly string[];
  readonly command?: readonly string[];
  readonly volumes?: readonly { readonly volumeName: string; readonly containerPath: string; readonly readOnly?: boolean }[];
  readonly uploads?: readonly { readonly file: string; readonly content: string | { readonly value: string }; readonly permissions?: string }[];
  readonly ports?: readonly { readonly internal: number; readonly external: number; readonly ip: string }[];
  readonly capabilities?: { readonly adds?: readonly string[]; readonly drops?: readonly string[] };
  readonly readOnly?: boolean;
  readonly tmpfs?: Readonly<Record<string, string>>;
  readonly hosts?: readonly { readonly host: string; readonly ip: string }[];
  readonly networksAdvanced?: readonly { readonly aliases?: readonly string[] }[];
  readonly attach?: boolean;
  readonly start?: boolean;
}

/** What a stack has on the engine. */
export class Containers {
  /** `project/stack`. */
  readonly owner: string;
  private readonly label: string;
  /** Names of the containers that were made. */
  private readonly made = new Set<string>();

  private constructor(readonly stack: string) {
    this.owner = `llm-observability/${stack}`;
    this.label = `${stackLabel}=${this.owner}`;
  }

  /** With a network; a run that is killed leaves all of it to the next one, which removes it. */
  static async of(stack: string): Promise<Containers> {
    const containers = new Containers(stack);
    await claimLabel(containers.label);
    await docker('network', 'create', '--label', containers.label, stack);
    return containers;
  }

  /** Makes a container as the docker provider does: created, its files put into it as root's, started. */
  async make(container: Container): Promise<void> {
    const { name, image, user, entrypoints: [entrypoint, ...first] = [], command = [], volumes = [], uploads = [], ports = [], capabilities = {}, tmpfs = {}, hosts = [] } = container;
    const option = (flag: string, values: readonly string[]): string[] => values.flatMap((value) => [flag, value]);
    // What is there stays as it is.
    await Promise.all(volumes.map(({ volumeName }) => docker('volume', 'create', '--label', this.label, volumeName)));
    await docker('create', '--name', name, '--label', this.label,
      ...option('--network', [container.networksAdvanced ? this.stack : 'none']), ...option('--network-alias', container.networksAdvanced?.flatMap(({ aliases = [] }) => aliases) ?? []),
      ...option('--add-host', hosts.map(({ host, ip }) => `${host}:${ip}`)),
      ...option('--user', user ? [user] : []), ...option('--entrypoint', entrypoint ? [entrypoint] : []), ...(container.readOnly ? ['--read-only'] : []),
      ...option('--tmpfs', Object.entries(tmpfs).map(([at, options]) => `${at}:${options}`)),
      ...option('--volume', volumes.map(({ volumeName, containerPath, readOnly }) => `${volumeName}:${containerPath}${readOnly ? ':ro' : ''}`)),
      ...option('--publish', ports.map(({ internal, external, ip }) => `${ip}:${external}:${internal}`)),
      ...option('--cap-drop', capabilities.drops ?? []), ...option('--cap-add', capabilities.adds?.map((one) => one.replace('CAP_', '')) ?? []),
      ...option('--security-opt', ['no-new-privileges']), image, ...first, ...command);
    this.made.add(name);
    for (const { file, content, permissions = '0644' } of uploads) {
      await put(name, file, typeof content === 'string' ? content : content.value, permissions);
    }
    if (container.start !== false) {
      await docker('start', ...(container.attach ? ['--attach'] : []), name);
    }
  }

  /** Makes one in the place of the one with its name. */
  async replace(container: Container): Promise<void> {
    await docker('rm', '--force', container.name);
    await this.make(container);
  }

  /** Removes all of them, their volumes and the network. */
  async remove(): Promise<void> {
    await Promise.all([...this.made].map((name) => docker('rm', '--force', '--volumes', name)));
    const volumes = (await docker('volume', 'ls', '--quiet', '--filter', `label=${this.label}`)).split('\n').filter(Boolean);
    await Promise.all(volumes.map((name) => docker('volume', 'rm', name)));
    await docker('network', 'rm', this.stack);
  }
}

/** Puts a file of root's into a container that need not run. */
async function put(name: string, file: string, content: string, permissions: string): Promise<void> {
  const folder = tempDir();
  const local = path.join(folder, path.basename(file));
  fs.writeFileSync(local, content);
  fs.chmodSync(local, parseInt(permissions, 8));
  const tar = spawn('tar', ['--create', '--owner=0', '--group=0', '--numeric-owner', '--directory', folder, path.basename(file)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const copy = execFile('docker', ['cp', '-', `${name}:${path.dirname(file)}`]);
  tar.stdout.pipe(copy.stdin!);
  const [code] = await once(copy, 'close') as [number];
  expect(code).toBe(0);
}

/** Inputs of containers of the program, by the names of their resources. */
export const inputsOf = (resources: ReadonlyMap<string, Registered>, ...names: readonly string[]): Container[] => names.map((name) => resources.get(name)?.inputs as unknown as Container);
