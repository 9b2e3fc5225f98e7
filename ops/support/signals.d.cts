import type { ChildProcess } from 'node:child_process';

export interface PassingOn {
  readonly hear?: (signal: NodeJS.Signals) => void;
  readonly as?: NodeJS.Signals;
  readonly deafTo?: NodeJS.Signals;
  readonly untilAlone?: number;
}

export function passingOn(start: () => ChildProcess, options?: PassingOn): { readonly child: ChildProcess; readonly end: () => void };
