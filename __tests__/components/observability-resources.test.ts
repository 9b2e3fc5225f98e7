import * as pulumi from '@pulumi/pulumi';
import * as observability from '../../components/observability-resources';
import { at } from '../../engine';
import { deploy, secret, valueOf, type Deployment } from '../support/deployment';

const access = { engine: at('ssh://host'), container: 'phoenix-dev', url: 'http://127.0.0.1:6006', auth: true, adminSecret: pulumi.secret('all rights') };
const sentAccess = { ...access, adminSecret: secret('all rights') };

/** What the provider is asked for, by name. */
const asked = ({ resources }: Deployment<unknown>): object =>
  Object.fromEntries([...resources.values()].map(({ name, type, inputs, additionalSecretOutputs, deleteBeforeReplace }) => [name, { type, inputs, additionalSecretOutputs, deleteBeforeReplace }]));

test('an API key: its inputs as they are, the key itself secret', async () => {
  const args: observability.ApiKeyArgs = { ...access, name: 'dashboards', description: 'made by a test', signedWith: pulumi.secret('signs'), server: 'container-id' };
  const deployment = await deploy(() => new observability.ApiKey('key', args));
  expect(asked(deployment)).toEqual({
    key: {
      type: 'observability:index:ApiKey',
      inputs: { ...sentAccess, name: 'dashboards', description: 'made by a test', signedWith: secret('signs'), server: 'container-id' },
      additionalSecretOutputs: ['key'],
      deleteBeforeReplace: false,
    },
  });
  expect(await valueOf(deployment.result.key)).toBe('minted-key');
  expect(await valueOf(deployment.result.keyId)).toBe('id-of-key');
  expect(await valueOf(deployment.result.expiresAt)).toBe('');
});

test('an API key that ends', async () => {
  const args: observability.ApiKeyArgs = { ...access, name: 'edge', description: 'made by a test', signedWith: 'signs', server: 'container-id', hours: 24 };
  const { resources, result } = await deploy(() => new observability.ApiKey('key', args));
  expect(resources.get('key')).toMatchObject({ inputs: { hours: 24 }, additionalSecretOutputs: ['key'] });
  expect(await valueOf(result.expiresAt)).toBe('2999-11-21T08:00:00.000Z');
});

test('settings of Phoenix: their inputs as they are', async () => {
  const args: observability.PhoenixSettingsArgs = { ...access, retentionDays: 30, firstPassword: pulumi.secret('first'), server: 'container-id' };
  expect(asked(await deploy(() => new observability.PhoenixSettings('settings', args)))).toEqual({
    settings: {
      type: 'observability:index:PhoenixSettings',
      inputs: { ...sentAccess, retentionDays: 30, firstPassword: secret('first'), server: 'container-id' },
      additionalSecretOutputs: [],
      deleteBeforeReplace: false,
    },
  });
});

test('the intake: its inputs as they are, gone before there is another', async () => {
  const args: observability.IntakeArgs = {
    engine: at('unix:///docker.sock'), gate: 'phoenix-dev-gate', closedFile: '/tmp/closed', phoenix: 'phoenix-dev', metrics: 'http://127.0.0.1:9090/metrics', server: 'one', entrance: 'two',
  };
  expect(asked(await deploy(() => new observability.Intake('intake', args)))).toEqual({
    intake: { type: 'observability:index:Intake', inputs: args, additionalSecretOutputs: [], deleteBeforeReplace: true },
  });
});

test('the check of delivery: its inputs as they are', async () => {
  const args: observability.DeliveryCheckArgs = {
    engine: at('unix:///docker.sock'),
    endpoints: { otlpHttp: 'http://alloy:4318', alloyUi: 'http://alloy:12345', phoenix: 'http://phoenix:6006' },
    metrics: 'http://127.0.0.1:9090/metrics',
    containers: { phoenix: 'phoenix-dev', alloy: 'alloy-dev', gate: 'phoenix-dev-gate' },
    auth: true,
    adminSecret: pulumi.secret('all rights'),
    redeploy: 'npm run up',
    path: ['one', pulumi.output('two')],
  };
  expect(asked(await deploy(() => new observability.DeliveryCheck('delivery', args)))).toEqual({
    delivery: {
      type: 'observability:index:DeliveryCheck',
      inputs: { ...args, adminSecret: secret('all rights'), path: ['one', 'two'] },
      additionalSecretOutputs: [],
      deleteBeforeReplace: false,
    },
  });
});

test('the start of Phoenix', async () => {
  const args: observability.PhoenixReadyArgs = { engine: access.engine, container: 'phoenix-dev', server: 'container-id', redeploy: 'npm run up -- --stack dev' };
  expect(asked(await deploy(() => new observability.PhoenixReady('ready', args)))).toEqual({
    ready: { type: 'observability:index:PhoenixReady', inputs: args, additionalSecretOutputs: [], deleteBeforeReplace: false },
  });
});

test('options of the caller stay', async () => {
  const { resources } = await deploy(() => {
    const args = { ...access, server: 'container-id' };
    const settings = new observability.PhoenixSettings('settings', { ...args, retentionDays: 0, firstPassword: 'first' });
    new observability.ApiKey('key', { ...args, name: 'dashboards', description: '', signedWith: 'signs' }, { dependsOn: [settings], protect: true });
  });
  expect(resources.get('key')).toMatchObject({ dependsOn: ['settings'], protect: true, additionalSecretOutputs: ['key'] });
});
