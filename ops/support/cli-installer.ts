/**
 * Has Pulumi's SDK install the CLI. A process of its own, because the SDK takes the client for its requests, the folder
 * for its files and what its installer script is told from the process that it runs in, and can be stopped in no other way.
 * Arguments: version, folder. Sends what went wrong to its parent, and ends when that does.
 */
import { PulumiCommand } from '@pulumi/pulumi/automation/cmd';
import { SemVer } from 'semver';
import { get } from './web';

/** What the SDK keeps of a command that failed. */
interface CommandFailure extends Error {
  readonly commandResult?: { readonly err?: { readonly stderr?: string; readonly stdout?: string } };
}

/** With the shell and curl: it leads a group of its own. */
const stop = (): void => void process.kill(-process.pid, 'SIGTERM');
process.on('disconnect', stop);

function end(outcome: object | undefined): void {
  process.off('disconnect', stop);
  process.exitCode = outcome ? 1 : 0;
  process.send?.(outcome ?? {}, () => process.disconnect());
}

const [version = '', root] = process.argv.slice(2);
(globalThis as { fetch: unknown }).fetch = (url: string, { signal }: { signal?: AbortSignal } = {}) => get(url, signal);
PulumiCommand.install({ version: new SemVer(version), root }).then(
  () => end(undefined),
  (error: CommandFailure) => {
    // The installer says some of its errors on stdout, among what it does.
    const { stderr = '', stdout = '' } = error.commandResult?.err ?? {};
    end({ message: error.message, output: `${stderr}\n${stdout}` });
  },
);
