import { check } from '../../lab/providers/check';
import { difference } from '../../lab/providers/difference';
import { containerFields } from '../../lab/providers/docker-container-fields';
import { unknown, type Props } from '../../lab/providers/fields';
import { ordered, plan, settle } from '../../lab/providers/plan';
import { refreshedInputs } from '../../lab/providers/refresh';

/** What the published docker provider 5.2.0 did with the same change, seen in `pulumi preview` of the real plugin. */

const base: Props = {
  name: 'c',
  image: 'busybox:1',
  restart: 'unless-stopped',
  envs: ['B=2', 'A=1'],
  labels: [{ label: 'z', value: '1' }, { label: 'a', value: '2' }],
  ports: [{ internal: 8080, external: 18080, ip: '127.0.0.1' }, { internal: 53, external: 15353, protocol: 'udp' }],
  volumes: [{ volumeName: 'data', containerPath: '/data' }],
  hosts: [{ host: 'host.docker.internal', ip: 'host-gateway' }],
  uploads: [{ file: '/etc/b', content: 'b' }, { file: '/etc/a', content: 'a', permissions: '0444' }],
  healthcheck: { tests: ['CMD', 'true'], interval: '1s', timeout: '2s', startPeriod: '1m0s', retries: 3 },
  capabilities: { drops: ['ALL'] },
  securityOpts: ['no-new-privileges'],
  user: '0',
  tmpfs: { '/tmp': 'rw' },
  logDriver: 'json-file',
  logOpts: { 'max-size': '1m', 'max-file': '2' },
  memory: 64,
  memorySwap: 64,
  cpus: '0.5',
  ulimits: [{ name: 'nofile', soft: 1024, hard: 2048 }],
  init: true,
};

const inputsOf = (props: Props): Props => {
  const { inputs, failures } = check(containerFields, props, 'c');
  expect(failures).toEqual([]);
  return inputs;
};

/** The state after a create in which the engine chose what was left to it. */
const state = settle(containerFields, plan(containerFields, null, inputsOf(base)), {
  command: ['sh', '-c', 'wait'], entrypoints: null, hostname: 'abc', ipcMode: 'private', networkDatas: [{ networkName: 'bridge' }],
  platform: 'linux', runtime: 'runc', shmSize: 64, stopSignal: '', stopTimeout: 0,
  ports: [{ internal: 53, external: 15353, ip: '0.0.0.0', protocol: 'udp' }, { internal: 8080, external: 18080, ip: '127.0.0.1', protocol: 'tcp' }],
}, false);

const told = (change: Props): string[] => {
  const found = difference(containerFields, state, inputsOf({ ...base, ...change }));
  return Object.entries(found.detail).map(([path, { kind, replace }]) => `${path}=${kind}${replace ? '-replace' : ''}`).sort();
};

