import { spawn } from 'node:child_process';
import { telemetrygen } from '../../lab';

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program to its end. */
export function finished(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** Milliseconds; by default ten seconds, which the restart of Alloy can take on a busy machine. */
const patient = { OTEL_EXPORTER_OTLP_TIMEOUT: '60000', OTEL_BSP_EXPORT_TIMEOUT: '60000' };

export interface Load {
  /** Host and port of an OTLP receiver (gRPC). Default: the usual one on this machine. */
  readonly receiver?: string;
  /** Default: 100. */
  readonly spansPerSecond?: number;
}

/**
 * Spans at a steady rate, in pieces of five seconds, for as long as something else takes. telemetrygen
 * repeats a request that Alloy has not accepted for a minute, and complains then: what it has sent
 * without a complaint, Alloy has accepted.
 * @returns the number of spans that Alloy has accepted
 * @throws Error with telemetrygen's words when it could not hand something over
 */
export async function underLoad(project: string, work: () => Promise<unknown>, { receiver = '127.0.0.1:4317', spansPerSecond = 100 }: Load = {}): Promise<number> {
  const program = await telemetrygen();
  let running = true;
  let accepted = 0;
  const pieces = async (): Promise<void> => {
    while (running) {
      const { code, output } = await finished(program, [
        'traces', '--otlp-insecure', '--otlp-endpoint', receiver, '--traces', String(spansPerSecond * 2.5), '--child-spans', '1', '--rate', String(spansPerSecond),
        '--otlp-attributes', `openinference.project.name="${project}"`,
      ], patient);
      const complaints = output.split('\n').filter((line) => /traces export:|\tERROR\t/.test(line));
      if (code !== 0 || complaints.length > 0) {
        throw new Error(`telemetrygen ended with ${code}: ${complaints.join('\n').slice(-2000)}`);
      }
      accepted += spansPerSecond * 5;
    }
  };
  const load = pieces();
  // A load that fails ends the test at once and not after the work.
  await Promise.race([work().finally(() => (running = false)), load.then(() => new Promise(() => {}))]);
  await load;
  return accepted;
}
