/**
 * `npm run example` in this process, with a CLI that answers from a table, and an AI service and a Phoenix on loopback.
 */
import type { Outputs } from '../../ops/support/outputs';
import { sumOf, talk } from '../../ops/support/example/conversation';
import { underLoad } from '../../ops/support/example/load';
import { here } from '../../provider/reach';
import { execEngine } from '../support/exec-engine';
import { fakePulumi, type FakePulumi, type Said } from '../support/fake-pulumi';
import { listen } from '../support/said';
import { services } from '../support/services';
import type * as typed from '../support/typed';
import { nobody, site, type Request, type Reply, type Site } from '../support/web';

const mockCommand: { args: readonly string[]; main?: () => Promise<void>; pulumi?: string; deploy: (args: readonly string[]) => Promise<number> } = { args: [], deploy: async () => 0 };

jest.mock('../../ops/support/command-line', () => jest.requireActual<typeof typed>('../support/typed').keptMain(() => mockCommand.args, (run) => (mockCommand.main = run)));
jest.mock('../../ops/support/toolchain', () => ({ findToolchain: async () => ({ pulumi: mockCommand.pulumi, env: {} }) }));
jest.mock('../../ops/support/example/deployment', () => ({ deploy: (args: readonly string[]) => mockCommand.deploy(args) }));

afterEach(() => {
  mockCommand.deploy = async () => 0;
  process.exitCode = undefined;
});

interface Ended {
  readonly stdout: string;
  readonly said: string[];
  readonly failure?: string;
}

async function example(args: readonly string[], cli: FakePulumi): Promise<Ended> {
  const said = listen();
  let stdout = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((stdout += String(text))));
  Object.assign(mockCommand, { args, pulumi: cli.file });
  jest.isolateModules(() => void require('../../ops/example'));
  try {
    await mockCommand.main?.();
    return { stdout, said };
  } catch (error) {
    expect((error as Error).constructor.name).toMatch(/^(Failure|Misread)$/);
    return { stdout, said, failure: (error as Error).message };
  }
}

/** Of each message: one call, 10 tokens in and 2 out. In Atlantis the tool fails. */
function answered({ url, body }: Request): Reply {
  const { session, message } = JSON.parse(body) as { session: string; message: string };
  const models = { small: { calls: 1, prompt_tokens: 10, completion_tokens: 2 } };
  const trace = 'a'.repeat(32);
  return url !== '/chat' ? { status: 404 }
    : message.includes('Atlantis') ? { status: 502, body: { session, trace, error: 'no weather', models } } : { body: { session, trace, answer: 'Pack.', models } };
}

const output = (outputs: object): Said => ({ stdout: JSON.stringify(outputs) });
const state: Said = { stdout: '{"deployment":{}}' };
const withService = (outputs: Outputs, service: Site): Outputs => ({ ...outputs, endpoints: { ...outputs.endpoints, example: service.url }, containers: { ...outputs.containers, example: 'example-dev' } });

