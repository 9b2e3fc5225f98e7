/**
 * One run of `npm run adopt`: its options, its tools, and its message on failure.
 */
import type { Engine } from '../../../engine';
import type { Interruption } from '../interruption';
import type { Pulumi } from '../pulumi';
import { deploying } from '../run-tools';
import { Failure, Stopped } from '../say';
import type { StackState } from '../stack-state';
import type { Toolchain } from '../toolchain';

export interface Options {
  readonly stack: string;
  /** Names of the old containers, if there are several candidates. */
  readonly named: { readonly phoenix: string | undefined; readonly alloy: string | undefined };
  readonly yes: boolean;
  readonly json: boolean;
  /** This command. */
  readonly again: string;
}

export interface Run extends Options {
  readonly tools: Toolchain;
  readonly pulumi: Pulumi;
  readonly engine: Engine;
  readonly interruption: Interruption;
}

/** The CLI for deploying the stack, and a function that pulls its images. */
export function prepared({ tools, engine, interruption, stack, yes, again }: Run, settings: Readonly<Record<string, string>>, state: StackState | undefined): ReturnType<typeof deploying> {
  return deploying({ tools, stack, settings, state, engine, interruption, consent: yes ? 'yes' : 'ask', again });
}

/** The same failure or interruption, with its consequence for the two setups. */
export function withWords(error: unknown, words: string, again: string): Failure {
  const text = `${error instanceof Error ? error.message : String(error)}\n${words}`;
  return error instanceof Stopped ? new Stopped(text, [again]) : new Failure(text, [again]);
}
