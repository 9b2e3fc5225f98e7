import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { Journal, journalProgram, type JournalArgs } from '../../components/journal';
import { deploy, secretMark, valueOf, type Deployment } from '../support/deployment';
import { expectGolden } from '../support/golden';

function journal(changes: Partial<JournalArgs> = {}): Promise<Deployment<Journal>> {
  return deploy(
    () =>
      new Journal('journal', {
        stack: 'dev',
        owner: 'llm-observability/dev',
        network: new docker.Network('network', { name: 'observability-dev' }),
        image: new docker.RemoteImage('phoenix-image', { name: 'arizephoenix/phoenix:version-20.26.1-nonroot' }),
        phoenix: 'http://phoenix:6006',
        metrics: true,
        ...changes,
      }),
  );
}

let plain: Deployment<Journal>;
beforeAll(async () => {
  plain = await journal();
});

describe('its program', () => {
  test('by the metrics of Phoenix', () => expectGolden('journal/journal.py', journalProgram({ phoenix: 'http://phoenix:6006', metricsPort: 9090 })));

  test('without them it keeps everything for five minutes', () => {
    const changed = (one: string, other: string): string[] => one.split('\n').filter((line) => !other.includes(line)).map((line) => line.replace(/ *#.*/, ''));
    const [by, without] = [9090, 0].map((metricsPort) => journalProgram({ phoenix: 'http://phoenix:6006', metricsPort })) as [string, string];
    expect(changed(without, by)).toEqual(['METRICS = 0', 'SETTLE = 300']);
  });
});

test('its children: the volume alone stays when the stack goes', () => {
  const { resources } = plain;
  expect([...resources.values()].filter(({ parent }) => parent === 'journal').map(({ name, type }) => `${name} ${type.split(':').at(-1)}`)).toEqual([
    'journal-data Volume', 'journal-data-owner Container', 'journal-secret-files Container', 'journal-secrets Volume', 'journal-server Container',
  ]);
  expect([...resources.values()].filter(({ retainOnDelete }) => retainOnDelete).map(({ name }) => name)).toEqual(['journal-data']);
});

test('it publishes nothing, is nobody in particular, writes to its volume alone, and is on the private network', () => {
  expect(plain.resources.get('journal-server')?.inputs).toMatchObject({
    name: 'journal-dev',
    image: 'arizephoenix/phoenix:version-20.26.1-nonroot',
    user: '65532:65532',
    ports: [],
    readOnly: true,
    memory: 128,
    networksAdvanced: [{ name: 'observability-dev', aliases: ['phoenix-journal'] }],
    entrypoints: ['python3', '-ISc'],
    command: [journalProgram({ phoenix: 'http://phoenix:6006', metricsPort: 9090 })],
    volumes: [{ volumeName: 'journal-dev-data', containerPath: '/journal' }, { volumeName: 'journal-dev-secrets', containerPath: '/etc/journal-secrets', readOnly: true }],
  });
});

test('the key is in a file, secret; switched on or off, another file and the same container', async () => {
  const withAuth = await journal({ authorization: pulumi.secret('Bearer key') });
  const uploads = ({ resources }: Deployment<Journal>): unknown => resources.get('journal-secret-files')?.inputs['uploads'];
  expect(JSON.stringify(uploads(withAuth))).toContain(secretMark);
  expect(uploads(plain)).toEqual([{ file: '/etc/journal-secrets/phoenix.authorization', content: 'none' }]);
  expect(withAuth.resources.get('journal-server')?.inputs).toEqual(plain.resources.get('journal-server')?.inputs);
});

test('who stands before it learns where it is', async () => {
  expect(await valueOf(plain.result.containerName)).toBe('journal-dev');
  expect(await valueOf(plain.result.volumeName)).toBe('journal-dev-data');
  expect(plain.result.internal).toBe('http://phoenix-journal:4318');
});
