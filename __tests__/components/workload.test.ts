import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { files } from '../../components/file-volume';
import { secretLabel } from '../../components/config-label';
import * as workload from '../../components/workload';
import { deploy, secret, valueOf, type Registered, type Stage } from '../support/deployment';

const labels = { 'llm-observability.stack': 'llm-observability/dev', more: 'b' };
const labelList = [{ label: 'llm-observability.stack', value: 'llm-observability/dev' }, { label: 'more', value: 'b' }];

const ulimits = [{ name: 'nproc', soft: 4096, hard: 4096 }, { name: 'nofile', soft: 16384, hard: 16384 }];

/** What every container that runs something has, whatever it runs. */
const hardened = {
  readOnly: true,
  tmpfs: { '/tmp': 'rw,nosuid,nodev,size=256m' },
  capabilities: { drops: ['ALL'] },
  securityOpts: ['no-new-privileges'],
  logDriver: 'json-file',
  logOpts: { 'max-size': '10m', 'max-file': '3' },
};

const replacing = { deleteBeforeReplace: true, replaceOnChanges: ['healthcheck', 'init', 'tmpfs'] };

/** Registers what `make` makes, and returns the one container among it. */
async function container(make: (image: docker.RemoteImage, network: docker.Network) => docker.Container, stage?: Stage): Promise<Registered> {
  const { resources } = await deploy(() => {
    make(workload.image('image', 'some/image:1.0.0', {}), new docker.Network('network', { name: 'observability-dev' }));
  }, stage);
  const found = [...resources.values()].filter(({ type }) => type === 'docker:index/container:Container');
  expect(found).toHaveLength(1);
  return found[0] as Registered;
}

const service = (image: docker.RemoteImage, network: docker.Network): workload.ServiceArgs => ({
  containerName: 'web-dev',
  image,
  user: '473:473',
  labels,
  networks: [{ network, aliases: ['web'] }],
  ports: [{ internal: 80, external: 8080, addresses: ['127.0.0.1', '172.17.0.1'] }],
  listed: {},
  healthCheck: { command: ['check', '--now'], interval: '5s', timeout: '3s', startPeriod: '1m0s', retries: 4, waitSeconds: 90 },
  memoryMiB: 512,
  cpus: '0.5',
  stopSeconds: 20,
});

describe('an image', () => {
  test('is named by its reference and stays on the host', async () => {
    const { resources } = await deploy(() => void workload.image('image', 'some/image:1.0.0', {}));
    expect(resources.get('image')).toMatchObject({ type: 'docker:index/remoteImage:RemoteImage', inputs: { name: 'some/image:1.0.0', keepLocally: true } });
  });
});

