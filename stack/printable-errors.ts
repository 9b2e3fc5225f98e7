/**
 * Errors that Pulumi can print.
 *
 * Pulumi prints an error of the program with `util.inspect(error, { colors: true })` (sdk/nodejs/cmd/run/error.ts). In Node 20
 * that call never returns, and uses up all memory, if a line of the stack has no folder after `node_modules/` or
 * `node_modules/@scope/`: nodejs/node#64011, fixed by nodejs/node#64022, which Node 20 did not get. The SDK's own source
 * maps name such files: they map @pulumi/pulumi/resource.js to @pulumi/resource.ts.
 */
import type { EventEmitter } from 'node:events';

const events = ['uncaughtException', 'unhandledRejection'];

/** Where a line of a stack trace lacks that folder. */
const noFolder = /([/\\])node_modules\1(?:@[^/\\\n]*\1)?(?=[^/\\\n]*$)/gm;

/** Until the program has ended, gives Pulumi only errors that it can print. A second call changes nothing. */
export function printErrors(): void {
  const program: EventEmitter = process;
  for (const event of events) {
    const listeners = program.listeners(event);
    // If there are no listeners, Node prints the error and ends the program; a listener would prevent both.
    if (listeners.length > 0 && !listeners.includes(makePrintable)) {
      // Before all others: they print it.
      program.prependListener(event, makePrintable);
      program.once('beforeExit', () => program.off(event, makePrintable));
    }
  }
}

/** Inserts `./`, which changes no path, where the folder is missing: in the stack of the error, and of those printed with it. */
function makePrintable(thrown: unknown): void {
  const seen = new Set<unknown>();
  const visit = (error: unknown): void => {
    if (!(error instanceof Error) || seen.has(error)) {
      return;
    }
    seen.add(error);
    error.stack = error.stack?.replace(noFolder, '$&.$1');
    visit(error.cause);
    if (error instanceof AggregateError) {
      error.errors.forEach(visit);
    }
  };
  try {
    visit(thrown);
  } catch {
    // An error that cannot be changed is still printed.
  }
}
