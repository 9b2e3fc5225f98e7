import type { Container } from './container';
import type { Daemon } from './daemon';

/** Where faults are injected: a stack of this project, or the same services from a docker-compose file. */
export interface Target {
  /** Base URL of Alloy's OTLP receiver over HTTP. */
  readonly receiver: string;
  /** Base URL of Alloy's own page, which has its metrics. */
  readonly alloyUi: string;
  readonly phoenix: Container;
  readonly alloy: Container;
  /** Undefined in a setup without one. */
  readonly gate?: Container;
  /** The engine that it runs on; only with --engine. */
  readonly daemon?: Pick<Daemon, 'restart' | 'crash'>;
  /** Runs a Python script on the files of one of the stack's volumes; only if there are any. */
  readonly inVolume?: (part: 'queue' | 'secrets', script: string) => Promise<void>;
  /** `npm run up` with more arguments; only on a stack. */
  readonly up?: (...args: string[]) => Promise<void>;
}
