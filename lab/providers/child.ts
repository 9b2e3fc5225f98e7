import { spawn, type ChildProcess } from 'node:child_process';

/** Where a program's output goes. */
export interface Say {
  out(data: Buffer): void;
  err(data: Buffer): void;
}

/** The programs that a language host has started. */
export class Children {
  private readonly running = new Set<ChildProcess>();

  /** Starts one, and forwards its output. `done` is its exit code, once both streams have ended. */
  start(program: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string }, say: Say): { readonly done: Promise<number>; readonly stop: () => void } {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.running.add(child);
    child.stdout.on('data', say.out);
    child.stderr.on('data', say.err);
    const done = new Promise<number>((resolve, reject) => {
      child.on('error', (error) => reject(new Error(`Problem executing program (could not run language executor): ${error.message}`)));
      child.on('close', (code, signal) => (signal ? reject(new Error(`Program exited unexpectedly: signal: ${signal}`)) : resolve(code ?? 1)));
    }).finally(() => this.running.delete(child));
    return { done, stop: () => stopped(child) };
  }

  stop(): void {
    this.running.forEach(stopped);
  }
}

/** Asks first, and kills five seconds later. */
function stopped(child: ChildProcess): void {
  child.kill('SIGINT');
  setTimeout(() => child.kill('SIGKILL'), 5000).unref();
}
