import { spawn, type ChildProcess } from 'node:child_process';
import { at, engineGet, engineRequest, engineStream } from '../../engine';
import { sshArguments } from '../../engine/ssh';
import { execEngine, upgraded } from '../support/exec-engine';
import { current, fakeEngine } from '../support/fake-engine';

jest.mock('node:child_process', () => ({ ...jest.requireActual<object>('node:child_process'), spawn: jest.fn() }));

/** Long enough for any machine: it only ends a test that would hang. */
const patience = 20_000;

describe('the arguments', () => {
  const fixed = ['docker', 'system', 'dial-stdio'];
  const batch = ['-o', 'BatchMode=yes', '-T'];
  const timeout = ['-o', 'ConnectTimeout=30'];

  test.each<[string, string, readonly string[] | undefined, string[]]>([
    ['a host', 'ssh://host.example', undefined, [...timeout, ...batch, '--', 'host.example', ...fixed]],
    ['a name of ~/.ssh/config keeps its letters', 'ssh://My_Host', undefined, [...timeout, ...batch, '--', 'My_Host', ...fixed]],
    ['user and port', 'ssh://me@host.example:2222', undefined, ['-l', 'me', '-p', '2222', ...timeout, ...batch, '--', 'host.example', ...fixed]],
    ['a user with odd characters', 'ssh://DOM%5Cme%40corp@host.example', undefined, ['-l', 'DOM\\me@corp', ...timeout, ...batch, '--', 'host.example', ...fixed]],
    ['IPv6 without its brackets', 'ssh://me@[2001:db8::1]:22', undefined, ['-l', 'me', '-p', '22', ...timeout, ...batch, '--', '2001:db8::1', ...fixed]],
    // Of two values ssh takes the first.
    ['options, before those that are always there and after the address', 'ssh://me@host.example', ['-i', '/a key', '-o', 'BatchMode=no'], ['-l', 'me', '-i', '/a key', '-o', 'BatchMode=no', ...timeout, ...batch, '--', 'host.example', ...fixed]],
    ['a time limit in place of the usual one', 'ssh://host.example', ['-oConnectTimeout=5'], ['-oConnectTimeout=5', ...batch, '--', 'host.example', ...fixed]],
    ['what looks like an option is a host all the same', 'ssh://-oProxyCommand=x', undefined, [...timeout, ...batch, '--', '-oProxyCommand=x', ...fixed]],
  ])('%s', (_, host, sshOpts, args) => {
    expect(sshArguments({ host, ...(sshOpts ? { sshOpts } : {}) })).toEqual(args);
  });
});

describe('the connection', () => {
  const actual = jest.requireActual<{ spawn: (command: string, args: string[], options: object) => ChildProcess }>('node:child_process');

  /** Runs this JavaScript where ssh would run. */
  const sshRuns = (script: string): void => {
    jest.mocked(spawn).mockImplementation(((_: string, __: string[], options: object) =>
      actual.spawn(process.execPath, ['-e', script], options)) as never);
  };
  const carries = (socket: string): void => sshRuns(`const s = require('net').connect(${JSON.stringify(socket)}); process.stdin.pipe(s); s.pipe(process.stdout);`);
  const commands = (): unknown[] => jest.mocked(spawn).mock.calls.map(([command, args]) => [command, ...args].join(' '));
  beforeEach(() => jest.mocked(spawn).mockClear());

  test('the engine is reached through the docker command there', async () => {
    const engine = await fakeEngine(current);
    carries(engine.socket);
    expect(await engineGet(at('ssh://me@host.example:2222'), '/info', patience)).toEqual(current['/info']);
    expect(await engineGet({ ...at('ssh://host.example'), sshOpts: ['-i', '/key'] }, '/info', patience)).toEqual(current['/info']);
    // Each engine is asked first how to ask it.
    expect(commands()).toEqual([
      ...Array(2).fill('ssh -l me -p 2222 -o ConnectTimeout=30 -o BatchMode=yes -T -- host.example docker system dial-stdio'),
      ...Array(2).fill('ssh -i /key -o ConnectTimeout=30 -o BatchMode=yes -T -- host.example docker system dial-stdio'),
    ]);
  });

  test('what ssh complains of is the error', async () => {
    sshRuns(`process.stderr.write('ssh: connect to host host.example port 22: Connection refused\\n'); process.exitCode = 255;`);
    await expect(engineGet(at('ssh://me@host.example'), '/info', patience)).rejects.toThrow(
      new Error('ssh: connect to host host.example port 22: Connection refused'),
    );
  });

  test('an end without a word', async () => {
    sshRuns('process.exitCode = 3;');
    await expect(engineGet(at('ssh://me@host.example'), '/info', patience)).rejects.toThrow(new Error('ssh ended with 3'));
  });

  test('an answer larger than any buffer on the way', async () => {
    const engine = await fakeEngine({ '/logs': { status: 200, body: 'x'.repeat(3_000_000) } });
    carries(engine.socket);
    expect((await engineRequest(at('ssh://host.example'), 'GET', '/logs', { timeoutMs: patience })).body).toHaveLength(3_000_000);
  });

  test('a stream goes both ways', async () => {
    const { host } = await execEngine((socket) => {
      socket.write(upgraded);
      socket.once('data', (chunk) => socket.end(`you said ${chunk.toString()}`));
    });
    carries(host.slice('unix://'.length));
    const engine = at('ssh://host.example');
    await engineRequest(engine, 'POST', '/containers/phoenix-dev/exec', { body: { Cmd: [] } });
    const stream = await engineStream(engine, '/exec/0/start', { Detach: false, Tty: false }, patience);
    stream.write('hello');
    const said: Buffer[] = [];
    for await (const chunk of stream) {
      said.push(chunk as Buffer);
    }
    expect(Buffer.concat(said).toString()).toBe('you said hello');
  });

  test('no ssh on this machine', async () => {
    jest.mocked(spawn).mockImplementation(((_: string, __: string[], options: object) => actual.spawn('/nowhere/ssh', [], options)) as never);
    await expect(engineGet(at('ssh://me@host.example'), '/info', patience)).rejects.toThrow(new Error('spawn /nowhere/ssh ENOENT'));
  });
});
