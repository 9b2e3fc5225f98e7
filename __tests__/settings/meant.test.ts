/**
 * What people type, in the forms in which Docker, Compose, Kubernetes, Helm, YAML, Pulumi and Phoenix write values, and what
 * they are offered: what they meant, or nothing that could be taken for it.
 */
import * as fc from 'fast-check';
import { shellQuoted } from '../../settings/setting';
import { readSettings } from '../../settings/settings';
import { keys, type SettingKey } from '../../settings/keys';
import { boolean, negatedBoolean } from '../../settings/parse';
import { rows } from '../support/rows';

const offered = (name: SettingKey, value: string): string[] =>
  readSettings({ [name]: value }, 'llm-observability').problems.filter(({ key }) => key === name).flatMap(({ mend }) => mend);
const set = (name: SettingKey, value: string): string[] => [`pulumi config set ${name} ${value}`];
const reset = (name: SettingKey, fallback: string): string[] => [`pulumi config rm ${name}   # the default: ${fallback}`];
const either = (name: SettingKey): string[] => [...set(name, 'true'), ...set(name, 'false')];
const example = (name: SettingKey, value: string): string[] => [`pulumi config set ${name} ${value}   # an example`];

rows<[SettingKey, string, string]>([
  // YAML 1.1, environment variables, shells
  ['data:protect', 'True', 'true'],
  ['data:protect', 'TRUE', 'true'],
  ['data:protect', 'yes', 'true'],
  ['data:protect', 'Y', 'true'],
  ['data:protect', 'on', 'true'],
  ['data:protect', '1', 'true'],
  ['data:protect', 'enabled', 'true'],
  ['data:protect', '"true"', 'true'],
  ['data:protect', ' true ', 'true'],
  ['data:protect', 'False', 'false'],
  ['data:protect', 'no', 'false'],
  ['data:protect', 'off', 'false'],
  ['data:protect', '0', 'false'],
  ['phoenix:metrics', 'disabled', 'false'],
  ['data:protect', 'tru', 'true'],
  ['data:protect', 'ture', 'true'],
  ['data:protect', 'flase', 'false'],
  ['phoenix:auth', '!true', 'false'],
  ['phoenix:auth', '! yes', 'false'],
  ['phoenix:auth', 'not true', 'false'],
  ['phoenix:auth', '!false', 'true'],
  ['phoenix:auth', '!0', 'true'],
  // docker run --memory, Compose mem_limit, Kubernetes resources, systemd
  ['phoenix:memory', '8g', '8GiB'],
  ['phoenix:memory', '8G', '8GiB'],
  ['phoenix:memory', '8GB', '8GiB'],
  ['phoenix:memory', '8gb', '8GiB'],
  ['phoenix:memory', '8Gi', '8GiB'],
  ['phoenix:memory', '8 GiB', '8GiB'],
  ['phoenix:memory', '8gib', '8GiB'],
  ['phoenix:memory', '1.5g', '1536MiB'],
  ['phoenix:memory', '1,5 GB', '1536MiB'],
  ['phoenix:memory', '1.7g', '1741MiB'],
  ['phoenix:memory', '1.7GiB', '1741MiB'],
  ['phoenix:memory', '2000000000', '1907MiB'],
  ['phoenix:storage', '0.7t', '734003MiB'],
  ['alloy:queue', '1500.5MiB', '1501MiB'],
  ['phoenix:memory', '2048m', '2GiB'],
  ['phoenix:memory', '2048Mi', '2GiB'],
  ['phoenix:memory', '2048 MB', '2GiB'],
  ['phoenix:memory', '2097152k', '2GiB'],
  ['phoenix:memory', '2147483648', '2GiB'],
  ['phoenix:memory', '2147483648b', '2GiB'],
  ['phoenix:memory', '512m', '768MiB'],
  ['alloy:memory', '0.5g', '512MiB'],
  ['phoenix:memory', '"4GiB"', '4GiB'],
  // Kubernetes CPU, docker run --cpus
  ['phoenix:cpus', '500m', '0.5'],
  ['phoenix:cpus', '2000m', '2'],
  ['phoenix:cpus', '1,5', '1.5'],
  ['phoenix:cpus', '0,5', '0.5'],
  ['phoenix:cpus', '0,75', '0.75'],
  ['phoenix:cpus', '.5', '0.5'],
  ['phoenix:cpus', '50%', '0.5'],
  ['phoenix:cpus', '2 cores', '2'],
  ['phoenix:cpus', '4 vCPU', '4'],
  ['phoenix:cpus', '1.500', '1.5'],
  // retention in Loki, Prometheus, S3
  ['phoenix:retentionDays', '90d', '90'],
  ['phoenix:retentionDays', '90 days', '90'],
  ['phoenix:retentionDays', 'P90D', '90'],
  ['phoenix:retentionDays', '720h', '30'],
  ['phoenix:retentionDays', '2w', '14'],
  ['phoenix:retentionDays', '1y', '365'],
  ['phoenix:retentionDays', 'never', '0'],
  ['phoenix:retentionDays', 'infinite', '0'],
  ['phoenix:retentionDays', 'forever', '0'],
  ['phoenix:retentionDays', 'always', '0'],
  ['phoenix:retentionDays', 'no limit', '0'],
  ['phoenix:retentionDays', 'indefinitely', '0'],
  ['phoenix:retentionDays', 'keep', '0'],
  ['phoenix:retentionDays', 'keep all', '0'],
  ['phoenix:retentionDays', 'keep traces forever', '0'],
  ['phoenix:retentionDays', 'all', '0'],
  ['phoenix:retentionDays', '0d', '0'],
  ['phoenix:retentionDays', '30.0', '30'],
  ['phoenix:retentionDays', '0 days', '0'],
  ['phoenix:retentionDays', '-1', '0'],
  ['phoenix:retentionDays', '-1d', '0'],
  ['phoenix:retentionDays', '2160h0m0s', '90'],
  ['tunnel:tokenDuration', '30d', '720h'],
  ['tunnel:tokenDuration', '1y', '8760h'],
  ['tunnel:tokenDuration', '48 hours', '48h'],
  ['tunnel:tokenDuration', 'never', 'forever'],
  ['tunnel:tokenDuration', '8760', '8760h'],
  ['tunnel:tokenDuration', '48', '48h'],
  // docker run --publish
  ['phoenix:uiPort', ':16006', '16006'],
  ['phoenix:uiPort', '16006/tcp', '16006'],
  ['phoenix:uiPort', '16006:16006', '16006'],
  ['phoenix:uiPort', '16,006', '16006'],
  ['ports:offset', '+100', '100'],
  // addresses
  ['phoenix:bind', 'localhost', '127.0.0.1'],
  ['alloy:bind', 'Auto', 'auto'],
  ['alloy:bind', '*', '0.0.0.0'],
  ['alloy:bind', '10.0.0.1 10.0.0.2', '10.0.0.1,10.0.0.2'],
  ['alloy:bind', '[::1]', '::1'],
  ['alloy:bind', '0.0.0.0,10.0.0.1', '0.0.0.0'],
  ['alloy:bind', '10.0.0.1,10.0.0.1', '10.0.0.1'],
  ['loki:url', 'loki:3100', 'http://loki:3100'],
  ['loki:url', 'localhost:3100', 'http://host.docker.internal:3100'],
  ['loki:url', '0.0.0.0:3100', 'http://host.docker.internal:3100'],
  ['loki:url', '127.0.0.1:3100', 'http://host.docker.internal:3100'],
  ['loki:url', 'http://0.0.0.0:3100', 'http://host.docker.internal:3100'],
  ['loki:url', 'http://[::]:3100', 'http://host.docker.internal:3100'],
  ['loki:url', 'http://127.1:3100', 'http://host.docker.internal:3100'],
  ['loki:url', 'http://loki.localhost:3100', 'http://host.docker.internal:3100'],
  ['loki:url', 'http://localhost/loki', 'http://host.docker.internal/loki'],
  ['tunnel:routes', 'a.example.com=http://a:80,b.example.com=http://localhost:3000', 'a.example.com=http://a:80,b.example.com=http://host.docker.internal:3000'],
  ['tunnel:routes', 'A.example.com=a:80', 'a.example.com=http://a:80'],
  ['loki:url', 'http://localhost:3100/', 'http://host.docker.internal:3100/'],
  ['loki:url', 'tcp://loki:3100', 'http://loki:3100'],
  ['prometheus:url', 'http://127.0.0.1:9090/api/v1/write', 'http://host.docker.internal:9090/api/v1/write'],
  ['prometheus:url', 'prometheus.example.com/api/v1/write', 'https://prometheus.example.com/api/v1/write'],
  ['loki:url', 'loki.example.com:443', 'https://loki.example.com:443'],
  ['loki:url', 'loki.example.com', 'https://loki.example.com'],
  ['loki:url', '[::1]:3100', 'http://host.docker.internal:3100'],
  ['tunnel:hostname', 'https://Phoenix.example.com/', 'phoenix.example.com'],
  ['tunnel:hostname', 'phoenix.example.com.', 'phoenix.example.com'],
  ['docker:host', '/run/user/1000/docker.sock', 'unix:///run/user/1000/docker.sock'],
  ['docker:host', 'unix:/var/run/docker.sock', 'unix:///var/run/docker.sock'],
  ['docker:host', 'build.example.com:2375', 'tcp://build.example.com:2375'],
  ['docker:host', 'http://10.0.0.1:2375/', 'tcp://10.0.0.1:2375'],
  ['docker:host', 'root@10.0.0.1', 'ssh://root@10.0.0.1'],
  // images
  ['gate:image', 'docker pull nginx:1.30.6', 'nginx:1.30.6'],
  ['gate:image', 'docker://nginx:1.30.6', 'nginx:1.30.6'],
  // words
  ['edge:sendTo', 'Phoenix', 'phoenix'],
  ['edge:sendTo', 'phenix', 'phoenix'],
  ['edge:sendTo', 'pheonix', 'phoenix'],
  ['phoenix:ldapTlsMode', 'off', 'none'],
])("%s '%s' means %s", (name, value, meant) => {
  const others: Record<string, string> = name.startsWith('edge:') ? { 'edge:central': 'prod' } : {};
  const { problems } = readSettings({ ...others, [name]: value }, 'llm-observability');
  expect(problems.filter(({ key }) => key === name).map(({ mend }) => mend)).toEqual([[`pulumi config set ${name} ${shellQuoted(meant)}`]]);
  expect(keys[name].parse(meant)).toBeDefined();
});

