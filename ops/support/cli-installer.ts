/**
 * Lets Pulumi's SDK install the CLI. In a separate process, because the SDK takes its HTTP client, its folder and its
 * installer's options from the process that it runs in, and cannot be stopped in any other way.
 * Arguments: version, folder. Sends errors to its parent, and ends when the parent does.
 */
import { PulumiCommand } from '@pulumi/pulumi/automation/cmd';
import { SemVer } from 'semver';
import { get } from './web';

/** What the SDK records about a failed command. */
interface CommandFailure extends Error {
  readonly commandResult?: { readonly err?: { readonly stderr?: string; readonly stdout?: string } };
}

/** With the shell and curl: it leads its own process group. */
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
    // The installer prints some of its errors on stdout, among its progress.
    const { stderr = '', stdout = '' } = error.commandResult?.err ?? {};
    end({ message: error.message, output: `${stderr}\n${stdout}` });
  },
);
