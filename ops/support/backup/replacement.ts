/**
 * The database of a stack is replaced by that of a backup. Spans that arrive meanwhile wait in Alloy's queue: the gate is closed
 * while Phoenix is stopped. The previous database stays beside the new one until Phoenix answers with it; a run that is cut off
 * is undone by the next one.
 */
import { ports, users } from '../../../components/catalog';
import { closedFile } from '../../../components/gate-config';
import type { Engine } from '../../../engine';
import { from } from '../../../provider/container-reach';
import { intake } from '../../../provider/intake';
import { Containers, until } from '../adopt/containers';
import { graceSeconds } from '../adopt/handover';
import type { Interruption } from '../interruption';
import type { Outputs } from '../outputs';
import { Failure, say } from '../say';
import { readBackup, type Sealed } from './file';
import { dataDir, type Jobs } from './jobs';

export interface Status {
  /** Whether this Phoenix has the revision of the backup. */
  readonly known: boolean;
  /** Spans in the present database; null if they cannot be counted. */
  readonly spans: number | null;
  /** Version of the stack's Phoenix. */
  readonly phoenix: string;
}

const live = `${dataDir}/phoenix.db`;
const uploaded = 'restore.db';
/** A migration from an older version takes its time. */
const startMs = 600_000;

export class Replacement {
  private readonly containers: Containers;

  constructor(private readonly engine: Engine, private readonly jobs: Jobs, private readonly names: Outputs['containers'], private readonly interruption: Interruption) {
    this.containers = new Containers(engine);
  }

  status(bytes: number, revision: string): Promise<Status> {
    return this.jobs.run('status', [{ ...this.jobs.data, readOnly: true }], [live, String(bytes), revision]);
  }

  /** Undoes what a killed run has begun. */
  async recover(): Promise<void> {
    const { pending } = await this.jobs.run<{ pending: boolean }>('pending', [{ ...this.jobs.data, readOnly: true }], [live]);
    if (pending) {
      say('An earlier restore was cut off: putting the previous database back');
      await this.undo();
    }
  }

  /** @returns spans that the restored database has. @throws Failure with the previous database in its place */
  async run(sealed: Sealed): Promise<void> {
    const { manifest, database } = await readBackup(sealed);
    try {
      await this.jobs.upload(this.jobs.data, [{ name: uploaded, bytes: manifest.bytes, content: database }]);
      const { sha256 } = await this.jobs.run<{ sha256: string }>('facts', [this.jobs.data], [`${dataDir}/${uploaded}`]);
      if (sha256 !== manifest.sha256) {
        throw new Failure('The database did not arrive whole. Nothing was changed.');
      }
      this.interruption.check('Stopped. Nothing was changed.');
      await this.swap();
    } finally {
      await this.jobs.run('drop', [this.jobs.data], [`${dataDir}/${uploaded}`], false);
    }
  }

  private async swap(): Promise<void> {
    const { phoenix } = this.names;
    say('Closing the way to Phoenix: new spans wait in the queue of Alloy');
    try {
      await intake().delete?.(await this.inputs());
      await this.containers.stop(phoenix, graceSeconds);
      this.interruption.check();
      await this.jobs.run('replace', [this.jobs.data], [`${dataDir}/${uploaded}`, live, users.phoenix], false);
      await this.containers.start(phoenix);
      if (!(await this.answers())) {
        throw new Failure(`Phoenix does not answer with the restored database.`, [`docker logs --tail 30 ${phoenix}`]);
      }
    } catch (error) {
      say('Putting the previous database back');
      await this.undo();
      const [message, ...mend] = (error as Error).message.split('\n    ');
      const Kind = error instanceof Failure ? (error.constructor as typeof Failure) : Failure;
      throw new Kind(`${message} The previous database is back, and nothing is lost.`, mend);
    }
    await this.jobs.run('done', [this.jobs.data], [live], false);
    await this.open();
  }

  private async undo(): Promise<void> {
    const { phoenix } = this.names;
    await this.containers.stop(phoenix, graceSeconds);
    await this.jobs.run('undo', [this.jobs.data], [live], false);
    await this.containers.start(phoenix);
    await this.open();
  }

  private async open(): Promise<void> {
    await intake().create(await this.inputs());
  }

  private async answers(): Promise<boolean> {
    const reach = from(this.engine, this.names.phoenix);
    const ask = async (): Promise<boolean> => {
      this.interruption.check();
      return (await reach.ask(`http://127.0.0.1:${ports.phoenix.ui}/readyz`)).status === 200;
    };
    return until(ask, startMs, 250).finally(() => reach.close());
  }

  private async inputs(): Promise<Parameters<ReturnType<typeof intake>['create']>[0]> {
    const { phoenix, gate } = this.names;
    const [server, entrance] = await Promise.all([phoenix, gate].map(async (name) => (await this.containers.find(name))?.Id ?? ''));
    return { engine: this.engine, gate, closedFile, phoenix, metrics: `http://127.0.0.1:${ports.phoenix.metrics}/metrics`, server: server ?? '', entrance: entrance ?? '' };
  }
}