// More than one thing, or none, could be meant.
rows<[SettingKey, string, string[]]>([
  ['data:protect', 'maybe', either('data:protect')],
  ['data:protect', 'protected', either('data:protect')],
  ['data:protect', '-true', either('data:protect')],
  ['data:protect', 'untrue', either('data:protect')],
  ['data:protect', '!maybe', either('data:protect')],
  ...['!ldaps', 'never', 'no tls', 'plain', 'unencrypted', 'not required', 'on'].map((value): [SettingKey, string, string[]] =>
    ['phoenix:ldapTlsMode', value, ['starttls', 'ldaps', 'none'].flatMap((word) => set('phoenix:ldapTlsMode', word))]),
  ['phoenix:retentionDays', 'keep 1000 traces', example('phoenix:retentionDays', '0')],
  ['phoenix:retentionDays', '-7', example('phoenix:retentionDays', '0')],
  ['tunnel:tokenDuration', '365', reset('tunnel:tokenDuration', '8760h')],
  ['tunnel:tokenDuration', '86400', reset('tunnel:tokenDuration', '8760h')],
  ['tunnel:tokenDuration', '0d', reset('tunnel:tokenDuration', '8760h')],
  ['loki:url', 'localhost', example('loki:url', 'http://host.docker.internal:3100')],
  ['phoenix:auth', 'oidc', either('phoenix:auth')],
  ['phoenix:memory', '2048', reset('phoenix:memory', '2GiB')],
  ['phoenix:memory', 'lots', reset('phoenix:memory', '2GiB')],
  ['phoenix:memory', '-1', reset('phoenix:memory', '2GiB')],
  ['phoenix:cpus', '125m', reset('phoenix:cpus', '1')],
  ['phoenix:cpus', '0-3', reset('phoenix:cpus', '1')],
  ['phoenix:retentionDays', 'off', ['pulumi config rm phoenix:retentionDays']],
  ['phoenix:retentionDays', 'P24H', example('phoenix:retentionDays', '0')],
  ['phoenix:memory', '1,000g', reset('phoenix:memory', '2GiB')],
  ['phoenix:cpus', '1,000', reset('phoenix:cpus', '1')],
  ['phoenix:cpus', '0,1', reset('phoenix:cpus', '1')],
  ['phoenix:retentionDays', '3m', example('phoenix:retentionDays', '0')],
  ['phoenix:retentionDays', '36h', example('phoenix:retentionDays', '0')],
  ['phoenix:uiPort', '127.0.0.1:16006', reset('phoenix:uiPort', '6006')],
  ['phoenix:uiPort', '6006:80', reset('phoenix:uiPort', '6006')],
  ['phoenix:uiPort', '70000', reset('phoenix:uiPort', '6006')],
  ['alloy:bind', 'eth0', reset('alloy:bind', 'auto')],
  ['loki:url', 'none', ['pulumi config rm loki:url']],
  ['loki:url', 'false', ['pulumi config rm loki:url']],
  ['loki:url', 'true', example('loki:url', 'http://host.docker.internal:3100')],
  ['loki:url', '3100', example('loki:url', 'http://host.docker.internal:3100')],
  ['loki:url', 'http//loki:3100', example('loki:url', 'http://host.docker.internal:3100')],
  ['loki:url', 'glc_hunter2', example('loki:url', 'http://host.docker.internal:3100')],
  ['loki:url', 'kafka://broker:9092', example('loki:url', 'http://host.docker.internal:3100')],
  ['loki:url', 'u:hunter2@loki:3100', example('loki:url', 'http://host.docker.internal:3100')],
])("%s '%s' means nothing that is certain", (name, value, commands) => {
  expect(offered(name, value)).toEqual(commands);
});

