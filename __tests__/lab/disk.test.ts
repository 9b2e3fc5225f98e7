import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from '../../lab/command';
import { freeMegabytes, isDiskFull, lacking, lackText, places } from '../../lab/disk';
import { putPrograms } from '../support/programs';

const folder = join(tmpdir(), 'is', 'not', 'there', 'yet');

describe('lacking', () => {
  test('nothing where there is room, also in a folder that is not there yet', async () => {
    expect(await lacking([{ folder, megabytes: 0 }])).toEqual([]);
  });

  test('what two folders need on one disk is added up, under the one that takes more', async () => {
    const half = Math.ceil((await freeMegabytes(folder)) * 0.7);
    const [found, ...others] = await lacking([{ folder: join(folder, 'a'), megabytes: half }, { folder: join(folder, 'b'), megabytes: half + 1 }]);
    expect(others).toEqual([]);
    expect(found).toEqual({ folder: join(folder, 'b'), needed: 2 * half + 1, free: expect.any(Number) as number });
    expect(found.free).toBeLessThan(found.needed);
  });
});

test('lackText says what is missing', () => {
  expect(lackText({ folder: '/cache', needed: 2000, free: 800 })).toBe('/cache: 1,200 MB are missing: 2,000 are needed there and 800 are free.');
});

test.each([
  ['the code of a system call', Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }), true],
  ['Go', failed('go', 'compile: writing output: write /tmp/go-build1/b001/_pkg_.a: no space left on device'), true],
  ['pip', failed('docker', "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device: '/phoenix/x'", 'The command returned a non-zero code: 1'), true],
  ['a quota', failed('go', 'write x: disk quota exceeded'), true],
  ['something else', failed('go', 'undefined: x'), false],
])('isDiskFull knows %s', (_, error, answer) => {
  expect(isDiskFull(error)).toBe(answer);
});

function failed(program: string, ...lines: string[]): CommandError {
  return new CommandError(program, [], 1, 'exit status 1', lines);
}

test('what several parts keep is added up, what one takes in the meantime counts once', async () => {
  const costs = [{ minutes: 1, cache: 10, meanwhile: { cache: 100 } }, { minutes: 1, cache: 20, meanwhile: { cache: 300 } }];
  expect(await places(costs, folder)).toEqual([{ folder, megabytes: 330 }]);
});

describe('the disk of an engine', () => {
  let dir: string;
  let takeBack: () => void;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'disk-'));
  });
  afterEach(() => {
    takeBack();
    rmSync(dir, { recursive: true });
  });
  const engine = (name: string, root: string): void => {
    takeBack = putPrograms(join(dir, 'bin'), { docker: `[ "$1 $DOCKER_HOST" = 'info unix:///engine.sock' ] && echo '${name} ${root}'` });
  };
  const needs = () => places([{ minutes: 1, engine: 50 }], folder, { DOCKER_HOST: 'unix:///engine.sock' });

  test('counts where the engine says that it is', async () => {
    engine(hostname(), dir);
    expect(await needs()).toEqual([{ folder: dir, megabytes: 50 }]);
  });

  test('is not looked at when the engine is another machine, or a virtual one with other folders', async () => {
    engine('docker-desktop', dir);
    expect(await needs()).toEqual([]);
    takeBack();
    engine(hostname(), '/var/lib/not-here');
    expect(await needs()).toEqual([]);
  });
});
