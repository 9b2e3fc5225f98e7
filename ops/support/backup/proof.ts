/**
 * The proof of a backup: a Phoenix beside the stack, without a network, starts with what the file holds and nothing else.
 */
import { createHmac } from 'node:crypto';
import { ports, users } from '../../../components/catalog';
import { phoenixEnvironment, secretsDir, served, phoenixStart, workingDir } from '../../../components/phoenix-start';
import type { Engine } from '../../../engine';
import { from } from '../../../provider/container-reach';
import type { Reach } from '../../../provider/reach';
import { until } from '../adopt/containers';
import type { Interruption } from '../interruption';
import { Failure } from '../say';
import { readBackup, type Facts, type Manifest, type Sealed } from './file';
import { scratchDir, type Jobs } from './jobs';

/** A Phoenix with a large database takes its time. */
const startMs = 600_000;
const memoryMiB = 2048;
const url = `http://127.0.0.1:${ports.phoenix.ui}`;

interface Found extends Facts {
  /** Its newest trace: ID, project, number of spans. */
  readonly last: readonly [string, string, number] | null;
  /** ID of an API key in it. */
  readonly key: number | null;
}

export interface Proof {
  readonly spans: number;
  /** The trace that was read back; undefined if there is none, or no key with which it could be read. */
  readonly traceId?: string;
}

/** Restores a backup beside the stack. @throws Failure if it is not what it says, or Phoenix does not show it */
export async function proven(engine: Engine, jobs: Jobs, sealed: Sealed, interruption: Interruption): Promise<Proof> {
  const { manifest, database } = await readBackup(sealed);
  const environment = Buffer.from(JSON.stringify(manifest.secrets));
  await jobs.upload(jobs.beside, [
    { name: 'phoenix.db', bytes: manifest.bytes, content: database },
    { name: 'environment.json', bytes: environment.length, content: once(environment) },
  ]);
  const found = await jobs.run<Found>('facts', [jobs.beside], [`${scratchDir}/phoenix.db`]);
  const wrong = (['sha256', 'spans', 'traces', 'projects', 'revision'] as const).filter((name) => found[name] !== manifest[name]);
  if (wrong.length > 0) {
    throw new Failure(`The backup ${sealed.file} does not hold what its manifest says (${wrong.join(', ')}): do not rely on it.`);
  }
  await jobs.run('own', [jobs.beside], [scratchDir, users.phoenix]);
  const env = phoenixEnvironment({ auth: manifest.auth, memoryMiB, metrics: false });
  await jobs.create(
    { User: users.phoenix, Entrypoint: ['python3', '-c'], Cmd: [phoenixStart(1_000_000), ...served.args], Env: Object.entries(env).map(([name, value]) => `${name}=${String(value)}`) },
    [{ ...jobs.beside, path: workingDir }, { ...jobs.beside, path: secretsDir, readOnly: true }],
    { CapAdd: [], Memory: memoryMiB * 1024 ** 2 },
  );
  await jobs.start();
  const reach = from(engine, jobs.scratch);
  try {
    const answers = async (): Promise<boolean> => {
      interruption.check();
      return (await reach.ask(`${url}/readyz`)).status === 200;
    };
    if (!(await until(answers, startMs, 500))) {
      throw new Failure(`Phoenix does not start with the backup ${sealed.file} within ${startMs / 60_000} minutes: do not rely on it.`);
    }
    // With login on, a trace is read with an API key: none may be in the backup, or all may have expired.
    const isReadable = !manifest.auth || found.key !== null;
    return { spans: found.spans, ...(found.last && isReadable ? { traceId: await readBack(reach, manifest, found, found.last) } : {}) };
  } finally {
    reach.close();
  }
}

async function readBack(reach: Reach, { auth, secrets }: Manifest, { key }: Found, [traceId, project, spans]: readonly [string, string, number]): Promise<string> {
  // A key in the database, signed with the secret of the backup: the two belong together.
  const headers: Record<string, string> = auth && key !== null ? { authorization: `Bearer ${signed(secrets.PHOENIX_SECRET, { jti: `ApiKey:${key}` })}` } : {};
  const { status, text } = await reach.ask(`${url}/v1/projects/${encodeURIComponent(project)}/spans?limit=1000&trace_id=${traceId}`, { headers });
  const { data = [] } = (status === 200 ? JSON.parse(text) : {}) as { data?: unknown[] };
  if (data.length < Math.min(spans, 1000)) {
    throw new Failure(`Phoenix does not show trace ${traceId} of the backup: status ${status}, ${data.length} of ${spans} spans. Do not rely on this backup.`);
  }
  return traceId;
}

/** A JSON Web Token, as Phoenix issues it. */
function signed(secret: string, claims: object): string {
  const text = [{ alg: 'HS256' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
