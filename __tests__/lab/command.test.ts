import { ask, command, CommandError } from '../../lab/command';

const node = (script: string): [string, string[]] => [process.execPath, ['-e', script]];

test('returns what a program prints, and every line of both outputs', async () => {
  const lines: string[] = [];
  const script = 'console.log("one"); console.log("two"); console.error("three")';
  await expect(command(...node(script), { onLine: (line) => lines.push(line) })).resolves.toBe('one\ntwo');
  expect(lines.sort()).toEqual(['one', 'three', 'two']);
});

test('variables are added and removed', async () => {
  const script = 'console.log(process.env.ADDED, process.env.PATH)';
  await expect(command(...node(script), { env: { ADDED: 'yes', PATH: undefined } })).resolves.toBe('yes undefined');
});

test('a failure has the status and the last lines', async () => {
  const failure = await command(...node('console.error("why"); process.exitCode = 3')).catch((error: unknown) => error as CommandError);
  expect(failure).toBeInstanceOf(CommandError);
  expect(failure).toMatchObject({ status: 3, lastLines: ['why'] });
  await expect(command('/does/not/exist', [])).rejects.toMatchObject({ status: null });
  await expect(command(...node('process.kill(process.pid, "SIGKILL")'))).rejects.toThrow('killed by SIGKILL');
});

test('a question that fails has no answer', async () => {
  await expect(ask('/does/not/exist', [])).resolves.toBeUndefined();
  await expect(ask(...node('console.log("yes")'))).resolves.toBe('yes');
});

test('what hangs up on its whole process group does not end this one', async () => {
  const heard = jest.fn();
  process.once('SIGHUP', heard);
  // As mmdebstrap does when it cannot write its archive.
  await expect(command('sh', ['-c', 'trap "" HUP; kill -HUP 0; exit 1'], { ownGroup: true })).rejects.toMatchObject({ status: 1 });
  await new Promise(setImmediate);
  process.off('SIGHUP', heard);
  expect(heard).not.toHaveBeenCalled();
});
