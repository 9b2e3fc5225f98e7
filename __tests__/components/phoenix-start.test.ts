/** The program that becomes Phoenix, in the Python of this machine, with a stand-in for Phoenix. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { phoenixStart } from '../../components/phoenix-start';
import { tempDir } from '../support/temp';

const most = 1 << 20;

/**
 * Runs it.
 * @param phoenix Python in the place of Phoenix's module
 * @param secrets text of the file with the secrets
 */
function start(phoenix: string, secrets = '{}'): { status: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string } {
  const [packages, folder] = [tempDir(), tempDir()];
  const write = (file: string, text: string): void => {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  };
  const secretsFile = path.join(folder, 'environment.json');
  write(secretsFile, secrets);
  write(path.join(packages, 'phoenix', '__init__.py'), '');
  write(path.join(packages, 'phoenix', 'server', '__init__.py'), '');
  write(path.join(packages, 'phoenix', 'server', 'main.py'), phoenix);
  write(path.join(packages, 'starlette', 'exceptions.py'), 'class HTTPException(Exception):\n    pass\n');
  const { status, signal, stdout, stderr } = spawnSync(
    'python3',
    ['-c', phoenixStart(1000, { secretsFile, mostBytes: most }), 'serve'],
    { encoding: 'utf8', env: { PATH: process.env['PATH'], PYTHONPATH: packages, LANG: 'C.UTF-8' } },
  );
  return { status, signal, stdout, stderr };
}

/** Runs it, and reads what Phoenix prints. */
function printed(phoenix: string, secrets?: string): unknown {
  const { status, stdout, stderr } = start(phoenix, secrets);
  // The stand-in is of a version without what stores spans, and starts all the same.
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^This version of Phoenix has no bound for the number of its projects: ModuleNotFoundError\(.*\)\n$/) });
  return JSON.parse(stdout);
}

test('Phoenix runs as its image runs it: as the main program, with the same arguments, in the same process', () => {
  const looks = `
import json, os, sys
main = sys.modules["__main__"]
print(json.dumps([__name__, main.__spec__.name, main.__dict__ is globals(), sys.argv[1:], os.path.basename(sys.argv[0]), os.getppid()]))
`;
  expect(printed(looks)).toEqual(['__main__', 'phoenix.server.main', true, ['serve'], 'main.py', process.pid]);
});

test('it has the secrets in its environment, where nobody else sees them', () => {
  const secrets = { PHOENIX_SECRET: 'a "b"\n=c', PHOENIX_SMTP_PASSWORD: 'pässwörd', PATH: '/elsewhere' };
  const looks = 'import json, os\nprint(json.dumps([dict(os.environ), open("/proc/self/environ").read()]))\n';
  const [environ, shown] = printed(looks, JSON.stringify(secrets)) as [Record<string, string>, string];
  expect(environ).toMatchObject(secrets);
  expect(shown).toContain('PYTHONPATH=');
  expect(shown).not.toMatch(/PHOENIX_|elsewhere/);
});

test.each([
  ['an exit', 'import sys\nsys.exit(7)\n', { status: 7, signal: null }],
  ['an error', 'raise ValueError("PHOENIX_SECRET is too short")\n', { status: 1, signal: null }],
  ['a signal', 'import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n', { status: null, signal: 'SIGTERM' }],
  ['a signal that it handles', 'import os, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nos.kill(os.getpid(), signal.SIGTERM)\n', { status: 0, signal: null }],
])('its end is that of Phoenix: %s', (_, phoenix, end) => {
  const { status, signal, stderr } = start(phoenix);
  expect({ status, signal }).toEqual(end);
  expect(stderr.trim().split('\n').at(-1)).toMatch(phoenix.startsWith('raise') ? /^ValueError: PHOENIX_SECRET is too short$/ : /^This version of Phoenix /);
});

test('a file that is none ends it without a word of what is in it', () => {
  const { status, stderr } = start('', '{"PHOENIX_SECRET": "hunter2');
  expect(status).toBe(1);
  expect(stderr).toMatch(/JSONDecodeError/);
  expect(stderr).not.toContain('hunter2');
});

/** Compares what Phoenix gets with what Python does by itself, for each expression in `cases`. */
const comparing = (cases: Readonly<Record<string, string>>): string => `
import gzip, importlib, json, random, zlib
small, large = random.Random(7).randbytes(100_000), bytes(${most})
def packed(data, wbits, level=9):
    stream = zlib.compressobj(level, zlib.DEFLATED, wbits)
    return stream.compress(data) + stream.flush()
def said(call):
    try:
        found = call()
        return [len(found), zlib.crc32(found)]
    except Exception as error:
        return [type(error).__name__, *map(str, error.args)]
cases = { ${Object.entries(cases).map(([name, code]) => `${JSON.stringify(name)}: lambda: ${code}`).join(',\n  ')} }
found = {name: said(case) for name, case in cases.items()}
zlib.decompress = gzip.decompress.__globals__["unpack_zlib"]
importlib.reload(gzip)
print(json.dumps({name: [found[name], said(case)] for name, case in cases.items()}))
`;

