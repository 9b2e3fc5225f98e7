import { isCollector, isPhoenix } from '../../../stack/found';
import { oldContainers, type OldContainer } from '../../../ops/support/adopt/old-container';
import { oldSetup } from '../../../ops/support/adopt/old-setup';
import { composed, fakeContainer, fakeDocker } from '../../support/fake-docker';
import { alloy, nobody, phoenix, up } from './given';

describe('oldContainers', () => {
  test('every container of a project, as far as it matters', async () => {
    const { engine } = await fakeDocker([
      fakeContainer('phoenix-1', {
        image: 'arizephoenix/phoenix:latest', labels: composed('arize-phoenix', 'phoenix'), env: { PHOENIX_WORKING_DIR: '/phoenix_storage', EMPTY: '', WITH: 'a=b' },
        ports: { 6006: 6006, 4317: 14317 }, status: 'exited',
        mounts: [
          { Type: 'volume', Name: 'data', Source: '/var/lib/docker/volumes/data/_data', Destination: '/phoenix_storage' },
          { Type: 'bind', Source: '/srv/config', Destination: '/config' },
          { Type: 'tmpfs', Source: '', Destination: '/tmp' },
        ],
      }),
      fakeContainer('alloy-1', { labels: composed('x', 'alloy', { 'com.docker.compose.version': '1.29.2', 'com.docker.compose.project.config_files': "a b.yml,c.yml" }), network: 'host' }),
      fakeContainer('run-1', { labels: composed('x', 'phoenix', { 'com.docker.compose.oneoff': 'True' }) }),
      fakeContainer('of-a-stack', { labels: { 'llm-observability.stack': 'llm-observability/dev' } }),
      fakeContainer('started-by-hand', { image: 'arizephoenix/phoenix', rm: true }),
    ]);
    const [first, second, third, ...more] = await oldContainers(engine);
    expect(more).toEqual([]);
    expect(third).toMatchObject({ name: 'started-by-hand', removedAtStop: true, composeUp: undefined });
    expect(second).toEqual({
      name: 'phoenix-1', status: 'exited', image: 'arizephoenix/phoenix:latest', imageId: 'sha256:phoenix-1', args: [],
      env: { PHOENIX_WORKING_DIR: '/phoenix_storage', EMPTY: '', WITH: 'a=b' },
      mounts: [{ kind: 'volume', source: 'data', path: '/phoenix_storage' }, { kind: 'bind', source: '/srv/config', path: '/config' }],
      published: [{ internal: 4317, external: 14317, address: '' }, { internal: 6006, external: 6006, address: '' }],
      onHostNetwork: false, networks: ['seed_default'], removedAtStop: false, composeUp: up.phoenix,
    });
    expect(first).toMatchObject({ name: 'alloy-1', onHostNetwork: true, composeUp: "cd /srv/x && docker-compose -p x -f 'a b.yml' -f c.yml up -d" });
  });

  test.each(['grafana/alloy', 'grafana/alloy:v1.18.1', 'registry:5000/grafana/alloy', `registry:5000/grafana/alloy:v1@sha256:${'0'.repeat(64)}`])('%s is an image of Alloy', (image) => {
    expect([isCollector(image), isPhoenix(image)]).toEqual([true, false]);
  });
});

test('a container that ends while they are looked at is none; a port that Docker chooses is known to nobody', async () => {
  const docker = await fakeDocker([fakeContainer('ends'), fakeContainer('phoenix', { image: 'arizephoenix/phoenix', ports: { 6006: 6006 } })]);
  docker.answers['GET /containers/ends-id-0123456789/json'] = { status: 404, message: 'No such container: ends' };
  const chosen = docker.containers.get('phoenix')?.HostConfig.PortBindings as Record<string, { HostIp: string; HostPort: string }[]>;
  chosen['4317/tcp'] = [{ HostIp: '', HostPort: '' }];
  chosen['4318/tcp'] = [{ HostIp: '', HostPort: '14318-14320' }];
  expect((await oldContainers(docker.engine)).map(({ name, published }) => [name, published])).toEqual([['phoenix', [{ internal: 6006, external: 6006, address: '' }]]]);
});