describe('a service', () => {
  test('with the least', async () => {
    const made = await container((image, network) => workload.service('web', service(image, network), {}));
    expect(made).toEqual({
      type: 'docker:index/container:Container',
      name: 'web',
      parent: '',
      inputs: {
        ...hardened,
        ulimits,
        name: 'web-dev',
        image: 'some/image:1.0.0',
        user: '473:473',
        envs: [],
        labels: labelList,
        volumes: [],
        restart: 'always',
        networksAdvanced: [{ name: 'observability-dev', aliases: ['web'] }],
        ports: [
          { internal: 80, external: 8080, ip: '127.0.0.1', protocol: 'tcp' },
          { internal: 80, external: 8080, ip: '172.17.0.1', protocol: 'tcp' },
        ],
        memory: 512,
        memorySwap: 512,
        cpus: '0.5',
        healthcheck: { tests: ['CMD', 'check', '--now'], interval: '5s', timeout: '3s', startPeriod: '1m0s', retries: 4 },
        wait: true,
        waitTimeout: 90,
        stopTimeout: 20,
        destroyGraceSeconds: 20,
      },
      dependsOn: ['image', 'network'],
      ...replacing,
      retainOnDelete: false,
      protect: false,
      additionalSecretOutputs: [],
    });
  });

  test('that the provider does not wait for', async () => {
    const { inputs } = await container((image, network) => {
      const { waitSeconds, ...healthCheck } = service(image, network).healthCheck as workload.HealthCheck;
      expect(waitSeconds).toBeGreaterThan(0);
      return workload.service('web', { ...service(image, network), healthCheck }, {});
    });
    expect(inputs).toMatchObject({ healthcheck: { interval: '5s' } });
    expect(Object.keys(inputs).filter((name) => name.startsWith('wait'))).toEqual([]);
  });

  test('whose image has nothing that could ask', async () => {
    const { inputs } = await container((image, network) => workload.service('web', { ...service(image, network), healthCheck: 'none' }, {}));
    expect(Object.keys(inputs).filter((name) => /^(health|wait)/.test(name))).toEqual([]);
  });

  // What an engine is asked for and cannot do it refuses (CPUs), or forgets (memory), or writes down in its own way (swap: -1).
  test.each<[string, Partial<workload.Limits>, object]>([
    ['everything', {}, { memory: 512, memorySwap: 512, cpus: '0.5' }],
    ['all but swap', { swap: false }, { memory: 512, memorySwap: -1, cpus: '0.5' }],
    ['all but memory', { memory: false, swap: false }, { cpus: '0.5' }],
    ['no memory, whatever is said of swap', { memory: false }, { cpus: '0.5' }],
    ['all but CPUs', { cpus: false }, { memory: 512, memorySwap: 512 }],
    ['nothing', { memory: false, swap: false, cpus: false }, {}],
  ])('on a kernel that limits %s', async (_, limits, asked) => {
    const { inputs } = await container((image, network) => workload.service('web', { ...service(image, network), limits: { memory: true, swap: true, cpus: true, ulimits: [], ...limits } }, {}));
    expect(Object.fromEntries(['memory', 'memorySwap', 'cpus'].flatMap((name) => (name in inputs ? [[name, inputs[name]]] : [])))).toEqual(asked);
  });

  test('with everything', async () => {
    const { inputs } = await container((image, network) =>
      workload.service(
        'web',
        {
          ...service(image, network),
          reachesHost: true,
          mounts: [{ volume: pulumi.output('data'), path: '/data' }, { volume: 'config', path: '/etc/web', readOnly: true }],
          env: { A: '1', B: pulumi.output('two'), C: pulumi.secret('three') },
          entrypoint: ['web'],
          command: ['run', 'it'],
        },
        {},
      ));
    expect(inputs).toMatchObject({
      ...hardened,
      hosts: [{ host: 'host.docker.internal', ip: 'host-gateway' }],
      volumes: [{ volumeName: 'data', containerPath: '/data' }, { volumeName: 'config', containerPath: '/etc/web', readOnly: true }],
      envs: ['A=1', 'B=two', secret('C=three')],
      entrypoints: ['web'],
      command: ['run', 'it'],
    });
  });

  // The provider compares all that the engine lists with all that it was asked for.
  const memlock = { name: 'memlock', soft: -1, hard: -1 };
  test.each<[string, workload.Limits['ulimits'], object[] | undefined]>([
    ['gives none by itself', [], ulimits],
    ['gives others too', [memlock], [...ulimits, memlock]],
    ['lists its own of the same names', [{ name: 'nofile', soft: 1024, hard: 524288 }, memlock, { name: 'nproc', soft: 9, hard: 9 }], [...ulimits, memlock]],
    ['keeps none', false, undefined],
  ])('its ulimits on an engine that %s', async (_, listed, asked) => {
    const limits = { memory: true, swap: true, cpus: true, ulimits: listed };
    const made = [
      await container((image, network) => workload.service('web', { ...service(image, network), limits }, {})),
      await container((image) => workload.job('once', { containerName: 'once-dev', image, user: '1:1', labels, limits }, {})),
    ];
    expect(made.map(({ inputs }) => inputs['ulimits'])).toEqual([asked, asked]);
  });

  test('options of the caller stay', async () => {
    const made = await container((image, network) => {
      const first = new docker.Volume('first', { name: 'first' });
      return workload.service('web', service(image, network), { dependsOn: [first], protect: true });
    });
    expect(made).toMatchObject({ ...replacing, protect: true, dependsOn: ['first', 'image', 'network'] });
  });
});

