import { createHash } from 'node:crypto';
import * as docker from '@pulumi/docker';
import { ExampleService, exampleProgram, type ExampleServiceArgs } from '../../components/example-service';
import { deploy, secret, valueOf, type Deployment } from '../support/deployment';

const example = (changes: Partial<ExampleServiceArgs> = {}): Promise<Deployment<ExampleService>> =>
  deploy(() => new ExampleService('example', {
    stack: 'dev',
    owner: 'llm-observability/dev',
    network: new docker.Network('network', { name: 'observability-dev' }),
    image: new docker.RemoteImage('phoenix-image', { name: 'arizephoenix/phoenix:version-20.26.1-nonroot' }),
    otlpHttp: 'http://alloy:4318',
    port: 10000,
    ...changes,
  }));

const model = { url: 'https://api.example.com/v1', name: 'small' };

test('its files are those of examples/ai-service', async () => {
  const { resources } = await example();
  expect(Object.keys(exampleProgram())).toContain('/srv/ai-service/start.py');
  expect(resources.get('example-program-files')?.inputs['uploads']).toEqual(Object.entries(exampleProgram()).map(([file, content]) => ({ file, content })));
});

test('it is on loopback alone, sends to Alloy, and writes nowhere', async () => {
  const { resources, result } = await example();
  expect(resources.get('example-server')?.inputs).toMatchObject({
    name: 'example-dev',
    image: 'arizephoenix/phoenix:version-20.26.1-nonroot',
    user: '65532:65532',
    readOnly: true,
    memory: 256,
    networksAdvanced: [{ name: 'observability-dev', aliases: ['ai-service'] }],
    ports: [{ internal: 10000, external: 10000, ip: '127.0.0.1' }],
    envs: ['OTEL_EXPORTER_OTLP_ENDPOINT=http://alloy:4318', 'PYTHONDONTWRITEBYTECODE=1'],
    entrypoints: ['python3'],
    command: ['/srv/ai-service/start.py'],
    volumes: [{ volumeName: 'example-dev-program', containerPath: '/srv/ai-service', readOnly: true }],
    wait: true,
  });
  expect(resources.get('example-server')?.inputs).not.toHaveProperty('hosts');
  expect([result.endpoint, await valueOf(result.containerName)]).toEqual(['http://127.0.0.1:10000', 'example-dev']);
});

test('the key of a model is in a file, secret', async () => {
  const { resources } = await example({ model: { ...model, key: 'hunter2' } });
  expect(resources.get('example-secret-files')?.inputs['uploads']).toEqual([{ file: '/etc/ai-service-secrets/model.key', content: secret('hunter2') }]);
  expect(resources.get('example-server')?.inputs).toMatchObject({
    envs: expect.arrayContaining(['MODEL_BASE_URL=https://api.example.com/v1', 'MODEL_NAME=small', 'MODEL_KEY_FILE=/etc/ai-service-secrets/model.key']),
    volumes: [{ volumeName: 'example-dev-program' }, { volumeName: 'example-dev-secrets', containerPath: '/etc/ai-service-secrets', readOnly: true }],
  });
});

test('a new key replaces the service, which reads it once: the label has the ID of the container that wrote it', async () => {
  const label = async (key?: string): Promise<unknown> => (await example({ model: { ...model, key } })).resources.get('example-server')?.inputs['labels'];
  const hash = (text: string): object => ({ label: 'llm-observability.stack.config', value: createHash('sha256').update(`${JSON.stringify(exampleProgram())}${text}`).digest('hex') });
  expect(await label('hunter2')).toContainEqual(hash('example-secret-files-id'));
  expect(await label()).toContainEqual(hash(''));
});

test('without a key there is no file for it; a model on the Docker host is reached', async () => {
  const { resources } = await example({ model: { ...model, url: 'http://host.docker.internal:11434/v1' } });
  expect(resources.has('example-secrets')).toBe(false);
  expect(resources.get('example-server')?.inputs).toMatchObject({ hosts: [{ host: 'host.docker.internal', ip: 'host-gateway' }] });
});
