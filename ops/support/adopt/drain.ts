/**
 * Makes sure that nothing is only in Phoenix's memory before it is stopped: it answers 200 before a span is on disk.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Engine } from '../../../engine';
import { from, run } from '../../../provider/container-reach';
import { Failure } from '../say';
import { until } from './containers';
import { databaseOf } from './data';
import type { Adoption } from './record';

const script = ['credentials.py', 'drain.py'].map((file) => fs.readFileSync(path.join(__dirname, file), 'utf8')).join('\n');

/** Seconds after which the wait ends in any case: the script ends it as soon as there is no progress. */
const longestDrain = 1_800;

/** Waits until the old Phoenix has stored everything that it has accepted. @throws Failure if it does not, or cannot be queried */
export async function drained(engine: Engine, { phoenix, port, data }: Adoption): Promise<void> {
  const now = Date.now();
  const traceId = randomBytes(16);
  // The name of a check's project: if it is left behind, a later `verify` removes it.
  const project = `verify-${now}`;
  const span = markedSpan(project, traceId, randomBytes(8), now);
  try {
    await run(engine, phoenix, ['python3', '-c', script, port, databaseOf(data), project, traceId.toString('hex'), span.toString('base64')], longestDrain);
  } catch (error) {
    throw new Failure(`Waiting for the old Phoenix failed: ${lastLine((error as Error).message)}.`, [`docker logs --tail 30 ${phoenix}`]);
  }
}

/** Waits until the newly started old Phoenix responds. @throws Failure if it does not within two minutes */
export async function ready(engine: Engine, { phoenix, port }: Adoption): Promise<void> {
  const reach = from(engine, phoenix);
  const answers = async (): Promise<boolean> => (await reach.ask(`http://127.0.0.1:${port}/arize_phoenix_version`)).status === 200;
  if (!(await until(answers, 120_000, 250).finally(() => reach.close()))) {
    throw new Failure(`The old Phoenix was started but does not answer.`, [`docker logs --tail 30 ${phoenix}`]);
  }
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** An OTLP request (ExportTraceServiceRequest) with one span: Phoenix accepts only protobuf. */
export function markedSpan(project: string, traceId: Buffer, spanId: Buffer, now: number): Buffer {
  const attribute = message(1, text(1, 'openinference.project.name'), message(2, text(1, project)));
  const time = (number: number): Buffer => {
    const value = Buffer.alloc(8);
    value.writeBigUInt64LE(BigInt(now) * 1_000_000n);
    // Wire type 1: eight bytes.
    return Buffer.concat([Buffer.from([(number << 3) | 1]), value]);
  };
  const span = message(2, bytes(1, traceId), bytes(2, spanId), text(5, 'adopt'), time(7), time(8));
  return message(1, message(1, attribute), message(2, span));
}

/** A field of wire type 2: its length and its bytes. */
function bytes(number: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(value.length), value]);
}

const text = (number: number, value: string): Buffer => bytes(number, Buffer.from(value));
const message = (number: number, ...fields: readonly Buffer[]): Buffer => bytes(number, Buffer.concat(fields));

function varint(value: number): Buffer {
  return value < 128 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 127) | 128]), varint(value >> 7)]);
}
