import { survey, type Question } from '../../../ops/support/adopt/survey';
import { from } from '../../../provider/container-reach';
import type { FakeDocker } from '../../support/fake-docker';
import { nobody, runningAlloy, runningPhoenix } from './given';
import { configured, engine, exporter } from './seed';

jest.mock('../../../provider/container-reach', () => ({ from: jest.fn(), output: jest.fn() }));
jest.mock('../../../engine/host-ports', () => ({ isHeld: async () => false, holderOf: async () => undefined, isOwnAddress: async () => true }));
beforeEach(() => void jest.mocked(from).mockReturnValue({ ask: async () => ({ status: 200, text: '20.26.1' }), close: () => undefined } as never));

const ask = ({ engine }: FakeDocker, config: Record<string, string> = {}, over: Partial<Question> = {}): ReturnType<typeof survey> =>
  survey({ engine, stack: 'dev', state: undefined, config: { 'docker:host': engine.host, ...config }, secrets: async () => ({}), named: nobody, ...over });

describe('what is to be known before', () => {
  const config = { status: 404, message: 'no such file' };

  test('everything at once', async () => {
    const docker = await engine([
      runningPhoenix({ env: { PHOENIX_WORKING_DIR: '/phoenix_storage', PHOENIX_SMTP_HOSTNAME: 'mail', PHOENIX_DEFAULT_RETENTION_POLICY_DAYS: '7', OTHER: 'x', PHOENIX_PORT: '6006' } }),
      runningAlloy(),
    ]);
    docker.answers['GET /containers/grafana-alloy/archive'] = config;
    docker.answers['GET /networks/seed_default'] = { Containers: { a: { Name: 'grafana-alloy' }, b: { Name: 'web' }, c: { Name: 'app' } } };
    const { plan } = await ask(docker, { 'phoenix:retentionDays': '30' });
    expect(plan?.notes).toEqual([
      'The configuration of grafana-alloy could not be read: what it does besides sending traces to Phoenix ends with it.',
      expect.stringMatching(/^arize-phoenix-phoenix-1 and grafana-alloy took requests from other machines; .* unless phoenix:bind and alloy:bind say otherwise\.$/),
      'app, web share a network with the old ones: where they send to grafana-alloy or arize-phoenix-phoenix-1 by name, change them to send to host.docker.internal.',
      "phoenix:retentionDays is 30: the stack's Phoenix deletes traces that are older.",
      'Settings of arize-phoenix-phoenix-1 that the stack does not take over: PHOENIX_DEFAULT_RETENTION_POLICY_DAYS, PHOENIX_SMTP_HOSTNAME.',
    ]);
  });

  test('nothing', async () => {
    const docker = await engine([runningPhoenix({ address: '127.0.0.1' }), runningAlloy({ address: '127.0.0.1' })]);
    configured(docker, `otelcol.receiver.otlp "default" {\n  grpc { }\n  http { }\n}\n${exporter()}`);
    expect((await ask(docker)).plan?.notes).toEqual([]);
  });
});

test('a Phoenix to which applications send, on every address of the host: both settings of addresses are named', async () => {
  const docker = await engine([runningPhoenix({ ports: { 6006: 6006, 4317: 4317, 4318: 14318 } })]);
  const { plan } = await ask(docker, {}, { named: { phoenix: undefined, alloy: 'arize-phoenix-phoenix-1' } });
  expect(plan?.notes).toEqual(expect.arrayContaining([
    expect.stringMatching(/^Applications that send to ports 6006 and 14318 get no answer/),
    expect.stringMatching(/^arize-phoenix-phoenix-1 took requests from other machines; .* unless phoenix:bind and alloy:bind say otherwise\.$/),
  ]));
});
