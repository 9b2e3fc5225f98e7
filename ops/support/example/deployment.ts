import { spawn } from 'node:child_process';
import { projectDir } from '../backend';
import { passingOn } from '../signals.cjs';

/** Runs `npm run up` with these arguments on this terminal. @returns its exit code */
export async function deploy(args: readonly string[]): Promise<number> {
  // Standard output is for the results of the command that has started it.
  const { child, end } = passingOn(() => spawn(process.execPath, ['ops/run.mjs', 'up', ...args], { cwd: projectDir, stdio: ['inherit', 2, 2] }));
  try {
    return await new Promise<number>((resolve, reject) => child.on('error', reject).on('exit', (code) => resolve(code ?? 130)));
  } finally {
    end();
  }
}
