import * as fs from 'node:fs';
import * as path from 'node:path';
import { findSocket } from '../../engine/sockets';
import { linked, listeningSocket } from '../support/surroundings';
import { tempDir } from '../support/temp';

jest.mock('node:fs', () => {
  const actual = jest.requireActual<typeof fs>('node:fs');
  return { ...actual, accessSync: jest.fn(actual.accessSync) };
});

let socket: string;
beforeAll(async () => void (socket = await listeningSocket()));

/** Where engines listen below a home and a folder for the run, in the order in which they are looked for. */
const places: readonly (readonly [name: string, place: string])[] = [
  ['the default socket', 'usual.sock'],
  ['Docker Desktop', 'home/.docker/run/docker.sock'],
  ['Docker Desktop', 'home/.docker/desktop/docker.sock'],
  ['rootless Docker', 'run/docker.sock'],
  ['Colima', 'home/.colima/default/docker.sock'],
  ['Colima', 'home/.config/colima/default/docker.sock'],
  ['OrbStack', 'home/.orbstack/run/docker.sock'],
  ['Rancher Desktop', 'home/.rd/docker.sock'],
  ['Podman', 'run/podman/podman.sock'],
  ['Podman', 'home/.local/share/containers/podman/machine/podman.sock'],
];

/** What is found where there are sockets in these places. */
function found(there: readonly string[], env: NodeJS.ProcessEnv = {}): { name: string; place: string } {
  const dir = tempDir();
  there.forEach((place) => linked(socket, path.join(dir, place)));
  const inside = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value && path.join(dir, value)]));
  const { name, path: file } = findSocket(inside, path.join(dir, 'home'), path.join(dir, 'usual.sock'));
  return { name, place: path.relative(dir, file) };
}
const run = { XDG_RUNTIME_DIR: 'run' };

test('none: the usual place, for the message that nothing answers there', () => {
  expect(found([], run)).toEqual({ name: 'the default socket', place: 'usual.sock' });
});

test.each(places.map(([name, place], index) => [name, place, places.slice(index).map(([, other]) => other)] as const))('%s (%s) before all that come after it', (name, place, there) => {
  expect(found([place], run)).toEqual({ name, place });
  expect(found(there, run)).toEqual({ name, place });
});

test('folders that a person has moved', () => {
  expect(found(['c/default/docker.sock', 'home/.colima/default/docker.sock'], { COLIMA_HOME: 'c' })).toEqual({ name: 'Colima', place: 'c/default/docker.sock' });
  expect(found(['xdg/colima/default/docker.sock'], { XDG_CONFIG_HOME: 'xdg' })).toEqual({ name: 'Colima', place: 'xdg/colima/default/docker.sock' });
  // Nobody's folder is the root of the file system.
  expect(found(['run/docker.sock', 'run/podman/podman.sock'])).toEqual({ name: 'the default socket', place: 'usual.sock' });
});

describe('what is there and no use', () => {
  const rootless = { name: 'rootless Docker', place: 'run/docker.sock' };

  /** The usual place holds what `put` makes; rootless Docker listens as well. */
  function beside(put: (file: string) => void): { name: string; place: string } {
    const dir = tempDir();
    const usual = path.join(dir, 'usual.sock');
    put(usual);
    linked(socket, path.join(dir, 'run', 'docker.sock'));
    const { name, path: file } = findSocket({ XDG_RUNTIME_DIR: path.join(dir, 'run') }, dir, usual);
    return { name, place: path.relative(dir, file) };
  }

  test.each<[string, (file: string) => void]>([
    ['a file', (file) => fs.writeFileSync(file, '')],
    ['a folder, as a mount makes one of a socket that is not there', (file) => fs.mkdirSync(file)],
    ['a link to nowhere, as a program leaves it that was removed', (file) => fs.symlinkSync('/nowhere/docker.sock', file)],
    ['a socket for others', (file) => {
      fs.symlinkSync(socket, file);
      // Whoever runs the tests as root may use every one.
      jest.mocked(fs.accessSync).mockImplementationOnce(() => {
        throw Object.assign(new Error(`EACCES: permission denied, access '${file}'`), { code: 'EACCES' });
      });
    }],
  ])('%s', (_, put) => {
    expect(beside(put)).toEqual(rootless);
  });

  test('a socket that may be used comes first', () => {
    expect(beside((file) => fs.symlinkSync(socket, file))).toEqual({ name: 'the default socket', place: 'usual.sock' });
  });

  test('to use one is to read and to write', () => {
    found(['usual.sock']);
    expect(jest.mocked(fs.accessSync)).toHaveBeenLastCalledWith(expect.stringMatching(/usual\.sock$/), fs.constants.R_OK | fs.constants.W_OK);
  });
});
