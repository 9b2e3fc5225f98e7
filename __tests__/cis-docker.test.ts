import * as fs from 'node:fs';
import * as path from 'node:path';
import { findings, inspectedOf, numbers, unexplained, unneeded, type Host, type Inspected } from './support/cis-docker';

/** What Docker 20.10 says of containers as a stack makes them, and of others: as few options as possible, and as bad ones. */
const recorded = JSON.parse(fs.readFileSync(path.join(__dirname, 'support', 'cis-docker.json'), 'utf8')) as
  Record<'service' | 'job' | 'giver' | 'files' | 'plain' | 'open' | 'published', Inspected>;
const { service, job, giver, files, plain, open, published } = recorded;

const host: Host = { appArmor: false, ports: [16006] };
const withAppArmor = { ...host, appArmor: true };
const found = (container: Inspected, on = host): string[] => findings(container, on).map(({ number, what }) => `${number} ${what}`);

describe('as recorded', () => {
  test.each<[string, Inspected, Host, string[]]>([
    ['a service', service, host, ['5.15 it starts again after more than five failures']],
    ['a job', job, host, [
      '4.1 it runs as root', '5.4 it adds CHOWN', '5.4 it adds DAC_READ_SEARCH', '5.4 it adds SETGID', '5.4 it adds SETUID',
      '5.11 its memory has no limit', '5.12 its share of the CPUs has no limit', '5.27 it has no health check', '5.29 its processes have no limit',
    ]],
    ['a job that gives files away', giver, host, [
      '4.1 it runs as root', '5.4 it adds CHOWN', '5.11 its memory has no limit', '5.12 its share of the CPUs has no limit', '5.13 its root file system is writable',
      '5.27 it has no health check', '5.29 its processes have no limit',
    ]],
    ['files', files, withAppArmor, [
      '4.1 it runs as root', "5.4 it keeps Docker's default capabilities", '5.11 its memory has no limit', '5.12 its share of the CPUs has no limit',
      '5.13 its root file system is writable', '5.26 its processes can gain privileges', '5.27 it has no health check', '5.29 its processes have no limit',
    ]],
    ['nothing but an image', plain, host, [
      '4.1 it runs as root', "5.4 it keeps Docker's default capabilities", '5.11 its memory has no limit', '5.12 its share of the CPUs has no limit',
      '5.13 its root file system is writable', '5.26 its processes can gain privileges', '5.27 it has no health check', '5.29 its processes have no limit',
      "5.30 it is on Docker's default bridge",
    ]],
    ['every door open', open, withAppArmor, [
      '4.1 it runs as root', '5.2 no AppArmor profile confines it', '5.3 SELinux does not confine it', "5.4 it keeps Docker's default capabilities", '5.4 it adds SYS_ADMIN',
      '5.5 it is privileged', '5.6 it has /etc of the host', '5.10 it has the network of the host', '5.11 its memory has no limit', '5.12 its share of the CPUs has no limit',
      '5.13 its root file system is writable', '5.15 it starts again after more than five failures', '5.16 it sees the processes of the host',
      '5.17 it shares the memory of processes of the host', '5.18 it has a device of the host', '5.20 what it mounts appears on the host',
      '5.21 it can change the name of the host', '5.22 it may make every system call', '5.25 it is in a control group that it was given',
      '5.26 its processes can gain privileges', '5.27 it has no health check', '5.29 its processes have no limit', '5.31 its users are those of the host',
      '5.32 it has the socket of the engine',
    ]],
    ['published for everybody', published, withAppArmor, [
      '4.1 it runs as root', '5.2 no AppArmor profile confines it', "5.4 it keeps Docker's default capabilities", "5.8 it is published on port 880, which is root's",
      '5.9 it is published on port 880, which nobody needs', '5.9 it is published on port 18080, which nobody needs', '5.9 it is published on port 32768, which nobody needs',
      '5.11 its memory has no limit', '5.12 its share of the CPUs has no limit', '5.13 its root file system is writable',
      '5.14 it is published on every address of the host', '5.15 it starts again after more than five failures', '5.26 its processes can gain privileges',
      '5.27 it has no health check', "5.30 it is on Docker's default bridge",
    ]],
  ])('%s', (_, container, on, all) => {
    expect(found(container, on)).toEqual(all);
  });

  test('each recommendation is held against one of them', () => {
    const against = Object.values(recorded).flatMap((container) => findings(container, withAppArmor).map(({ number }) => number));
    expect(numbers.filter((number) => !against.includes(number))).toEqual([]);
  });
});