const unpack = (cases: Readonly<Record<string, string>>): Record<string, [unknown[], unknown[]]> => printed(comparing(cases)) as Record<string, [unknown[], unknown[]]>;

test('what is not too large is unpacked as ever, and what is none is refused as ever', () => {
  const found = unpack({
    'gzip': 'gzip.decompress(gzip.compress(small))',
    'gzip by name': 'gzip.decompress(data=gzip.compress(small))',
    'gzip of nothing': 'gzip.decompress(gzip.compress(b""))',
    'no gzip at all': 'gzip.decompress(b"")',
    'gzip in several members, with padding': 'gzip.decompress(gzip.compress(small) + gzip.compress(b"") + gzip.compress(small) + bytes(100))',
    'gzip of the largest': 'gzip.decompress(gzip.compress(large))',
    'gzip in a bytearray': 'gzip.decompress(bytearray(gzip.compress(small)))',
    'gzip that ends early': 'gzip.decompress(gzip.compress(small)[:-9])',
    'gzip with something behind': 'gzip.decompress(gzip.compress(small) + b"more")',
    'gzip with a wrong sum': 'gzip.decompress(gzip.compress(small)[:-8] + bytes(8))',
    'what is no gzip': 'gzip.decompress(b"{}")',
    'zlib': 'zlib.decompress(zlib.compress(small))',
    'zlib of nothing': 'zlib.decompress(zlib.compress(b""))',
    'zlib of the largest': 'zlib.decompress(zlib.compress(large))',
    'zlib in a memoryview': 'zlib.decompress(memoryview(zlib.compress(small)))',
    'zlib with something behind': 'zlib.decompress(zlib.compress(small) + b"more")',
    'zlib, not packed': 'zlib.decompress(packed(small, 15, 0))',
    'raw': 'zlib.decompress(packed(small, -15), -15)',
    'raw by name': 'zlib.decompress(packed(small, -15), wbits=-15, bufsize=10)',
    'gzip by zlib': 'zlib.decompress(packed(small, 31), 31)',
    'either by zlib': 'zlib.decompress(packed(small, 31), wbits=47)',
    'zlib that ends early': 'zlib.decompress(zlib.compress(small)[:-1])',
    'no zlib at all': 'zlib.decompress(b"")',
    'what is no zlib': 'zlib.decompress(b"{}")',
    'what is no bytes': 'zlib.decompress(1)',
  });
  const unpacked = Object.entries(found).flatMap(([name, [ours, theirs]]) => {
    // The words of an error differ from version to version of Python.
    expect([name, ours[0], typeof ours[0] === 'number' ? ours[1] : '']).toEqual([name, theirs[0], typeof theirs[0] === 'number' ? theirs[1] : '']);
    return typeof ours[0] === 'number' ? [name] : [];
  });
  expect(unpacked).toHaveLength(17);
});

test('what is too large is refused with 413, by one byte as by a thousand times', () => {
  const found = unpack({
    'gzip': 'gzip.decompress(gzip.compress(large + b"x"))',
    'gzip in several members': 'gzip.decompress(gzip.compress(large[:-1]) + gzip.compress(b"xx"))',
    'zlib': 'zlib.decompress(zlib.compress(large + b"x"))',
    'raw': 'zlib.decompress(packed(large + b"x", -15), -15)',
    'gzip by zlib': 'zlib.decompress(packed(large + b"x", 31), 31)',
    'a bomb': 'gzip.decompress(packed(bytes(1 << 28), 31))',
    'a bomb by zlib': 'zlib.decompress(packed(bytes(1 << 28), 15))',
  });
  for (const [name, [ours, theirs]] of Object.entries(found)) {
    expect([name, ...ours]).toEqual([name, 'HTTPException', '413', 'Unpacked, the request is larger than 1 MiB']);
    expect(theirs[0]).toBeGreaterThan(most);
  }
});

// By Python itself it takes minutes, and the test its time.
test('a request of a great many members takes no longer than its size', () => {
  expect(printed('import gzip\nprint(len(gzip.decompress(gzip.compress(b"") * 300_000 + gzip.compress(b"x"))))\n')).toBe(1);
});

test('a bomb takes no memory, and many at once neither', () => {
  const many = `
import concurrent.futures, gzip, json, resource, sys, zlib
def packed(wbits):
    stream = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join([stream.compress(bytes(1 << 20)) for _ in range(512)]) + stream.flush()
bombs = [(gzip.decompress, packed(31)), (zlib.decompress, packed(15))] * 20
def refused(bomb):
    try:
        bomb[0](bomb[1])
    except Exception as error:
        return error
def most():
    # In bytes on macOS, in KiB elsewhere.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
before = most()
with concurrent.futures.ThreadPoolExecutor(40) as pool:
    errors = list(pool.map(refused, bombs))
print(json.dumps([len(errors), sorted({type(error).__name__ for error in errors}), most() - before]))
`;
  const [count, kinds, grownMiB] = printed(many) as [number, string[], number];
  expect([count, kinds]).toEqual([40, ['HTTPException']]);
  // Each of the 40 is 512 MiB, unpacked.
  expect(grownMiB).toBeLessThan(128);
});