const switches = (Object.keys(keys) as SettingKey[]).filter((name) => keys[name].parse === boolean || keys[name].parse === negatedBoolean);
const negated: readonly SettingKey[] = ['docker:disableDockerDaemonCheck', 'tls:plain'];

test('the switches whose names say what is not there are known as such', () => {
  expect(switches.length).toBeGreaterThan(negated.length + 5);
  expect(switches.filter((name) => keys[name].parse === negatedBoolean).sort()).toEqual(negated);
});

describe('every switch', () => {
  const all = (value: string): string[][] => switches.map((name) => offered(name, value));

  rows(['True', 'TRUE', 'yes', 'Y', '1', 't', 'tru', '"true"', '!false', 'not 0'])("'%s' is true whatever it is called", (value) => {
    expect(all(value)).toEqual(switches.map((name) => set(name, 'true')));
  });

  rows(['False', 'FALSE', 'f', '0', 'flase', "'false'", '!true', 'not true', '! yes', 'not 1'])("'%s' is false whatever it is called", (value) => {
    expect(all(value)).toEqual(switches.map((name) => set(name, 'false')));
  });

  rows([
    ['on', 'true'], ['enable', 'true'], ['enabled', 'true'], ['ENABLED', 'true'], ['not off', 'true'], ['!off', 'true'], ['not disabled', 'true'], ['!no', 'true'],
    ['off', 'false'], ['OFF', 'false'], ['no', 'false'], ['n', 'false'], ['disable', 'false'], ['disabled', 'false'], [' Disabled ', 'false'], ['not on', 'false'], ['! enabled', 'false'],
  ])("'%s' is %s, or for the person to say where the name says no", (value, meant) => {
    expect(all(value)).toEqual(switches.map((name) => (negated.includes(name) ? either(name) : set(name, meant))));
  });

  rows(['never', 'none', 'always', 'without', 'required', 'not required', 'deactivated', 'inactive', 'skip', 'unset', 'on/off', 'opt-out', 'nope', 'maybe'])("'%s' is for the person to say", (value) => {
    expect(all(value)).toEqual(switches.map((name) => either(name)));
  });
});

test('what is offered is taken, and is never the opposite, whatever is typed', () => {
  const words = fc.oneof(fc.string(), fc.constantFrom('tRue', 'fAlse', 'nO', '8G', '9d', '1e3', '0x1', '١', '8 g', "'5'", '`'));
  fc.assert(
    fc.property(fc.constantFrom(...(Object.keys(keys) as SettingKey[])), words, (name, value) => {
      for (const command of offered(name, value)) {
        const [, text] = new RegExp(`^pulumi config set ${name} (\\S+)$`).exec(command) ?? [];
        if (text !== undefined && !text.startsWith("'")) {
          expect(() => keys[name].parse(text)).not.toThrow();
        }
      }
    }),
    { numRuns: 2000 },
  );
});
