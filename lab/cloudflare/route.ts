import type { Account, Permission } from './account';
import type { Answer } from './answer';

/** A request that has passed the checks of its path and token. */
export interface Call {
  readonly account: Account;
  /** The parameters of the path, without account or zone. */
  readonly id: string;
  readonly zoneId: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `:account` and `:zone` must exist before it is called; it looks up `:id` itself. */
  readonly path: string;
  readonly permission?: Permission;
  /** Default: to read for GET, to write for the rest. */
  readonly right?: 'read' | 'write';
  run(call: Call): Answer;
}
