/**
 * A command of ops/ as a person types it, in this process. Each function is the factory of a jest.mock, which stands above
 * all imports: a test reaches it by jest.requireActual.
 */
import type * as fs from 'node:fs';
import type * as backend from '../../ops/support/backend';
import type * as commandLine from '../../ops/support/command-line';
import type * as stateFolder from '../../ops/support/state-folder';
import type * as temp from './temp';

/** `ops/support/command-line` whose main hands over what would run the command with what was typed. */
export function keptMain(args: () => readonly string[], keep: (run: () => Promise<void>) => void): object {
  const actual = jest.requireActual<typeof commandLine>('../../ops/support/command-line');
  return { ...actual, main: (...[command, handedOn]: Parameters<typeof commandLine.main>) => keep(() => actual.parse(command, args(), handedOn)) };
}

/** `ops/support/backend` in a folder of its own: state and settings of this checkout are no test's to touch. */
export function ownBackend(): object {
  const dir = jest.requireActual<typeof temp>('./temp').tempDir();
  jest.requireActual<typeof fs>('node:fs').copyFileSync('Pulumi.yaml', `${dir}/Pulumi.yaml`);
  const { folderAt } = jest.requireActual<typeof stateFolder>('../../ops/support/state-folder');
  const actual = jest.requireActual<typeof backend>('../../ops/support/backend');
  return { ...actual, projectDir: dir, backendEnvironment: () => ({}), localState: () => folderAt(`${dir}/state`) };
}