describe('a service that differs in one thing', () => {
  const changed = (change: Partial<Inspected['HostConfig']>): Inspected => ({ ...service, HostConfig: { ...service.HostConfig, ...change } });
  const user = (User: string): Inspected => ({ ...service, Config: { ...service.Config, User } });
  const security = (...SecurityOpt: string[]): Inspected => changed({ SecurityOpt: ['no-new-privileges', ...SecurityOpt] });
  const restart = (Name: string, MaximumRetryCount = 0): Inspected => changed({ RestartPolicy: { Name, MaximumRetryCount } });
  const bind = (Source: string): Inspected => ({ ...service, Mounts: [{ Type: 'bind', Source, Propagation: 'rprivate' }] });
  const health = (...Test: string[]): Inspected => ({ ...service, Config: { ...service.Config, Healthcheck: { Test } } });
  const ports = (HostIp: string, HostPort: string): Inspected => ({ ...service, NetworkSettings: { ...service.NetworkSettings, Ports: { '80/tcp': [{ HostIp, HostPort }], '81/tcp': null } } });
  const started = (AppArmorProfile: string): Inspected => ({ ...service, AppArmorProfile });
  const mounted = (Propagation: string): Inspected => ({ ...service, Mounts: [{ Type: 'volume', Source: '/var/lib/docker/volumes/x/_data', Propagation }] });
  const numbersOf = (container: Inspected, on = withAppArmor): string[] => findings(container, on).map(({ number }) => number).filter((number) => number !== '5.15');

  test.each<[string, Inspected, string[]]>([
    ['an AppArmor profile', started('docker-default'), []],
    ['none', started(''), ['5.2']],
    ['one that confines nothing', started('unconfined'), ['5.2']],
  ])('%s', (_, container, against) => {
    expect(numbersOf(container)).toEqual(against);
    expect(numbersOf(container, host)).toEqual([]);
  });

  test.each<[string, Inspected, string[]]>([
    ['a user alone', user('65532'), []],
    ['root by number', user('0'), ['4.1']],
    ['root by name, with a group', user('root:65532'), ['4.1']],
    ['no user', user(''), ['4.1']],
    ['a user whose number begins like that of root', user('01000'), []],
    ['an SELinux label', security('label=type:svirt_t'), []],
    ['none, in the old spelling', security('label:disable'), ['5.3']],
    ['some capabilities dropped', changed({ CapDrop: ['NET_RAW'] }), ['5.4']],
    ['none dropped', changed({ CapDrop: null }), ['5.4']],
    ['one added, in the spelling of old engines', changed({ CapAdd: ['NET_RAW'] }), ['5.4']],
    ['a privileged one', changed({ Privileged: true }), ['5.5']],
    ...['/', '/boot', '/dev/shm', '/etc/passwd', '/lib/modules', '/proc', '/sys/fs/cgroup', '/usr/share'].map((source): [string, Inspected, string[]] =>
      [`a bind of ${source}`, bind(source), source === '/' ? ['5.6', '5.32'] : ['5.6']]),
    ['a bind of a folder with a name that begins alike', bind('/etcetera'), []],
    ...['/run/docker.sock', '/var/run/docker.sock', '/run/user/1000/podman/podman.sock', '/run', '/var/run', '/var'].map((source): [string, Inspected, string[]] =>
      [`a bind of ${source}`, bind(source), ['5.32']]),
    ['a bind of a file with a name that ends alike', bind('/srv/notdocker.sock'), []],
    ['the network of the host', { ...service, NetworkSettings: { Ports: {}, Networks: { host: {} } } }, ['5.10']],
    ['a second network, the default one', { ...service, NetworkSettings: { Ports: {}, Networks: { ...service.NetworkSettings.Networks, bridge: {} } } }, ['5.30']],
    ['no memory limit', changed({ Memory: 0 }), ['5.11']],
    ['no CPU limit', changed({ NanoCpus: 0 }), ['5.12']],
    ['a CPU quota', changed({ NanoCpus: 0, CpuQuota: 50_000 }), []],
    ['CPU shares', changed({ NanoCpus: 0, CpuShares: 512 }), []],
    ['a writable root', changed({ ReadonlyRootfs: false }), ['5.13']],
    ['the PIDs of the host', changed({ PidMode: 'host' }), ['5.16']],
    ['the IPC of the host', changed({ IpcMode: 'host' }), ['5.17']],
    ['an IPC that others may share', changed({ IpcMode: 'shareable' }), []],
    ['a device', changed({ Devices: [{ PathOnHost: '/dev/fuse' }] }), ['5.18']],
    ['a GPU', changed({ DeviceRequests: [{ Count: -1 }] }), ['5.18']],
    ['shared propagation', mounted('shared'), ['5.20']],
    ['shared propagation, of what is below too', mounted('rshared'), ['5.20']],
    ['propagation into it', mounted('rslave'), []],
    ['the UTS of the host', changed({ UTSMode: 'host' }), ['5.21']],
    ['no seccomp', security('seccomp=unconfined'), ['5.22']],
    ['a seccomp profile', security('seccomp={"defaultAction":"SCMP_ACT_ERRNO"}'), []],
    ['a control group', changed({ CgroupParent: '/others' }), ['5.25']],
    ['no security options', changed({ SecurityOpt: null }), ['5.26']],
    ['new privileges allowed', changed({ SecurityOpt: ['no-new-privileges=false'] }), ['5.26']],
    ['no new privileges, in the long spelling', changed({ SecurityOpt: ['no-new-privileges:true'] }), []],
    ["its image's health check switched off", health('NONE'), ['5.27']],
    ['an empty health check', health(), ['5.27']],
    ['no health check', { ...service, Config: { User: '1' } }, ['5.27']],
    ['no ulimit', changed({ Ulimits: null }), ['5.29']],
    ['a ulimit of files alone', changed({ Ulimits: [{ Name: 'nofile', Hard: 16_384 }] }), ['5.29']],
    ['a ulimit of processes that is none', changed({ Ulimits: [{ Name: 'nproc', Hard: -1 }] }), ['5.29']],
    ['a PIDs limit', changed({ Ulimits: [], PidsLimit: 100 }), []],
    ['a PIDs limit that is none', changed({ Ulimits: [], PidsLimit: -1 }), ['5.29']],
    ['the users of the host', changed({ UsernsMode: 'host' }), ['5.31']],
    ['a port on loopback', ports('127.0.0.1', '16006'), []],
    ['a port on every address', ports('0.0.0.0', '16006'), ['5.14']],
    ['a port on every address of IPv6', ports('::', '16006'), ['5.14']],
    ['a port on no address in particular', ports('', '16006'), ['5.14']],
    ['a port that nobody needs', ports('127.0.0.1', '1024'), ['5.9']],
    ["a port of root's", ports('127.0.0.1', '1023'), ['5.8', '5.9']],
    ['nothing published', { ...service, NetworkSettings: { ...service.NetworkSettings, Ports: null } }, []],
  ])('%s', (_, container, against) => {
    expect(numbersOf({ ...container, AppArmorProfile: 'docker-default' })).toEqual(against);
  });

  test('stopped: what it was made with counts', () => {
    const stopped = { ...changed({ PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '' }] } }), State: { ...service.State, Running: false } };
    expect(numbersOf({ ...stopped, AppArmorProfile: 'docker-default' })).toEqual(['5.9', '5.14']);
  });

  test.each<[string, Inspected, boolean]>([
    ['never', restart('no'), false],
    ['on-failure:5', restart('on-failure', 5), false],
    ['on-failure:6', restart('on-failure', 6), true],
    ['on-failure without a number', restart('on-failure'), true],
    ['unless-stopped', restart('unless-stopped'), true],
  ])('it restarts %s', (_, container, against) => {
    expect(findings(container, host).some(({ number }) => number === '5.15')).toBe(against);
  });
});

