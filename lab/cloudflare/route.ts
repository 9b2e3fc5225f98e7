import type { Account, Permission } from './account';
import type { Answer } from './answer';

/** A request that got as far as the thing it is about. */
export interface Call {
  readonly account: Account;
  /** What stands at the places of the path, without account or zone. */
  readonly id: string;
  readonly zoneId: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `:account` and `:zone` have to be there before it is called; `:id` is for it to find. */
  readonly path: string;
  readonly permission?: Permission;
  /** Default: to read for GET, to write for the rest. */
  readonly right?: 'read' | 'write';
  run(call: Call): Answer;
}
