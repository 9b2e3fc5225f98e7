/**
 * Addresses of stores in the forms in which people have them: each leads to where the store takes what Alloy sends, or is refused
 * with the command that does.
 */
import { readSettings } from '../../settings/settings';
import type { SettingKey } from '../../settings/keys';
import { bearerToken, isPublic, logsEndpoint, lokiUrl, remoteWriteUrl, tenant, username, wantsCredentials, writeEndpoint, storePassword } from '../../settings/store-parse';
import { rows } from '../support/rows';

const refused = (name: SettingKey, value: string, isSecret = false) =>
  readSettings({ [name]: value }, 'llm-observability', () => isSecret).problems.filter(({ key }) => key === name).map(({ rule, mend }) => ({ rule, mend }))[0];

describe('prometheus:url', () => {
  rows([
    // Prometheus, by itself and behind a prefix
    ['http://prometheus:9090', 'http://prometheus:9090/api/v1/write'],
    ['http://prometheus:9090/', 'http://prometheus:9090/api/v1/write'],
    ['http://prometheus:9090//', 'http://prometheus:9090/api/v1/write'],
    ['http://prometheus:9090/api/v1/write', 'http://prometheus:9090/api/v1/write'],
    ['http://prometheus:9090/api/v1/write/', 'http://prometheus:9090/api/v1/write'],
    ['http://prometheus:9090/api/v1', 'http://prometheus:9090/api/v1/write'],
    ['http://prometheus:9090/api/', 'http://prometheus:9090/api/v1/write'],
    ['https://example.com/prometheus', 'https://example.com/prometheus/api/v1/write'],
    ['https://example.com/tools/prometheus/', 'https://example.com/tools/prometheus/api/v1/write'],
    ['https://example.com/tools/api/v1/write', 'https://example.com/tools/api/v1/write'],
    // Mimir, Thanos, Cortex, VictoriaMetrics
    ['https://mimir.example/api/v1/push/', 'https://mimir.example/api/v1/push'],
    ['https://example.com/mimir', 'https://example.com/mimir/api/v1/push'],
    ['http://thanos:19291/api/v1/receive', 'http://thanos:19291/api/v1/receive'],
    ['https://cortex.example/api/prom/push', 'https://cortex.example/api/prom/push'],
    ['http://victoria:8428', 'http://victoria:8428/api/v1/write'],
    ['http://vminsert:8480/insert/0/prometheus', 'http://vminsert:8480/insert/0/prometheus/api/v1/write'],
    ['http://vminsert:8480/insert/0/prometheus/api/v1/write', 'http://vminsert:8480/insert/0/prometheus/api/v1/write'],
    // Clouds
    ['https://prometheus-prod-10-prod-us-central-0.grafana.net', 'https://prometheus-prod-10-prod-us-central-0.grafana.net/api/prom/push'],
    ['https://prometheus-prod-10-prod-us-central-0.grafana.net/api/prom', 'https://prometheus-prod-10-prod-us-central-0.grafana.net/api/prom/push'],
    ['https://prometheus-prod-10-prod-us-central-0.grafana.net/api/prom/push', 'https://prometheus-prod-10-prod-us-central-0.grafana.net/api/prom/push'],
    ['https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/remote_write', 'https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/remote_write'],
    ['https://dce.westeurope.metrics.ingest.monitor.azure.com/dataCollectionRules/dcr-1/streams/Microsoft-PrometheusMetrics/api/v1/write?api-version=2023-04-24', 'https://dce.westeurope.metrics.ingest.monitor.azure.com/dataCollectionRules/dcr-1/streams/Microsoft-PrometheusMetrics/api/v1/write?api-version=2023-04-24'],
    // Whatever else
    ['https://metrics.example/?tenant=a', 'https://metrics.example/api/v1/write?tenant=a'],
    ['https://metrics.example/push?tenant=a', 'https://metrics.example/push?tenant=a'],
    ['https://metrics.example/push/?tenant=a/', 'https://metrics.example/push?tenant=a/'],
  ])('%s is written to at %s', (url, endpoint) => {
    expect(writeEndpoint(remoteWriteUrl(url))).toBe(endpoint);
  });

  const otlp = 'that is an address for OTLP, and metrics go by remote write';
  const read = 'that address takes no remote write';
  rows([
    ['http://p:9090/api/v1/otlp', otlp, 'http://p:9090/api/v1/write'],
    ['http://p:9090/api/v1/otlp/v1/metrics/', otlp, 'http://p:9090/api/v1/write'],
    ['https://e.example/prometheus/api/v1/otlp', otlp, 'https://e.example/prometheus/api/v1/write'],
    ['https://mimir.example/otlp', otlp, 'https://mimir.example/api/v1/push'],
    ['https://mimir.example/otlp/v1/metrics', otlp, 'https://mimir.example/api/v1/push'],
    ['http://v:8428/opentelemetry/v1/metrics', otlp, 'http://v:8428/api/v1/write'],
    ['http://v:8428/opentelemetry/api/v1/push', otlp, 'http://v:8428/api/v1/write'],
    ['http://p:9090/api/v1/query', read, 'http://p:9090/api/v1/write'],
    ['http://p:9090/api/v1/status/config', read, 'http://p:9090/api/v1/write'],
    ['http://p:9090/graph', read, 'http://p:9090/api/v1/write'],
    ['http://p:9090/graph#tab', 'what follows # never leaves a browser', 'http://p:9090/api/v1/write'],
    ['http://p:9090/-/ready', read, 'http://p:9090/api/v1/write'],
    ['http://p:9090/metrics', read, 'http://p:9090/api/v1/write'],
    ['http://v:8428/vmui', read, 'http://v:8428/api/v1/write'],
    ['https://prometheus-prod-10-prod-us-central-0.grafana.net/api/prom/api/v1/query', 'that is an address to read metrics from', 'https://prometheus-prod-10-prod-us-central-0.grafana.net/api/prom/push'],
    // Two things that are wrong
    ['http://localhost:9090/api/v1/otlp', "inside Alloy's container that is the container itself; the Docker host is host.docker.internal", 'http://host.docker.internal:9090/api/v1/write'],
  ])('%s: %s', (url, rule, meant) => {
    expect(refused('prometheus:url', url)).toEqual({ rule, mend: [`pulumi config set prometheus:url ${meant}`] });
  });

  rows(['https://logs-prod-012.grafana.net', 'http://loki:3100/loki/api/v1/push', 'http://loki:3100/otlp/v1/logs'])('%s is a store of logs', (url) => {
    expect(refused('prometheus:url', url)).toEqual({
      rule: 'that is an address for logs, and this setting is for metrics',
      mend: ['pulumi config set prometheus:url http://host.docker.internal:9090/api/v1/write   # an example', `pulumi config set loki:url ${url}`],
    });
  });

  rows([
    ['https://otlp-gateway-prod-eu-west-2.grafana.net/otlp', /takes no remote write; the page of Prometheus/],
    ['http://collector:4318/v1/metrics', /address for OTLP/],
  ])('%s cannot be led elsewhere', (url, rule) => {
    expect(refused('prometheus:url', url)).toEqual({ rule: expect.stringMatching(rule), mend: ['pulumi config set prometheus:url http://host.docker.internal:9090/api/v1/write   # an example'] });
  });
});

