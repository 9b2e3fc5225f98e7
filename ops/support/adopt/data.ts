/**
 * Phoenix's data in its volumes: inspected, and copied from the old volume to the new one.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { users } from '../../../components/catalog';
import { hostName } from '../../../components/names';
import { engineMessage, engineRequest, type Engine } from '../../../engine';
import { Failure } from '../say';
import type { Mount } from './old-container';

/** Where the old Phoenix keeps its data. */
export interface OldData {
  /** ID of its image. */
  readonly image: string;
  readonly mount: Mount;
  /** Folder of its database, in the mount. */
  readonly directory: string;
  /** File of the database in it. Default: `phoenix.db`, which is Phoenix's own name. */
  readonly database?: string;
}

/** The old database as a path in a container that has its mount. */
export const databaseOf = ({ directory, database = newDatabase }: Pick<OldData, 'directory' | 'database'>): string => path.posix.join(directory, database);

export interface Counts {
  readonly traces: number;
  readonly spans: number;
}

/** The data to take over. */
export interface Measured extends Counts {
  readonly bytes: number;
  /** Free bytes where Docker keeps its volumes. */
  readonly free: number;
  /** Whether the first administrator has Phoenix's default password. */
  readonly defaultPassword: boolean;
}

/** What one of the two holds and the other does not. */
export interface Lacking extends Counts {
  /** By how many rows its other tables (datasets, prompts, annotations and so on) are larger. */
  readonly rows: number;
}

export interface Found extends Counts {
  /** Whether a copy has found data that only the new volume held: it is kept beside the database, in `keptFile`. */
  readonly kept: boolean;
}

export const keptFile = 'before-adoption.db';

/** Mount point of the new volume, beside the old one at its own, and the database there. */
const newDirectory = '/adopted';
const newDatabase = 'phoenix.db';
const newFile = path.posix.join(newDirectory, newDatabase);

const script = fs.readFileSync(path.join(__dirname, 'data.py'), 'utf8');

/** The old data and the new volume of a stack. */
export class Data {
  constructor(private readonly engine: Engine, private readonly stack: string, readonly old: OldData) {}

  /** Name of the new volume. */
  get volume(): string {
    return hostName('phoenix', this.stack, 'data');
  }

  measureOld(): Promise<Measured> {
    return this.job('measure', [this.oldMount], [databaseOf(this.old)]);
  }

  /** Copies the current content of the database into an empty new volume; the old Phoenix may be running. */
  snapshot(): Promise<Counts> {
    return this.job('snapshot', [this.oldMount, this.newMount(false)], [databaseOf(this.old), newFile, users.phoenix]);
  }

  countNew(): Promise<Found> {
    return this.job('found', [this.newMount(true)], [newFile]);
  }

  /** Copies everything, replacing what the new volume holds. Nothing may use either. An interrupted copy starts again. */
  copy(): Promise<Counts> {
    return this.job('copy', [this.oldMount, this.newMount(false)], [databaseOf(this.old), newFile, users.phoenix]);
  }

  /** How much of the new volume's data the old one lacks. */
  added(): Promise<Lacking> {
    return this.job('missing', [this.oldMount, this.newMount(true)], [newFile, databaseOf(this.old)]);
  }

  /** How much of the old data the new volume lacks. */
  lost(): Promise<Lacking> {
    return this.job('missing', [this.oldMount, this.newMount(true)], [databaseOf(this.old), newFile]);
  }

  private get oldMount(): object {
    const { kind, source, path: target } = this.old.mount;
    return { Type: kind, Source: source, Target: target, ReadOnly: true };
  }

  private newMount(readOnly: boolean): object {
    return { Type: 'volume', Source: this.volume, Target: newDirectory, ReadOnly: readOnly };
  }

  /** Runs one task of the script to its end. @throws Failure with its last output when it fails */
  private async job<T>(task: string, mounts: readonly object[], args: readonly string[]): Promise<T> {
    const name = hostName('adoption', this.stack, 'data');
    const done = async (method: string, url: string, body?: object): Promise<string> => {
      const answer = await engineRequest(this.engine, method, url, body ? { body } : {});
      if (answer.status >= 400) {
        throw new Failure(`Container ${name} could not read the data: ${engineMessage(answer)}.`, [`docker logs ${name}`]);
      }
      return answer.body.toString();
    };
    // Of a killed run.
    await engineRequest(this.engine, 'DELETE', `/containers/${name}?force=1`);
    await done('POST', `/containers/create?name=${name}`, {
      Image: this.old.image,
      // Root, because the data may belong to any user; its capabilities are those needed to read it and to change the owner of
      // the copy.
      User: '0:0',
      Entrypoint: ['python3', '-c', script],
      Cmd: [task, ...args],
      // With a terminal the engine does not frame the output.
      Tty: true,
      HostConfig: {
        Mounts: mounts,
        NetworkMode: 'none',
        CapDrop: ['ALL'],
        CapAdd: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'],
        SecurityOpt: ['no-new-privileges'],
        LogConfig: { Type: 'json-file' },
      },
    });
    try {
      await done('POST', `/containers/${name}/start`);
      const { StatusCode } = JSON.parse(await done('POST', `/containers/${name}/wait`)) as { StatusCode: number };
      const last = (await done('GET', `/containers/${name}/logs?stdout=1&stderr=1&tail=5`)).trim().split('\n').at(-1) ?? '';
      if (StatusCode !== 0) {
        throw new Failure(`The data could not be read or copied (${task}): ${last.trim()}.`);
      }
      return JSON.parse(last) as T;
    } finally {
      await engineRequest(this.engine, 'DELETE', `/containers/${name}?force=1`);
    }
  }
}
