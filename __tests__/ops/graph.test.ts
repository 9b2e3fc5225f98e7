/**
 * `npm run graph` in this process, with a CLI that answers from a table.
 */
import { diagram } from '../../ops/support/diagram';
import { fakePulumi, type FakePulumi, type Said } from '../support/fake-pulumi';
import type * as typed from '../support/typed';

const mockCommand: { args: readonly string[]; main?: () => Promise<void>; pulumi?: string } = { args: [] };

jest.mock('../../ops/support/command-line', () => jest.requireActual<typeof typed>('../support/typed').keptMain(() => mockCommand.args, (run) => (mockCommand.main = run)));
jest.mock('../../ops/support/toolchain', () => ({ findToolchain: async () => ({ pulumi: mockCommand.pulumi, env: {} }) }));

/** What the command prints. @throws its failure */
async function graph(args: readonly string[], cli?: FakePulumi): Promise<string> {
  let stdout = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((stdout += String(text))));
  Object.assign(mockCommand, { args, pulumi: cli?.file });
  jest.isolateModules(() => void require('../../ops/graph'));
  await mockCommand.main?.();
  return stdout;
}
afterEach(() => jest.restoreAllMocks());

const endpoints = { otlpHttp: 'http://127.0.0.1:4318' };
const container = {
  urn: 'urn:pulumi:prod::llm-observability::docker:index/container:Container::alloy-server',
  type: 'docker:index/container:Container',
  inputs: { name: 'alloy-prod', image: 'grafana/alloy:v1.18.1', restart: 'always', ports: [{ internal: 4318, external: 4318 }] },
};
const network = { urn: 'urn:pulumi:prod::llm-observability::docker:index/network:Network::network', type: 'docker:index/network:Network', inputs: { name: 'observability-prod' } };
const stack = { urn: 'urn:pulumi:prod::llm-observability::pulumi:pulumi:Stack::llm-observability-prod', type: 'pulumi:pulumi:Stack', outputs: { endpoints } };
const state = (...resources: object[]): Said => ({ stdout: JSON.stringify({ deployment: { resources } }) });

test('the picture of what is deployed, and the state is all that it reads', async () => {
  const cli = fakePulumi({ 'stack export': state(stack, network, container) });
  expect(await graph(['--stack', 'prod'], cli)).toBe(`${diagram({ resources: [network, container], endpoints })}\n`);
  expect(cli.calls()).toEqual([['stack', 'export', '--stack', 'prod']]);
});

test.each<[string, Said]>([
  ['is not there', { stderr: "error: no stack named 'prod' found\n", code: 6 }],
  ['was only made', { stdout: '{"deployment":null}' }],
  ['was removed, and keeps the secrets of its data and the outputs that it had', state(stack, network)],
  ['was cut off before its end', state({ ...stack, outputs: {} }, network, container)],
])('a stack that %s', async (_, said) => {
  await expect(graph(['--stack', 'prod'], fakePulumi({ 'stack export': said }))).rejects.toThrow('Stack prod is not deployed.\n    npm run up -- --stack prod');
});
