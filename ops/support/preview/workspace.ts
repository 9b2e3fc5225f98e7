/**
 * A folder from which the Pulumi CLI runs this project with the settings of one preview: the stack file in it is a copy, so
 * that neither the settings that a preview assumes, nor anything that the CLI writes, remain in the checkout.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as yaml from 'js-yaml';
import { shortName } from '../../../components/names';
import type { Remote, RemoteAccess } from '../../../settings/edge-access';
import { unknownSecret } from '../../../settings/setting';
import { problemsVariable, type Problem } from '../../../settings/problem';
import { projectDir } from '../backend';
import { projectName, readStackFile } from '../project';
import { Pulumi } from '../pulumi';
import { Failure } from '../say';
import type { Toolchain } from '../toolchain';

/** Null if the key has no value. */
type Value = string | number | boolean | object | null;

interface StackFile {
  readonly config?: Readonly<Record<string, Value>>;
  readonly [other: string]: unknown;
}

/** The settings of a stack, from its file; empty if there is none. @throws Failure if it is no valid YAML, or has no settings */
export function settingsOf(stack: string): StackFile {
  try {
    const file = yaml.load(readStackFile(stack) ?? '') ?? {};
    if (!isMap(file) || !isMap((file as StackFile).config ?? {})) {
      throw new Error('it has no settings by name');
    }
    return file as StackFile;
  } catch (error) {
    throw new Failure(`Pulumi.${stack}.yaml cannot be read: ${(error as Error).message.split('\n')[0]}.`, [`git diff Pulumi.${stack}.yaml`]);
  }
}

const isMap = (value: unknown): boolean => typeof value === 'object' && !Array.isArray(value);

/** Settings that are not secret, as the text that the program gets. */
export function plainOf({ config }: StackFile): Record<string, string> {
  return Object.fromEntries(Object.entries(config ?? {}).flatMap(([key, value]) => (isSecure(value) || value === null ? [] : [[key, typeof value === 'object' ? JSON.stringify(value) : String(value)]])));
}

export class Workspace {
  private constructor(readonly dir: string) {}

  static make(): Workspace {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'preview-'));
    const project = fs.readFileSync(path.join(projectDir, 'Pulumi.yaml'), 'utf8');
    const here = project.replace(/^( *path: *)(["']?)(\S+?)\2 *$/m, (_, key: string, _quote: string, provider: string) => `${key}${JSON.stringify(path.join(projectDir, provider))}`);
    fs.writeFileSync(path.join(dir, 'Pulumi.yaml'), `${here}\nmain: ${JSON.stringify(projectDir)}\n`);
    return new Workspace(dir);
  }

  /** A stack of the backend with these settings. */
  stack(tools: Toolchain, stack: string, file: StackFile): Pulumi {
    this.write(stack, file);
    return new Pulumi(tools, stack, this.dir);
  }

  /**
   * A stack with no state and no secrets, in a separate state that is removed with this folder.
   * @param file settings; encrypted values are replaced by a placeholder, except for the secrets of the engine: these are left
   * out
   * @param central outputs of the stack to which an edge stack sends, if they are known
   */
  async unknownStack(tools: Toolchain, stack: string, file: StackFile, central: Remote | undefined): Promise<Pulumi> {
    const state = path.join(this.dir, 'state');
    fs.mkdirSync(state);
    const own: Toolchain = {
      pulumi: tools.pulumi,
      env: { ...tools.env, PULUMI_BACKEND_URL: `file://${state}`, PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString('hex'), PULUMI_CONFIG_PASSPHRASE_FILE: '' },
    };
    const entries = Object.entries(file.config ?? {});
    // Those of the engine have their own format, and a preview does not need them.
    const secrets = entries.filter(([name, value]) => isSecure(value) && !name.startsWith('docker:')).map(([name]) => name);
    const to = file.config?.['edge:central'];
    const plain = Object.fromEntries(entries.filter(([, value]) => !isSecure(value)));
    this.write(stack, { config: { ...plain, ...(central && to ? { 'edge:central': shortName(String(to)) } : {}) } });
    // A separate state has no organizations.
    const pulumi = new Pulumi(own, stack, this.dir, stack);
    await pulumi.init();
    if (secrets.length > 0) {
      await pulumi.must(['config', 'set-all', ...secrets.flatMap((name) => ['--secret', `${name}=${unknownSecret}`])], 'generating placeholders for secrets');
    }
    if (central && to) {
      await this.standIn(own, shortName(String(to)), central);
    }
    return pulumi;
  }

  /** The same tools, for a program that records why it refuses. */
  asking(tools: Toolchain): Toolchain {
    return { ...tools, env: { ...tools.env, [problemsVariable]: this.problemsFile } };
  }

  /** Why a program that was run with such tools refused; empty if it did not. */
  problems(): Problem[] {
    return fs.existsSync(this.problemsFile) ? (JSON.parse(fs.readFileSync(this.problemsFile, 'utf8')) as Problem[]) : [];
  }

  private get problemsFile(): string {
    return path.join(this.dir, 'problems.json');
  }

  remove(): void {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  private write(stack: string, file: StackFile): void {
    fs.writeFileSync(path.join(this.dir, `Pulumi.${stack}.yaml`), yaml.dump(file, { lineWidth: -1 }));
  }

  /** A stack that has only these outputs; its credentials are placeholders. */
  private async standIn(tools: Toolchain, stack: string, remote: Remote): Promise<void> {
    const pulumi = new Pulumi(tools, stack, this.dir, stack);
    await pulumi.init();
    const access = { clientId: unknownSecret, clientSecret: unknownSecret, apiKey: unknownSecret };
    const remoteAccess: RemoteAccess = Object.fromEntries(Object.keys(remote.tokens).map((token) => [token, access]));
    const type = 'pulumi:pulumi:Stack';
    const resource = { urn: `urn:pulumi:${stack}::${projectName}::${type}::${projectName}-${stack}`, custom: false, type, outputs: { remote, remoteAccess } };
    const file = path.join(this.dir, `${stack}.json`);
    fs.writeFileSync(file, JSON.stringify({ version: 3, deployment: { manifest: { time: '2026-01-01T00:00:00Z', magic: '', version: '' }, resources: [resource] } }));
    await pulumi.must(['stack', 'import', '--file', file], `generating placeholders for the stack ${stack}`);
  }
}

/** Whether a setting is encrypted in the stack file. */
export const isSecure = (value: Value): boolean => typeof value === 'object' && value !== null && 'secure' in value;