describe('as the provider is asked for it', () => {
  const asked = (inputs: object): string[] => found(inspectedOf({ name: 'some-dev', ...inputs })).map((line) => line.split(' ')[0] ?? '');

  test('without a word on anything, never started', () => {
    expect(asked({ restart: 'no', start: false })).toEqual(['4.1', '5.4', '5.11', '5.12', '5.13', '5.26', '5.27', '5.29', '5.30']);
  });

  test('hardened in each way', () => {
    expect(asked({
      restart: 'always', user: '65532:65532', readOnly: true, memory: 256, cpus: '1.0', capabilities: { drops: ['ALL'] }, securityOpts: ['no-new-privileges'], ulimits: [{ name: 'nproc', hard: 4096 }],
      healthcheck: { tests: ['CMD', 'true'] }, ports: [{ internal: 6006, external: 16006, ip: '127.0.0.1' }], networksAdvanced: [{ name: 'observability-dev' }], volumes: [{ volumeName: 'some-dev-data' }],
    })).toEqual(['5.15']);
  });

  test('open in each way', () => {
    expect(asked({
      restart: 'always', user: '0:0', privileged: true, capabilities: { adds: ['CAP_SYS_ADMIN'] }, securityOpts: ['seccomp=unconfined'], devices: [{ hostPath: '/dev/mem' }],
      ports: [{ internal: 80, external: 80, ip: '0.0.0.0' }], networkMode: 'host', ipcMode: 'host', pidMode: 'host', usernsMode: 'host', volumes: [{ hostPath: '/etc' }], mounts: [{ type: 'bind', source: '/var/run/docker.sock' }],
    })).toEqual(['4.1', '5.4', '5.4', '5.5', '5.6', '5.8', '5.9', '5.10', '5.11', '5.12', '5.13', '5.14', '5.15', '5.16', '5.17', '5.18', '5.22', '5.26', '5.27', '5.29', '5.31', '5.32']);
  });
});