describe('a stack with the service', () => {
  test('conversations, and what came of them', async () => {
    const [{ outputs, phoenix }, service] = [await services(), await site(answered)];
    const { stdout, said, failure } = await example(['--json'], fakePulumi({ 'stack export': state, 'stack output --json --show-secrets --stack dev': output(withService(outputs, service)) }));
    expect(failure).toBeUndefined();
    const result = JSON.parse(stdout) as Record<string, unknown>;
    const messages = service.requests.length;
    expect(result).toMatchObject({ ok: true, project: 'ai-service', messages, failed: 1, unanswered: 0, missing: [], calls: messages, prompt_tokens: 10 * messages, models: { small: { completion_tokens: 2 * messages } } });
    const sessions = new Set(service.requests.map(({ body }) => (JSON.parse(body) as { session: string }).session));
    expect(result['sessions']).toBe(sessions.size);
    expect(messages).toBeGreaterThan(sessions.size);
    const text = said.join('\n');
    expect(text).toMatch(/failed .*Atlantis.* no weather/);
    expect(text).toContain(`${phoenix.url}/redirects/projects/ai-service`);
    expect(text).toContain(`${phoenix.url}/redirects/traces/${'a'.repeat(32)}`);
  });

  test('on an engine on another machine the messages come from inside its container', async () => {
    const [{ outputs, route }, service] = [await services(), await site(answered)];
    const docker = await execEngine(undefined, { over: 'tcp', running: 'phoenix-dev-gate' });
    const port = new URL(service.url).port;
    jest.doMock('../../components/catalog', () => {
      const actual = jest.requireActual<{ ports: object }>('../../components/catalog');
      return { ...actual, ports: { ...actual.ports, example: { http: Number(port) } } };
    });
    // That engine has one container.
    const elsewhere = { ...outputs, containers: { ...outputs.containers, example: outputs.containers.gate }, dockerHost: docker.host, internal: route.endpoints, endpoints: { ...outputs.endpoints, example: await nobody() } };
    const { said } = await example([], fakePulumi({ 'stack export': state, 'stack output': output(elsewhere) }));
    jest.dontMock('../../components/catalog');
    expect(said.some((line) => /^ {2}ok /.test(line))).toBe(true);
    expect(service.requests.length).toBeGreaterThan(3);
    await docker.ended();
  });

  test('one that does not answer', async () => {
    const { outputs } = await services();
    const silent = { ...outputs, endpoints: { ...outputs.endpoints, example: await nobody() }, containers: { ...outputs.containers, example: 'example-dev' } };
    const { failure } = await example([], fakePulumi({ 'stack export': state, 'stack output': output(silent) }));
    expect(failure).toMatch(/does not answer/);
    expect(failure).toContain('docker logs example-dev');
  });
});

describe('a stack without it', () => {
  const deployment = (): readonly string[][] => {
    const calls: string[][] = [];
    mockCommand.deploy = async (args) => (calls.push([...args]), 1);
    return calls;
  };

  test.each<[string, Record<string, Said>]>([
    ['that is not there', { 'stack export': { stderr: "error: no stack named 'prod' found\n", code: 6 } }],
    ['that is not deployed', { 'stack export': state, 'stack output': output({}) }],
    ['that is deployed', { 'stack export': state, 'stack output': output({ endpoints: { otlpHttp: 'http://127.0.0.1:4318' } }) }],
  ])('%s is deployed with it, as by npm run up; where that fails, that is the end', async (_, answers) => {
    const calls = deployment();
    const { said, failure } = await example(['--stack', 'prod', '--yes'], fakePulumi(answers));
    expect(failure).toBeUndefined();
    expect(said.join('\n')).toContain('npm run up -- --stack prod -c example:enabled=true');
    expect(calls).toEqual([['--stack', 'prod', '-c', 'example:enabled=true', '--yes']]);
    expect(process.exitCode).toBe(1);
  });

  test('one at the edge has none, and is left alone', async () => {
    const calls = deployment();
    const { failure } = await example(['--stack', 'edge'], fakePulumi({ 'stack export': state, 'stack output': output({ endpoints: {}, central: {} }) }));
    expect(failure).toMatch(/no Phoenix[^]*npm run example -- --stack prod/);
    expect(calls).toEqual([]);
  });
});

describe('under load', () => {
  test('conversations go on until it is stopped, and those that have begun are finished', async () => {
    const service = await site(answered);
    const stop = new AbortController();
    const lines: string[] = [];
    const report = (line: string): void => {
      lines.push(line);
      if (service.requests.length > 20) {
        stop.abort();
      }
    };
    const turns = await underLoad({ open: () => here, url: service.url, session: 'load', rate: 200, stop: stop.signal, report, everyMs: 1 });
    expect(turns).toHaveLength(service.requests.length);
    expect(sumOf(turns)).toMatchObject({ messages: turns.length, unanswered: 0, calls: turns.length });
    expect(lines.at(-1)).toContain('model call');
  });
});

test('a service that answers something else ends its conversation', async () => {
  const { url } = await site(() => ({ status: 200, body: '<html>' }));
  const turns = await talk(here, url, 's', ['a', 'b']);
  expect(turns).toEqual([{ session: 's', message: 'a', ms: expect.any(Number), trace: '', error: 'it answers 200', models: {} }]);
});