describe('portMappings', () => {
  const published = [
    { internal: 6006, external: 6006, addresses: ['127.0.0.1'] },
    { internal: 6006, external: 14318, addresses: ['127.0.0.1'] },
    { internal: 4317, external: 14317, addresses: ['127.0.0.1'] },
  ];
  const [page, otlpHttp, grpc] = published.map(({ internal, external }) => ({ internal, external, ip: '127.0.0.1' })) as [
    workload.ListedPorts[string][number], workload.ListedPorts[string][number], workload.ListedPorts[string][number],
  ];
  const tcp = (...ports: object[]): object[] => ports.map((port) => ({ ...port, protocol: 'tcp' }));

  test('without a container: by the port inside, else as given', () => {
    expect(workload.portMappings(published)).toEqual(tcp(grpc, page, otlpHttp));
  });

  test("with a container that has just these: in the engine's order", () => {
    expect(workload.portMappings(published, [otlpHttp, page, grpc])).toEqual(tcp(grpc, otlpHttp, page));
  });

  test.each([
    ['one less', [otlpHttp, page]],
    ['another port', [otlpHttp, { ...page, external: 7007 }, grpc]],
    ['another address', [otlpHttp, { ...page, ip: '0.0.0.0' }, grpc]],
  ])('with a container that has %s: as without', (_, listed) => {
    expect(workload.portMappings(published, listed)).toEqual(tcp(grpc, page, otlpHttp));
  });
});

describe('a job', () => {
  test('has no network and no capability unless given', async () => {
    const made = await container((image) => workload.job('once', { containerName: 'once-dev', image, user: '1:1', labels }, {}));
    expect(made).toEqual({
      type: 'docker:index/container:Container',
      name: 'once',
      parent: '',
      inputs: {
        ...hardened,
        name: 'once-dev',
        image: 'some/image:1.0.0',
        user: '1:1',
        envs: [],
        labels: labelList,
        volumes: [],
        networkMode: 'none',
        restart: 'no',
        attach: true,
        logs: true,
        mustRun: false,
      },
      dependsOn: ['image'],
      ...replacing,
      retainOnDelete: false,
      protect: false,
      additionalSecretOutputs: [],
    });
  });

  test('with a network and capabilities', async () => {
    const { inputs } = await container((image, network) =>
      workload.job('once', { containerName: 'once-dev', image, user: '0:0', labels, network, capabilities: ['CHOWN'] }, {}));
    expect(inputs).toMatchObject({ ...hardened, capabilities: { adds: ['CAP_CHOWN'], drops: ['ALL'] }, networksAdvanced: [{ name: 'observability-dev' }] });
    expect(inputs).not.toHaveProperty('networkMode');
  });

  // Nor does the kernel stop root at a number of processes, and root's are those of the whole host.
  test.each([['0:0', undefined], ['0', undefined], ['1:0', ulimits], ['10:10', ulimits]])('run by %s: its ulimits', async (user, asked) => {
    const limits = { memory: true, swap: true, cpus: true, ulimits: [] };
    const { inputs } = await container((image) => workload.job('once', { containerName: 'once-dev', image, user, labels, limits }, {}));
    expect(inputs['ulimits']).toEqual(asked);
  });
});

test('a job that failed: its last five lines, and how to run it again', () => {
  expect(workload.failedJob('once-dev', 3, 'one\ntwo\nthree\nfour\nfive\nsix\n', 'prod')).toBe(
    '(container once-dev ended with 3):\n  two\n  three\n  four\n  five\n  six\n' +
      'To try again: docker rm once-dev && pulumi up --refresh --stack prod',
  );
});

