/** Settings of Grafana, and the store of metrics that it asks. */
import { readEndpoint } from '../../settings/grafana';
import { publishedPorts } from '../../settings/ports';
import { readSettings } from '../../settings/settings';
import { rows } from '../support/rows';

const read = (config: Record<string, string>): ReturnType<typeof readSettings> => readSettings(config, 'llm-observability', (key) => /password|token/.test(key));
const url = { 'prometheus:url': 'http://prometheus:9090' };
const enabled = { 'grafana:enabled': 'true' };

test('every setting, set', () => {
  const { settings, problems } = read({ ...enabled, ...url, 'grafana:port': '3300', 'grafana:memory': '2GiB', 'grafana:image': 'mirror.example/grafana:13.2.3', 'ports:offset': '100' });
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({ 'grafana:enabled': true, 'grafana:port': 3400, 'grafana:memory': 2048, 'grafana:image': 'mirror.example/grafana:13.2.3' });
});

test('its port counts only if there is a Grafana', () => {
  const clash = { 'grafana:port': '6006' };
  expect(read(clash).problems).toEqual([]);
  expect(publishedPorts(read(clash).settings)).not.toContain('grafana:port');
  expect(read({ ...clash, ...enabled, ...url }).problems).toEqual([{ key: 'grafana:port', value: '6006', rule: expect.stringContaining('phoenix:uiPort'), mend: [expect.stringMatching(/^pulumi config set grafana:port \d+$/)] }]);
});

test('without a store of metrics it is refused, with the command that names one', () => {
  expect(read(enabled).problems).toEqual([{
    key: 'grafana:enabled',
    value: 'true',
    rule: expect.stringContaining('there is none'),
    mend: ['pulumi config set prometheus:enabled true', 'pulumi config set prometheus:url http://host.docker.internal:9090/api/v1/write   # an example', 'pulumi config rm grafana:enabled'],
  }]);
  expect(read({ ...enabled, ...url }).problems).toEqual([]);
});

test('an address that breaks its own rule is reported once', () => {
  expect(read({ ...enabled, 'prometheus:url': 'nowhere' }).problems.map(({ key }) => key)).toEqual(['prometheus:url']);
});

rows<[Record<string, string>, string]>([
  [{ 'prometheus:username': 'u', 'prometheus:password': 'p' }, 'prometheus:username and prometheus:password'],
  [{ 'prometheus:token': 't' }, 'prometheus:token'],
  [{ 'prometheus:tenant': 'team-a' }, 'prometheus:tenant'],
])('a store that asks for credentials is refused: %j', (credentials, named) => {
  expect(read({ ...enabled, ...url, ...credentials }).problems).toEqual([{ key: 'grafana:enabled', value: 'true', rule: expect.stringContaining(named), mend: ['pulumi config rm grafana:enabled'] }]);
});

test('so is one where it is not known where to ask', () => {
  expect(read({ ...enabled, 'prometheus:url': 'http://thanos:19291/api/v1/receive' }).problems).toEqual([expect.objectContaining({ key: 'grafana:enabled', mend: ['pulumi config rm grafana:enabled'] })]);
});

rows<[string, string | undefined]>([
  ['http://prometheus:9090', 'http://prometheus:9090'],
  ['http://prometheus:9090/', 'http://prometheus:9090'],
  ['http://prometheus:9090/api/v1/write', 'http://prometheus:9090'],
  ['https://metrics.example.com/prometheus', 'https://metrics.example.com/prometheus'],
  ['https://metrics.example.com/a/prometheus/api/v1/write?db=x', 'https://metrics.example.com/a/prometheus'],
  ['https://mimir.example.com/api/v1/push', 'https://mimir.example.com/prometheus'],
  ['http://vminsert:8480/insert/0/prometheus/api/v1/write', undefined],
  ['http://thanos:19291/api/v1/receive', undefined],
])('%s is asked at %s', (written, asked) => expect(readEndpoint(new URL(written))).toBe(asked));