describe('exceptions', () => {
  const stack = [service, job, giver, files].flatMap((container) => findings(container, host));

  test('explain what a stack leaves as it is, and nothing else', () => {
    expect(unexplained(stack)).toEqual([]);
    expect(unneeded(stack)).toEqual([]);
  });

  test('are for one kind of container and one finding', () => {
    const rootService = { ...service, Config: { ...service.Config, User: '0:0' } };
    const strongJob = { ...job, HostConfig: { ...job.HostConfig, CapAdd: ['CAP_CHOWN', 'CAP_SYS_ADMIN'] } };
    const found = [...findings(rootService, host), ...findings(strongJob, host)];
    expect(unexplained(found)).toEqual(['4.1 service: it runs as root', '5.4 job: it adds SYS_ADMIN']);
    expect(unneeded(found).slice(0, 3)).toEqual(['5.4 job: it adds DAC_READ_SEARCH', '5.4 job: it adds SETGID', '5.4 job: it adds SETUID']);
  });

  test('for one service are not for others', () => {
    const Config = { ...service.Config, Healthcheck: null };
    const unchecked = (name: string): string[] => unexplained(findings({ ...service, Name: `/${name}`, Config }, host));
    expect(unchecked('victorialogs-dev')).toEqual([]);
    expect(['victorialogs-dev-gate', 'phoenix-dev'].map(unchecked)).toEqual([['5.27 victorialogs-dev-gate: it has no health check'], ['5.27 phoenix-dev: it has no health check']]);
  });

  test('that a stack without jobs does not need', () => {
    const without = unneeded([service, files].flatMap((container) => findings(container, host)));
    expect(without).toHaveLength(10);
    expect(without.every((line) => line.includes(' job: '))).toBe(true);
  });
});
