/** What a resource reports while a deployment waits for it. */
import { info } from '@pulumi/pulumi/log';
import { resetOptions } from '@pulumi/pulumi/runtime/settings';

/**
 * Connects the SDK of this process to the engine of the CLI; without it, it prints on a stdout that nobody shows.
 * @param args those of the provider: the address of the engine is the first that is no flag
 */
export function speakTo(args: readonly string[]): void {
  const address = args.find((arg, index) => !arg.startsWith('-') && args[index - 1] !== '--tracing');
  if (address !== undefined) {
    resetOptions('', '', -1, address, '', false, '');
  }
}

/** One line of a deployment's output, now. It is not repeated among the diagnostics at its end. */
export const tell = (line: string): void => void info(line, undefined, undefined, true);