describe('files', () => {
  test('a container that never starts, with the files in its volume', async () => {
    const made = await container((image) =>
      files(
        'config',
        {
          containerName: 'config-dev',
          image,
          labels,
          mounts: [{ volume: 'config', path: '/etc/web' }],
          files: { '/etc/web/a.conf': pulumi.output('a\n'), '/etc/web/b.conf': 'b\n' },
        },
        {},
      ));
    expect(made).toEqual({
      type: 'docker:index/container:Container',
      name: 'config',
      parent: '',
      inputs: {
        name: 'config-dev',
        image: 'some/image:1.0.0',
        labels: labelList,
        volumes: [{ volumeName: 'config', containerPath: '/etc/web' }],
        uploads: [{ file: '/etc/web/a.conf', content: 'a\n' }, { file: '/etc/web/b.conf', content: 'b\n' }],
        networkMode: 'none',
        restart: 'no',
        start: false,
        mustRun: false,
        logDriver: 'json-file',
        logOpts: { 'max-size': '10m', 'max-file': '3' },
      },
      dependsOn: ['image'],
      ...replacing,
      retainOnDelete: false,
      protect: false,
      additionalSecretOutputs: [],
    });
  });
});

describe('files for one user alone', () => {
  test('are given away by a job, before which nobody but root can read them', async () => {
    const { inputs } = await container((image) => files(
      'secrets',
      { containerName: 'secrets-dev', image, labels, mounts: [{ volume: 'secrets', path: '/etc/web' }], files: { '/etc/web/a': pulumi.secret('a'), '/etc/web/b': 'b' }, reader: '473:474' },
      {},
    ));
    expect(inputs).toEqual({
      name: 'secrets-dev',
      image: 'some/image:1.0.0',
      user: '0:0',
      labels: labelList,
      volumes: [{ volumeName: 'secrets', containerPath: '/etc/web' }],
      uploads: [{ file: '/etc/web/a', content: secret('a'), permissions: '0400' }, { file: '/etc/web/b', content: 'b', permissions: '0400' }],
      entrypoints: ['python3', '-ISc'],
      command: ['import os\nfor file in ["/etc/web/a","/etc/web/b"]: os.chown(file, 473, 474)'],
      capabilities: { adds: ['CAP_CHOWN'], drops: ['ALL'] },
      securityOpts: ['no-new-privileges'],
      networkMode: 'none',
      restart: 'no',
      attach: true,
      logs: true,
      mustRun: false,
      logDriver: 'json-file',
      logOpts: { 'max-size': '10m', 'max-file': '3' },
    });
  });
});

test('an image without Python gives files away by chown, in nothing else differently', async () => {
  const given = async (giver?: 'chown'): Promise<Record<string, unknown>> =>
    (await container((image) => files('secrets', { containerName: 'secrets-dev', image, labels, mounts: [], files: { '/etc/web/a': 'a', '/etc/web/b': 'b' }, reader: '473:474', giver }, {}))).inputs;
  expect(await given('chown')).toEqual({ ...(await given()), entrypoints: ['chown'], command: ['473:474', '/etc/web/a', '/etc/web/b'] });
});

describe('the label of secrets', () => {
  const key = pulumi.secret('key');
  const label = async (secrets: string, by = key): Promise<unknown> => {
    const { 'llm-observability.stack.secrets': made, ...others } = secretLabel(pulumi.secret(secrets), by);
    expect(others).toEqual({});
    return valueOf(made as pulumi.Output<string>);
  };

  test('changes with the secrets and with the key, and is no secret', async () => {
    expect(await label('a')).toBe(await label('a'));
    expect(await label('b')).not.toBe(await label('a'));
    expect(await label('a', pulumi.secret('other'))).not.toBe(await label('a'));
    const { inputs } = await container((image, network) => workload.service('web', { ...service(image, network), labels: secretLabel(pulumi.secret('a'), key) }, {}));
    expect(inputs['labels']).toEqual([{ label: 'llm-observability.stack.secrets', value: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  });
});
