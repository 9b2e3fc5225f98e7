/**
 * Short-lived containers of Phoenix's image, and the volume beside the stack's own that a copy of the database passes through.
 * Everything goes through the Docker API: the engine may be on another machine.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';
import { hostName } from '../../../components/names';
import { engineDownload, engineMessage, engineRequest, type Engine, type EngineRequest } from '../../../engine';
import type { Interruption } from '../interruption';
import { Failure } from '../say';
import { removeVolume } from '../volumes';

const script = fs.readFileSync(path.join(__dirname, 'database.py'), 'utf8');

/** Mount points in the containers. */
export const dataDir = '/data';
export const scratchDir = '/scratch';

/** A file for a volume. */
export interface Upload {
  readonly name: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Buffer>;
}

export interface Mounted {
  readonly volume: string;
  readonly path: string;
  readonly readOnly?: boolean;
}

/** The containers of one command. */
export class Jobs {
  /** Name of the container, and of the volume. */
  readonly scratch: string;

  /** @param image ID of Phoenix's image */
  constructor(private readonly engine: Engine, private readonly stack: string, private readonly image: string, private readonly interruption: Interruption) {
    this.scratch = hostName('phoenix', stack, 'backup');
  }

  /** Volume of the stack's Phoenix. */
  get data(): Mounted {
    return { volume: hostName('phoenix', this.stack, 'data'), path: dataDir };
  }

  /** The volume beside it. */
  get beside(): Mounted {
    return { volume: this.scratch, path: scratchDir };
  }

  /** Removes what an earlier run has left or this one has created; what does not exist is no error. */
  async clear(): Promise<void> {
    await this.remove();
    await removeVolume(this.engine, this.scratch);
  }

  /** Runs one task of database.py. @throws Failure with its last line if it fails, Stopped if a person stops the command */
  async run<T>(task: string, mounts: readonly Mounted[], args: readonly string[] = [], mayStop = true): Promise<T> {
    await this.create({ Entrypoint: ['python3', '-c', script], Cmd: [task, ...args], Tty: true }, mounts);
    try {
      await this.ask('POST', `/containers/${this.scratch}/start`);
      const ended = this.ask('POST', `/containers/${this.scratch}/wait`);
      ended.catch(() => undefined);
      const { StatusCode } = JSON.parse(await (mayStop ? this.interruption.orStop(ended) : ended)) as { StatusCode: number };
      const last = (await this.ask('GET', `/containers/${this.scratch}/logs?stdout=1&stderr=1&tail=5`)).trim().split('\n').at(-1) ?? '';
      if (StatusCode !== 0) {
        throw new Failure(`The database could not be read, copied or replaced (${task}): ${last.trim()}.`, [`docker system df   # on the host of ${this.engine.host}`]);
      }
      return JSON.parse(last) as T;
    } finally {
      await this.remove();
    }
  }

  /** Content of a file in a volume, to a reader. */
  async download<T>(mount: Mounted, name: string, read: (content: Readable) => Promise<T>): Promise<T> {
    await this.create({ Entrypoint: ['python3'] }, [{ ...mount, readOnly: true }]);
    try {
      const archive = extract();
      const tar = await engineDownload(this.engine, `/containers/${this.scratch}/archive?path=${encodeURIComponent(path.posix.join(mount.path, name))}`);
      const content = new PassThrough();
      archive.on('entry', (_, entry, next) => {
        entry.on('end', next);
        entry.pipe(content);
      });
      const received = pipeline(tar, archive).catch((error: Error) => void content.destroy(error));
      try {
        return await read(content);
      } finally {
        tar.destroy();
        await received;
      }
    } finally {
      await this.remove();
    }
  }

  /** Puts files into a volume; they belong to root. */
  async upload(mount: Mounted, files: readonly Upload[]): Promise<void> {
    await this.create({ Entrypoint: ['python3'] }, [mount]);
    try {
      const tar = pack();
      const filled = fill(tar, files).catch((error: Error) => {
        tar.destroy(error);
        throw error;
      });
      filled.catch(() => undefined);
      const body = tar.pipe(new PassThrough());
      tar.on('error', (error) => body.destroy(error));
      await this.interruption.orStop(this.ask('PUT', `/containers/${this.scratch}/archive?path=${encodeURIComponent(mount.path)}`, { body })).finally(() => body.destroy());
      await filled;
    } finally {
      await this.remove();
    }
  }

  /** Creates the container, hardened like the others. @param more what replaces the image's own, and its limits */
  async create(definition: object, mounts: readonly Mounted[], more: object = {}): Promise<void> {
    await this.remove();
    await this.ask('POST', `/containers/create?name=${this.scratch}`, {
      body: {
        Image: this.image,
        // Root, with the capabilities that the owner of the files in a volume needs.
        User: '0:0',
        ...definition,
        HostConfig: {
          Mounts: mounts.map(({ volume, path: target, readOnly = false }) => ({ Type: 'volume', Source: volume, Target: target, ReadOnly: readOnly })),
          NetworkMode: 'none',
          ReadonlyRootfs: true,
          Tmpfs: { '/tmp': 'rw,nosuid,nodev,size=256m' },
          CapDrop: ['ALL'],
          CapAdd: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'],
          SecurityOpt: ['no-new-privileges'],
          LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
          ...more,
        },
      },
    });
  }

  async start(): Promise<void> {
    await this.ask('POST', `/containers/${this.scratch}/start`);
  }

  /** Removes the container, running or not. */
  async remove(): Promise<void> {
    const answer = await engineRequest(this.engine, 'DELETE', `/containers/${this.scratch}?force=1&v=1`);
    if (answer.status >= 400 && answer.status !== 404) {
      throw new Failure(`Container ${this.scratch} cannot be removed: ${engineMessage(answer)}.`, [`docker rm -f ${this.scratch}`]);
    }
  }

  private async ask(method: string, url: string, request: EngineRequest = {}): Promise<string> {
    const answer = await engineRequest(this.engine, method, url, request);
    if (answer.status >= 400) {
      throw new Failure(`Container ${this.scratch}: ${engineMessage(answer)}.`, [`docker system df   # on the host of ${this.engine.host}`]);
    }
    return answer.body.toString();
  }
}

async function fill(tar: ReturnType<typeof pack>, files: readonly Upload[]): Promise<void> {
  for (const { name, bytes, content } of files) {
    await pipeline(content, tar.entry({ name, size: bytes, mode: 0o600 }));
  }
  tar.finalize();
}