describe('loki:url', () => {
  rows([
    ['http://loki:3100', 'http://loki:3100/otlp'],
    ['http://loki:3100/', 'http://loki:3100/otlp'],
    ['http://loki:3100/otlp/', 'http://loki:3100/otlp'],
    ['http://loki:3100/otlp/v1/logs', 'http://loki:3100/otlp'],
    ['http://loki:3100/otlp/v1/logs//', 'http://loki:3100/otlp'],
    ['http://loki:3100/loki/api/v1/push', 'http://loki:3100/otlp'],
    ['http://loki:3100/loki/api/v1/query_range', 'http://loki:3100/otlp'],
    ['http://loki:3100/loki/api/v1', 'http://loki:3100/otlp'],
    ['http://loki:3100/api/prom/push', 'http://loki:3100/otlp'],
    ['https://host.example/prefix/loki/api/v1/push', 'https://host.example/prefix/otlp'],
    ['https://host.example/prefix', 'https://host.example/prefix/otlp'],
    ['https://host.example/prefix/otlp', 'https://host.example/prefix/otlp'],
    ['https://logs.example/loki/otlp', 'https://logs.example/loki/otlp'],
    ['https://logs.example/loki', 'https://logs.example/loki/otlp'],
    ['https://logs-prod-012.grafana.net', 'https://logs-prod-012.grafana.net/otlp'],
    ['https://logs-prod-012.grafana.net/loki/api/v1/push', 'https://logs-prod-012.grafana.net/otlp'],
    ['https://otlp-gateway-prod-eu-west-2.grafana.net/otlp', 'https://otlp-gateway-prod-eu-west-2.grafana.net/otlp'],
    // A Collector, VictoriaLogs
    ['http://collector:4318/v1/logs', 'http://collector:4318'],
    ['http://victoria:9428/insert/opentelemetry/v1/logs', 'http://victoria:9428/insert/opentelemetry'],
    ['http://victoria:9428/insert/opentelemetry', 'http://victoria:9428/insert/opentelemetry'],
    ['http://victoria:9428/insert/loki/api/v1/push', 'http://victoria:9428/insert/opentelemetry'],
  ])('%s is sent to at %s', (url, endpoint) => {
    expect(logsEndpoint(lokiUrl(url))).toBe(endpoint);
  });

  rows([
    'https://prometheus-prod-10-prod-us-central-0.grafana.net', 'https://prometheus-prod-10-prod-us-central-0.grafana.net/api/prom/push', 'http://p:9090/api/v1/write', 'http://mimir:9009/api/v1/push', 'http://p:9090/api/v1/otlp/v1/metrics',
    'http://collector:4318/v1/metrics',
  ])('%s is a store of metrics', (url) => {
    expect(refused('loki:url', url)).toEqual({
      rule: 'that is an address for metrics, and this setting is for logs',
      mend: ['pulumi config set loki:url http://host.docker.internal:3100   # an example', `pulumi config set prometheus:url ${url}`],
    });
  });

  rows([
    ['http://loki:3100/otlp?tenant=a', '/v1/logs follows it, so it has no query; credentials belong in loki:username, loki:token and loki:tenant', 'http://loki:3100/otlp'],
    ['http://loki:3100/#explore', 'what follows # never leaves a browser', 'http://loki:3100/'],
  ])('%s: %s', (url, rule, meant) => {
    expect(refused('loki:url', url)).toEqual({ rule, mend: [`pulumi config set loki:url ${meant}`] });
  });

  rows(['ready', 'metrics', 'config', 'services', 'flush', 'ring', 'distributor/ring', 'index-gateway/ring', 'memberlist', 'log_level', 'ready/', 'metrics?x=1'])('/%s is a page of Loki itself', (page) => {
    const rule = 'that is a page of Loki itself, and takes no logs';
    expect(refused('loki:url', `http://loki:3100/${page}`)).toEqual({ rule, mend: ['pulumi config set loki:url http://loki:3100'] });
    expect(refused('loki:url', `https://e.example/prefix/${page}`)?.mend).toEqual(['pulumi config set loki:url https://e.example/prefix']);
  });

  rows(['already', 'my-ring', 'ready/a', 'metrics-and-logs'])('/%s may be a prefix', (prefix) => {
    expect(logsEndpoint(lokiUrl(`http://loki:3100/${prefix}`))).toBe(`http://loki:3100/${prefix}/otlp`);
  });

  test('traces are no logs', () => {
    expect(refused('loki:url', 'http://tempo:4318/v1/traces')?.rule).toBe('that is an address for traces, and this setting is for logs');
  });
});