describe('what a change of a container is', () => {
  it('is nothing for the same program', () => {
    expect(told({})).toEqual([]);
    expect(difference(containerFields, state, inputsOf(base)).changed).toBe(false);
  });

  const table: [change: Props, told: string[]][] = [
    [{ image: 'other' }, ['image=update-replace']],
    [{ image: unknown }, ['image=update-replace']],
    [{ name: 'd' }, ['name=update-replace']],
    [{ restart: 'no' }, ['restart=update']],
    [{ memory: 128, memorySwap: 128 }, ['memory=update', 'memorySwap=update']],
    [{ destroyGraceSeconds: 20 }, ['destroyGraceSeconds=add']],
    [{ mustRun: false }, ['mustRun=update']],
    [{ cpus: '1' }, ['cpus=update-replace']],
    [{ readOnly: true }, ['readOnly=update-replace']],
    [{ user: '65532' }, ['user=update-replace']],
    [{ user: null }, []],
    [{ envs: ['B=2', 'A=9'] }, ['envs[0]=delete-replace', 'envs[1]=add-replace']],
    [{ envs: ['B=2', unknown] }, ['envs=update-replace']],
    [{ envs: ['A=1', 'B=2'] }, []],
    [{ labels: [{ label: 'z', value: '2' }, { label: 'a', value: '2' }] }, ['labels[0]=add-replace', 'labels[1]=delete-replace']],
    [{ ports: [...(base['ports'] as Props[])].reverse() }, []],
    [{ ports: [{ internal: 8080, external: 18080, ip: '127.0.0.1' }] },
      ['ports[0].external=update-replace', 'ports[0].internal=update-replace', 'ports[0].ip=update-replace', 'ports[0].protocol=update-replace', 'ports[1]=delete-replace']],
    [{ uploads: [{ file: '/etc/b', content: 'changed' }, { file: '/etc/a', content: 'a', permissions: '0444' }] }, ['uploads=update-replace']],
    [{ uploads: [{ file: '/etc/b', content: 'b' }] }, ['uploads[0]=delete-replace']],
    [{ hosts: [{ host: 'host.docker.internal', ip: '1.2.3.4' }] }, ['hosts[0].ip=update-replace']],
    [{ ulimits: [{ name: 'nofile', soft: 1024, hard: 4096 }] }, ['ulimits[0].hard=update-replace']],
    [{ mounts: [{ type: 'tmpfs', target: '/m' }] }, ['mounts=add-replace']],
    [{ command: ['sleep', '100'] }, ['command[0]=update-replace', 'command[1]=update-replace', 'command[2]=delete-replace']],
    [{ capabilities: { drops: ['ALL'], adds: ['NET_ADMIN'] } }, ['capabilities.adds=add-replace']],
    [{ capabilities: null }, ['capabilities=delete-replace']],
    [{ securityOpts: null }, []],
    [{ logOpts: { 'max-size': '2m' } }, ['logOpts["max-file"]=delete-replace', 'logOpts["max-size"]=update-replace']],
    [{ stopTimeout: 6, stopSignal: 'SIGINT' }, ['stopSignal=update-replace', 'stopTimeout=update-replace']],
    // These three are said to be updates, and the container stays as it is: hence replaceOnChanges in the program.
    [{ healthcheck: { ...(base['healthcheck'] as Props), interval: '5s' } }, ['healthcheck.interval=update']],
    [{ init: false }, ['init=update']],
    [{ tmpfs: { '/tmp': 'rw,size=1m', '/x': '' } }, ['tmpfs["/tmp"]=update', 'tmpfs["/x"]=add']],
    [{ tmpfs: null }, ['tmpfs["/tmp"]=delete']],
    [{ logDriver: 'none', logOpts: null }, ['logDriver=update-replace', 'logOpts["max-file"]=delete-replace', 'logOpts["max-size"]=delete-replace']],
    [{ healthcheck: null }, []],
    [{ healthcheck: { ...(base['healthcheck'] as Props), startPeriod: '60s', tests: ['CMD', 'false', 'x'] } },
      ['healthcheck.startPeriod=update', 'healthcheck.tests[1]=update', 'healthcheck.tests[2]=add']],
  ];
  it.each(table)('%j', (change, expected) => {
    expect(told(change)).toEqual([...expected].sort());
  });

  it('replaces a container whose create failed: what was left to the engine was never recorded', () => {
    const planned = plan(containerFields, null, inputsOf(base));
    const failed = settle(containerFields, planned, {}, false);
    const found = difference(containerFields, failed, inputsOf(base));
    expect(found.replaces).toBe(true);
    expect(found.detail).toEqual({
      command: { kind: 'add', replace: true }, entrypoints: { kind: 'add', replace: true }, networkDatas: { kind: 'add', replace: false },
    });
  });

  it('leaves out what the program ignores', () => {
    expect(difference(containerFields, state, inputsOf({ ...base, image: 'other' }), ['image']).changed).toBe(false);
  });
});