describe('oldSetup', () => {
  test("the seed's two projects, among others", () => {
    const others = [alloy({ name: 'prometheus', image: 'prom/prometheus' }), alloy({ name: 'app', image: 'arizephoenix/phoenix-evals:1' })];
    expect(oldSetup([phoenix(), ...others, alloy()], nobody, 'dev')).toEqual({
      setup: { phoenix: phoenix(), alloy: alloy(), mount: phoenix().mounts[0], directory: '/phoenix_storage' },
      problems: [],
    });
  });

  test.each(['otel/opentelemetry-collector', 'otel/opentelemetry-collector-contrib:0.134.0', 'ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-k8s:0.134.0', 'our/otelcol:1', 'registry:5000/otel-collector'])('a Collector in the place of Alloy: %s', (image) => {
    expect(oldSetup([phoenix(), alloy({ name: 'collector', image })], nobody, 'dev').setup?.alloy.name).toBe('collector');
  });

  test.each<[string, Partial<OldContainer>, string, string]>([
    ['an image of their own', { image: 'our/llm-ui:3' }, '/phoenix_storage', 'arize-phoenix_phoenix_data'],
    ["no working directory: Phoenix's own", { env: {}, mounts: [{ kind: 'volume', source: 'home', path: '/root/.phoenix' }] }, '/root/.phoenix', 'home'],
    ['a folder of the host', { mounts: [{ kind: 'bind', source: '/srv/data', path: '/phoenix_storage' }] }, '/phoenix_storage', '/srv/data'],
    ['a directory below a mount', { env: { PHOENIX_WORKING_DIR: '/data/phoenix/' }, mounts: [{ kind: 'volume', source: 'all', path: '/data' }, { kind: 'volume', source: 'other', path: '/dat' }] }, '/data/phoenix', 'all'],
    ['started by hand', { composeUp: undefined, env: {}, mounts: [{ kind: 'volume', source: 'home', path: '/root/.phoenix' }] }, '/root/.phoenix', 'home'],
    ['a database whose URL encodes its name', { env: { PHOENIX_SQL_DATABASE_URL: 'sqlite:////data/my%20traces.db' }, mounts: [{ kind: 'volume', source: 'all', path: '/data' }] }, '/data', 'all'],
    ['a database that its URL names', { env: { PHOENIX_SQL_DATABASE_URL: 'sqlite:////data/db/traces.sqlite?timeout=30' }, mounts: [{ kind: 'volume', source: 'all', path: '/data' }] }, '/data/db', 'all'],
    ['mounts in each other', { env: { PHOENIX_WORKING_DIR: '/data/phoenix' }, mounts: [{ kind: 'volume', source: 'outer', path: '/data' }, { kind: 'volume', source: 'inner', path: '/data/phoenix' }] }, '/data/phoenix', 'inner'],
  ])('%s', (_, over, directory, source) => {
    const { setup, problems } = oldSetup([phoenix(over), alloy()], nobody, 'dev');
    expect(problems).toEqual([]);
    expect(setup).toMatchObject({ directory, mount: { source } });
  });

  test.each<[string, OldContainer[], string[]]>([
    ['Phoenix is stopped', [phoenix({ status: 'exited' }), alloy()], ["Phoenix is 'arize-phoenix-phoenix-1': it is exited, not running, and an adoption needs both", 'docker start arize-phoenix-phoenix-1']],
    ['Alloy is paused', [phoenix(), alloy({ status: 'paused' })], ["Alloy is 'grafana-alloy': it is paused, not running, and an adoption needs both", 'docker unpause grafana-alloy']],
    ['Alloy is gone', [phoenix()], [
      'Alloy: no container is the Alloy that belongs to arize-phoenix-phoenix-1, and an adoption needs both',
      `${up.phoenix}   # if it is in the same compose project`, 'npm run adopt -- --alloy NAME   # if it has a different image',
      'npm run adopt -- --alloy arize-phoenix-phoenix-1   # if applications send to Phoenix itself',
    ]],
    ['Phoenix is gone', [alloy()], [
      'Phoenix: no container is the Phoenix that belongs to grafana-alloy, and an adoption needs both',
      `${up.alloy}   # if it is in the same compose project`, 'npm run adopt -- --phoenix NAME   # if it has a different image',
    ]],
    ['several could be meant', [phoenix(), alloy(), alloy({ name: 'other-alloy', status: 'exited' })], [
      'Alloy: more than one container could be it: grafana-alloy (running), other-alloy (exited)', 'npm run adopt -- --alloy grafana-alloy', 'npm run adopt -- --alloy other-alloy',
    ]],
    ['there is nothing', [], [
      'the old setup: no container on this engine is your own Phoenix or Alloy', 'docker ps --all', 'npm run up   # where there is nothing to take over',
    ]],
    ['Phoenix is removed as soon as it stops', [phoenix({ removedAtStop: true, composeUp: undefined }), alloy()], [
      "Phoenix is 'arize-phoenix-phoenix-1': it was started with --rm: Docker deletes it, and its volumes that have no name, as soon as it stops",
      'docker pause arize-phoenix-phoenix-1 && docker cp arize-phoenix-phoenix-1:/phoenix_storage .   # first: its data', 'docker inspect arize-phoenix-phoenix-1   # start it again without --rm',
    ]],
    ['Alloy is removed as soon as it stops', [phoenix(), alloy({ removedAtStop: true })], [
      "Alloy is 'grafana-alloy': it was started with --rm: Docker deletes it, and its volumes that have no name, as soon as it stops", 'docker inspect grafana-alloy   # start it again without --rm',
    ]],
    ['the database is in memory', [phoenix({ env: { PHOENIX_SQL_DATABASE_URL: 'sqlite:///:memory:' } }), alloy()], [
      'PHOENIX_SQL_DATABASE_URL of arize-phoenix-phoenix-1: its database is not a SQLite file at an absolute path, and only such a file is taken over',
      'npm run up   # a separate stack, beside it: stop the old Alloy first, or set other ports',
    ]],
    ['the database has a path of its own without a mount', [phoenix({ composeUp: undefined, env: { PHOENIX_SQL_DATABASE_URL: 'sqlite:////tmp/traces.db' } }), alloy()], [
      'the volume of arize-phoenix-phoenix-1: nothing is mounted where it keeps its data, so the data is deleted with the container',
      'docker stop arize-phoenix-phoenix-1 && docker cp arize-phoenix-phoenix-1:/tmp/traces.db .   # and start it again with that in a volume (-v)',
    ]],
    ['the data go with the container', [phoenix({ mounts: [{ kind: 'volume', source: 'config', path: '/phoenix_storage_config' }] }), alloy()], [
      'the volume of arize-phoenix-phoenix-1: nothing is mounted where it keeps its data, so the data is deleted with the container',
      'docker stop arize-phoenix-phoenix-1 && docker cp arize-phoenix-phoenix-1:/phoenix_storage .   # and give it a volume in the compose file',
    ]],
    ['the database is a server, whose address is a secret', [phoenix({ env: { PHOENIX_WORKING_DIR: '/phoenix_storage', PHOENIX_SQL_DATABASE_URL: 'postgresql://me:password@db' } }), alloy()], [
      'PHOENIX_SQL_DATABASE_URL of arize-phoenix-phoenix-1: its database is not a SQLite file at an absolute path, and only such a file is taken over',
      'npm run up   # a separate stack, beside it: stop the old Alloy first, or set other ports',
    ]],
  ])('refused when %s', (_, containers, [said, ...mend]) => {
    const { setup, problems } = oldSetup(containers, nobody, 'dev');
    expect(setup).toBeUndefined();
    expect(problems.map(({ key, value, rule, mend: commands }) => [`${key}${value === undefined ? '' : ` is '${value}'`}: ${rule}`, ...commands])).toEqual([[said, ...mend]]);
  });

  test('everything that is wrong is told at once', () => {
    const { problems } = oldSetup([phoenix({ status: 'exited', mounts: [], env: {} }), alloy({ status: 'dead' })], nobody, 'dev');
    expect(problems.map(({ key }) => key)).toEqual(['Phoenix', 'Alloy', 'the volume of arize-phoenix-phoenix-1']);
  });

  describe('a person chooses', () => {
    const two = [phoenix(), phoenix({ name: 'other-phoenix' }), alloy()];

    test('one of several', () => {
      expect(oldSetup(two, { ...nobody, phoenix: 'other-phoenix' }, 'dev').setup?.phoenix.name).toBe('other-phoenix');
    });

    test('one that is none by its image', () => {
      expect(oldSetup([...two, alloy({ name: 'collector', image: 'our/collector' })], { phoenix: 'other-phoenix', alloy: 'collector' }, 'dev').setup?.alloy.name).toBe('collector');
    });

    test('Phoenix itself, as what applications send to; what is wrong with it is said once', () => {
      const named = { phoenix: undefined, alloy: 'arize-phoenix-phoenix-1' };
      expect(oldSetup([phoenix()], named, 'dev').setup).toMatchObject({ phoenix: phoenix(), alloy: phoenix() });
      expect(oldSetup([phoenix({ status: 'exited' })], named, 'dev').problems).toHaveLength(1);
    });

    test('what somebody has named stays named in every command', () => {
      const all = [phoenix(), phoenix({ name: 'other-phoenix', status: 'exited' })];
      expect(oldSetup(all, { ...nobody, phoenix: 'arize-phoenix-phoenix-1' }, 'dev').problems.flatMap(({ mend }) => mend)).toContain('npm run adopt -- --phoenix arize-phoenix-phoenix-1 --alloy arize-phoenix-phoenix-1   # if applications send to Phoenix itself');
      // Who names a Phoenix as what applications send to means that one.
      expect(oldSetup(all, { phoenix: undefined, alloy: 'arize-phoenix-phoenix-1' }, 'dev').setup).toMatchObject({ phoenix: { name: 'arize-phoenix-phoenix-1' }, alloy: { name: 'arize-phoenix-phoenix-1' } });
      expect(oldSetup([...all, alloy(), alloy({ name: 'more' })], { ...nobody, phoenix: 'arize-phoenix-phoenix-1' }, 'dev').problems.flatMap(({ mend }) => mend)).toEqual([
        'npm run adopt -- --phoenix arize-phoenix-phoenix-1 --alloy grafana-alloy', 'npm run adopt -- --phoenix arize-phoenix-phoenix-1 --alloy more',
      ]);
    });

    test('one that is not there', () => {
      expect(oldSetup(two, { ...nobody, phoenix: 'nobody' }, 'dev').problems.map(({ key }) => key)).toEqual(['Phoenix']);
      expect(oldSetup(two, { phoenix: 'nobody', alloy: 'nobody' }, 'dev').problems).toMatchObject([{ value: 'nobody', rule: 'there are no such containers' }]);
    });
  });
});