describe.each(['prometheus', 'loki'] as const)('credentials in %s:url', (store) => {
  const bare = store === 'prometheus' ? 'https://store.example/api/v1/write' : 'https://store.example/otlp';
  const rule = `a URL that holds a password would show it in previews and state; ${store}:username and ${store}:password, or ${store}:token, are for that`;
  const into = (user: string): string => bare.replace('//', `//${user}@`);
  const asked = (part: string): string => `pulumi config set --secret ${store}:${part}`;

  rows([
    ['123456:hunter2', [`pulumi config set ${store}:username 123456`, asked('password')]],
    ['my%20user:hunter2', [`pulumi config set ${store}:username 'my user'`, asked('password')]],
    ['a%zz:hunter2', [`pulumi config set ${store}:username 'a%zz'`, asked('password')]],
    ['hunter2', [asked('token')]],
    ['hunter2:', [asked('token')]],
    [':hunter2', [asked('token')]],
  ])('%s', (user, commands) => {
    expect(refused(`${store}:url`, into(user))).toEqual({ rule, mend: [`pulumi config set ${store}:url ${bare}`, ...commands] });
  });

  test('set as a secret, nothing of it is shown', () => {
    expect(refused(`${store}:url`, into('123456:hunter2'), true)).toEqual({ rule, mend: [asked('url'), asked('username'), asked('password')] });
  });

  const queryRule = `a query that holds a credential would show it in Alloy's metrics and in logs; ${store}:username and ${store}:password, or ${store}:token, are for that`;
  rows([
    ['token', []], ['access_token', []], ['accessToken', []], ['api_token_v2', []], ['api_key', []], ['apikey', []], ['authKey', []], ['X-Amz-Signature', []], ['sig', []], ['key', []], ['Authorization', []], ['jwt', []],
    ['client_secret', []], ['password', []], ['p', []], ['pass', []], ['u', []], ['user', []], ['to%6ben', []],
  ])('in its query, as %s', (name) => {
    const problem = readSettings({ [`${store}:url`]: `${bare}?${name}=hunter2` }, 'llm-observability').problems;
    expect(problem).toMatchObject([{ rule: queryRule, mend: [`pulumi config set ${store}:url ${bare}`, asked('token')] }]);
    expect(JSON.stringify(problem)).not.toContain('hunter2');
    // A URL that is a secret goes to the same places.
    expect(refused(`${store}:url`, `${bare}?${name}=hunter2`, true)).toEqual({ rule: queryRule, mend: [asked('url'), asked('token')] });
  });

  rows([['u', 'p'], ['user', 'password'], ['username', 'passwd']])('in its query, as %s and %s', (user, password) => {
    expect(refused(`${store}:url`, `${bare}?${user}=ab%20c&${password}=hunter2`)).toEqual({ rule: queryRule, mend: [`pulumi config set ${store}:url ${bare}`, `pulumi config set ${store}:username 'ab c'`, asked('password')] });
  });
});