describe('Check', () => {
  it('fills in what is not false and notes it, object by object', () => {
    expect(inputsOf({ name: 'c', image: 'i', ports: [{ internal: 80 }], healthcheck: { tests: ['NONE'] } })).toEqual({
      name: 'c', image: 'i',
      ports: [{ internal: 80, ip: '0.0.0.0', protocol: 'tcp', __defaults: ['ip', 'protocol'] }],
      healthcheck: { tests: ['NONE'], interval: '0s', startInterval: '0s', startPeriod: '0s', timeout: '0s', __defaults: ['interval', 'startInterval', 'startPeriod', 'timeout'] },
      containerReadRefreshTimeoutMilliseconds: 15000, mustRun: true, networkMode: 'bridge', removeVolumes: true, restart: 'no', start: true, waitTimeout: 60,
      __defaults: ['containerReadRefreshTimeoutMilliseconds', 'mustRun', 'networkMode', 'removeVolumes', 'restart', 'start', 'waitTimeout'],
    });
  });

  it('takes numbers and booleans written as text, as configuration holds them', () => {
    expect(inputsOf({ name: 'c', image: 'i', memory: '64', init: 'true', envs: [1], tmpfs: { '/t': 5 } })).toMatchObject({ memory: 64, init: true, envs: ['1'], tmpfs: { '/t': '5' } });
  });

  const wrong: [Props, string][] = [
    [{ restart: 'sometimes' }, "'sometimes' doesn't match the pattern '^(no|on-failure|always|unless-stopped)$'. 'sometimes' doesn't match the pattern '^(no|on-failure|always|unless-stopped)$'. Examine values at 'c.restart'."],
    [{ uploads: [{ file: '/a', content: 'x', permissions: '999' }] }, "'999' doesn't match the pattern '^0[0-7]{3}$'. '999' doesn't match the pattern '^0[0-7]{3}$'. Examine values at 'c.uploads'."],
    [{ memory: -1 }, "'-1' cannot be lower than 0. '-1' cannot be lower than 0. Examine values at 'c.memory'."],
    [{ healthcheck: { interval: 'often' } }, "'often' is not a valid duration. 'often' is not a valid duration. Examine values at 'c.healthcheck.interval'."],
    [{ ports: [{ external: 1 }] }, 'Missing required argument. The argument "ports.0.internal" is required, but no definition was found.. Examine values at \'c.ports[0].internal\'.'],
  ];
  it.each(wrong)('refuses %j in the words of the published provider', (props, reason) => {
    expect(check(containerFields, { name: 'c', image: 'i', ...props }, 'c').failures).toEqual([{ property: '', reason }]);
  });

  it('judges nothing that is not known yet', () => {
    expect(check(containerFields, { name: unknown, image: unknown, memory: unknown, restart: unknown, uploads: unknown, ports: [{ internal: unknown }] }, 'c').failures).toEqual([]);
  });
});

describe('a refresh', () => {
  it('records what was found and keeps to the inputs there were', () => {
    const inputs = inputsOf({ ...base, cpus: '1' });
    const next = settle(containerFields, state, { cpus: '1.0', mustRun: false, exitCode: 0, ports: [], dns: null, sysctls: null }, true);
    expect(next).toMatchObject({ cpus: '1.0', mustRun: false, exitCode: 0, ports: [], dns: [], sysctls: {} });
    const refreshed = refreshedInputs(containerFields, inputs, next);
    expect(refreshed).toMatchObject({ cpus: '1.0', mustRun: false, ports: [], envs: ['A=1', 'B=2'] });
    expect(refreshed['__defaults']).not.toContain('mustRun');
    expect(refreshed['__defaults']).toContain('start');
    expect('dns' in refreshed).toBe(false);
  });

  it('finds the elements of a set again wherever they are', () => {
    const refreshed = refreshedInputs(containerFields, inputsOf(base), state);
    expect(refreshed['labels']).toEqual([{ label: 'z', value: '1', __defaults: [] }, { label: 'a', value: '2', __defaults: [] }]);
  });
});

test('sets are recorded in one order, whatever order they were written in', () => {
  const elements = [{ label: 'b', value: '1' }, { label: 'a', value: '2' }, { label: 'a', value: '1' }];
  expect(ordered(elements)).toEqual(ordered([...elements].reverse()));
  expect(ordered(['b', 'a', 'B'])).toEqual(['B', 'a', 'b']);
});
