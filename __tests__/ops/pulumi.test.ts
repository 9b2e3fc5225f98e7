import * as fs from 'node:fs';
import * as path from 'node:path';
import { projectDir } from '../../ops/support/backend';
import { Pulumi } from '../../ops/support/pulumi';
import { Failure } from '../../ops/support/say';
import { answering } from '../support/answering';
import { setEnvironment } from '../support/environment';
import { fakePulumi, type FakePulumi, type Said } from '../support/fake-pulumi';
import { tempDir } from '../support/temp';

beforeEach(() => setEnvironment({ PULUMI_CONFIG_PASSPHRASE: undefined, PULUMI_CONFIG_PASSPHRASE_FILE: undefined }));

describe('the state', () => {
  test('resources, and what was under way', async () => {
    const urn = 'urn:pulumi:dev::llm-observability::docker:index/container:Container::alloy';
    const resource = { urn, type: 'docker:index/container:Container', id: 'c1', outputs: { name: 'alloy-dev' } };
    const deployment = { manifest: {}, resources: [resource], pending_operations: [{ resource: { urn, type: resource.type }, type: 'creating' }] };
    const { pulumi, cli } = answering({ stdout: JSON.stringify({ version: 3, deployment }, null, 4) });
    expect(await pulumi.state()).toEqual({ resources: [resource], pending: [{ type: 'creating', urn }] });
    expect(cli.calls()).toEqual([['stack', 'export', '--stack', 'dev']]);
  });

  test.each(['{"version":3,"deployment":null}', '{"version":3,"deployment":{"manifest":{}}}'])('of a stack that was only made: %s', async (stdout) => {
    expect(await answering({ stdout }).pulumi.state()).toEqual({ resources: [], pending: [] });
  });

  test('of no stack', async () => {
    expect(await answering({ stderr: "error: no stack named 'dev' found\n", code: 6 }).pulumi.state()).toBeUndefined();
  });

  test('that cannot be read', async () => {
    await expect(answering({ stderr: 'error: read ".pulumi/stacks": permission denied\n', code: 255 }).pulumi.state()).rejects.toThrow(
      new Failure('Reading the state of the stack failed: read ".pulumi/stacks": permission denied'),
    );
  });
});

const sentence = (doing: string): string => doing.charAt(0).toUpperCase() + doing.slice(1);

describe('the settings', () => {
  test('without what is secret', async () => {
    const stdout = JSON.stringify({ 'phoenix:uiPort': { value: '6007', secret: false }, 'alloy:token': { secret: true }, 'loki:url': { value: '', secret: false } });
    const { pulumi, cli } = answering({ stdout });
    expect(await pulumi.settings()).toEqual({ 'phoenix:uiPort': '6007', 'loki:url': '' });
    expect(cli.calls()).toEqual([['config', '--json', '--stack', 'dev']]);
  });

  test('what is secret, and nothing else', async () => {
    const stdout = JSON.stringify({ 'phoenix:uiPort': { value: '6007', secret: false }, 'phoenix:secret': { value: 's', secret: true }, 'loki:url': { secret: true } });
    const { pulumi, cli } = answering({ stdout });
    expect(await pulumi.secrets()).toEqual({ 'phoenix:secret': 's' });
    expect(cli.calls()).toEqual([['config', '--json', '--show-secrets', '--stack', 'dev']]);
  });

  test('secrets go into the stack file by the input of the CLI, one after the other, and are in no argument', async () => {
    const read = path.join(tempDir(), 'read');
    const { pulumi, cli } = answering({ first: `cat >> '${read}'` });
    await pulumi.setSecrets({ 'phoenix:secret': 'one ', 'phoenix:adminSecret': '-two' }, ['--config-file', 'x.yaml']);
    expect(fs.readFileSync(read, 'utf8')).toBe('one -two');
    expect(cli.calls()).toEqual(['phoenix:secret', 'phoenix:adminSecret'].map((key) => ['config', 'set', '--secret', key, '--config-file', 'x.yaml', '--stack', 'dev']));
  });

  test('one that the CLI does not read: why', async () => {
    await expect(answering({ stderr: 'error: broken\n', code: 1 }).pulumi.setSecrets({ 'phoenix:secret': 'x'.repeat(1 << 20) })).rejects.toThrow(new Failure('Setting phoenix:secret failed: broken'));
  });

  test.each<[string, (pulumi: Pulumi) => Promise<unknown>]>([
    ['reading the settings', (pulumi) => pulumi.settings()],
    ['reading the outputs', (pulumi) => pulumi.outputs()],
    ['creating the stack', (pulumi) => pulumi.init()],
    ['repairing the state', (pulumi) => pulumi.must(['refresh'], 'repairing the state')],
  ])('a failure while %s', async (doing, run) => {
    await expect(run(answering({ stderr: 'error: broken\n', code: 1 }).pulumi)).rejects.toThrow(new Failure(`${sentence(doing)} failed: broken`));
    await expect(run(answering({ code: 1 }).pulumi)).rejects.toThrow(new Failure(`${sentence(doing)} failed: Pulumi reported nothing`));
  });
});

test('a new stack is made and not selected; its outputs are read, those that are secret too', async () => {
  const { pulumi, cli } = answering({ stdout: '{"dockerHost":null}' });
  await pulumi.init();
  expect(await pulumi.outputs()).toEqual({ dockerHost: null });
  expect(cli.calls()).toEqual([['stack', 'init', '--no-select', '--stack', 'dev'], ['stack', 'output', '--json', '--show-secrets', '--stack', 'dev']]);
});

describe('the stack', () => {
  const cliOf = (said: Said): FakePulumi => fakePulumi({ '': said });
  const named = (stack: string, name?: string): Pulumi => new Pulumi({ pulumi: cliOf({ first: 'printenv LLM_OBSERVABILITY_STACK' }).file, env: {} }, stack, projectDir, name);

  test('is an argument of every run, by the name that was typed', async () => {
    const cli = cliOf({ stdout: '{}' });
    const pulumi = new Pulumi({ pulumi: cli.file, env: {} }, 'prod', projectDir, 'acme/prod');
    await pulumi.run(['preview']);
    await pulumi.show(['up', '--yes']);
    await pulumi.init();
    await pulumi.outputs();
    expect(cli.calls()).toEqual([['preview'], ['up', '--yes'], ['stack', 'init', '--no-select'], ['stack', 'output', '--json', '--show-secrets']].map((args) => [...args, '--stack', 'acme/prod']));
  });

  test('is none where the arguments are handed over', async () => {
    const cli = cliOf({});
    await new Pulumi({ pulumi: cli.file, env: {} }, 'prod').handOver(['whoami']);
    await new Pulumi({ pulumi: cli.file, env: {} }, '').run(['stack', '--show-name']);
    expect(cli.calls()).toEqual([['whoami'], ['stack', '--show-name']]);
  });

  test('has its whole name in the environment of the program, whose commands carry it', async () => {
    expect((await named('prod', 'acme/prod').run([])).stdout).toBe('acme/prod\n');
    expect((await named('prod').run([])).stdout).toBe('');
  });
});