describe.each([['prometheus', remoteWriteUrl], ['loki', lokiUrl]] as const)('the host of %s:url', (store, parse) => {
  rows(['pr$om', 'lo";x\'{y}ki', 'a`b', 'a,b', '-a', 'a..b', '*.example.com'])('is not %s', (host) => {
    expect(refused(`${store}:url`, `http://${host}:9090`)?.rule).toBe('its host is neither a name of letters, digits, dashes and dots nor an IP address');
  });

  rows(['project_store_1', '_a', 'a.b-c.example', 'store.example.com.', 'Store', '10.0.0.5', '[fd00::1]', 'bücher.example', 'x'])('may be %s', (host) => {
    expect(parse(`http://${host}:9090`).port).toBe('9090');
  });
});

test('what else is in a query stays', () => {
  expect(() => remoteWriteUrl('https://influx.example/write?db=a%2Fb&u=abc&p=hunter2&rp=$1#x')).toThrow(expect.objectContaining({ meant: 'https://influx.example/write?db=a%2Fb&rp=$1#x' }));
});

rows(['db=public', 'extra_label=job=a', 'api-version=2023-04-24', 'prometheus_server=a', 'monkey=1', 'author=a', 'up=1'])('a query with %s holds no credential', (query) => {
  expect(remoteWriteUrl(`https://store.example/write?${query}`).search).toBe(`?${query}`);
});

rows([
  [username, 'a:b', /no colon/],
  [username, ' ', /one line of text/],
  [bearerToken, 'Bearer abc', /the token alone/],
  [bearerToken, 'Basic abc', /the token alone/],
  [bearerToken, 'Authorization: Bearer abc', /the token alone/],
  [bearerToken, 'two words', /one word/],
  [bearerToken, 'sch\u00f6n', /one word/],
  [username, 'é'.repeat(129), /longer than 256 bytes/],
  [storePassword, 'x'.repeat(2049), /longer than 2048 bytes/],
  [bearerToken, 'x'.repeat(3073), /longer than 3072 bytes/],
  // Each takes two in nginx's configuration.
  [bearerToken, '"'.repeat(1537), /longer than 3072 bytes/],
  [tenant, 'a|b', /one tenant/],
  [tenant, 'a b', /at most 150/],
  [tenant, '..', /at most 150/],
  [tenant, 'a'.repeat(151), /at most 150/],
])('%p does not take %s', (parse, value, rule) => {
  expect(() => parse(value)).toThrow(rule);
});

rows([[username, ' 123456\n', '123456'], [bearerToken, 'glc_eyJvIjoi.x-y=\n', 'glc_eyJvIjoi.x-y='], [tenant, "team-a!_.*'()", "team-a!_.*'()"]])('%p takes %s', (parse, value, taken) => {
  expect(parse(value)).toBe(taken);
});

test('the tenant of a header is that alone', () => {
  expect(refused('loki:tenant', 'X-Scope-OrgID: team-a')?.mend).toEqual(['pulumi config set loki:tenant team-a']);
});

rows([
  ['http://loki:3100', false], ['http://host.docker.internal', false], ['http://loki.lan', false], ['http://10.1.2.3', false], ['http://172.31.0.1', false], ['http://192.168.1.1', false],
  ['http://100.64.0.1', false], ['http://[fd00::1]:3100', false], ['http://[fe80::1]', false], ['http://nas.home.arpa', false],
  ['http://loki.example.com', true], ['http://172.32.0.1', true], ['http://100.128.0.1', true], ['http://203.0.113.9', true], ['http://[2001:db8::1]', true],
])('%s is reached over networks of others: %s', (url, is) => {
  expect(isPublic(new URL(url))).toBe(is);
});

rows([['https://logs-prod-012.grafana.net', true], ['https://grafana.net.example.com', false], ['https://loki.example.com', false]])('%s takes nothing from a stranger: %s', (url, is) => {
  expect(wantsCredentials(new URL(url))).toBe(is);
});
