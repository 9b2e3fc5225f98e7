/**
 * A command of ops/ as a person types it, in this process. Each function is the factory of a jest.mock, which stands above
 * all imports: a test reaches it by jest.requireActual.
 */
import type * as fs from 'node:fs';
import type * as util from 'node:util';
import type * as temp from './temp';

/** `node:util` whose parseArgs reads what was typed and not the arguments of Jest. */
export function typedArgs(args: () => readonly string[]): object {
  const actual = jest.requireActual<typeof util>('node:util');
  return { ...actual, parseArgs: (config: object) => actual.parseArgs({ ...config, args: [...args()] }) };
}

/** `ops/support/say` whose main hands the command over in the place of running it. */
export function keptMain(keep: (run: () => Promise<void>) => void): object {
  return { ...jest.requireActual<object>('../../ops/support/say'), main: keep };
}

/** `ops/support/backend` in a folder of its own: state and settings of this checkout are no test's to touch. */
export function ownBackend(): object {
  const dir = jest.requireActual<typeof temp>('./temp').tempDir();
  jest.requireActual<typeof fs>('node:fs').copyFileSync('Pulumi.yaml', `${dir}/Pulumi.yaml`);
  return { projectDir: dir, stateDir: `${dir}/.state`, passphraseFile: `${dir}/.state/passphrase`, backendEnvironment: () => ({}) };
}
