import { routesOf, serviceTokensOf } from '../../stack/publication';
import { readSettings } from '../../settings/settings';
import type { Settings } from '../../settings/keys';

type Config = Readonly<Record<string, string>>;

function settings(config: Config): Settings {
  const account = { 'cloudflare:accountId': '0123456789abcdef0123456789abcdef', 'cloudflare:apiToken': 'a'.repeat(40) };
  const { settings: checked, problems } = readSettings({ ...account, ...config }, 'llm-observability', (key) => key === 'cloudflare:apiToken');
  expect(problems).toEqual([]);
  return checked;
}

const services = { page: 'http://phoenix:6006', phoenixOtlp: 'http://phoenix-gate:4318', otlp: 'http://alloy:4318' };
const auth = { 'phoenix:auth': 'true' };
const people = { 'tunnel:allowEmails': 'ada@example.com' };
const page = { 'tunnel:hostname': 'phoenix.example.com' };
const otlp = { 'tunnel:otlpHostname': 'otlp.example.com' };
const phoenixOtlp = { 'tunnel:phoenixOtlpHostname': 'traces.example.com' };
const further = { 'tunnel:routes': 'grafana.example.com=http://host.docker.internal:3000,wiki.example.com=https://wiki' };

describe('which hostname leads where, and for whom', () => {
  const checks = { path: '^/v1/projects/verify-[0-9]{13}(/spans)?$', service: services.page };
  const toPage = { name: 'page', hostname: 'phoenix.example.com', rules: [{ service: services.page }] };
  const toAlloy = { name: 'otlp', hostname: 'otlp.example.com', rules: [{ path: '^/v1/(traces|metrics|logs)$', service: services.otlp }, checks], audience: 'machines' };
  const toPhoenix = { name: 'phoenix-otlp', hostname: 'traces.example.com', rules: [{ path: '^/v1/traces$', service: services.phoenixOtlp }, checks], audience: 'machines' };
  const elsewhere = [
    { name: 'grafana.example.com', hostname: 'grafana.example.com', rules: [{ service: 'http://host.docker.internal:3000' }], audience: 'people' },
    { name: 'wiki.example.com', hostname: 'wiki.example.com', rules: [{ service: 'https://wiki' }], audience: 'people' },
  ];

  test.each<[string, Config, object[]]>([
    ['nothing is published', {}, []],
    ['a page with a login of its own is for everybody', { ...page, ...auth }, [{ ...toPage, audience: 'everybody' }]],
    ['with Access in front it is for people', { ...page, ...people }, [{ ...toPage, audience: 'people' }]],
    ['so it is with both', { ...page, ...people, ...auth }, [{ ...toPage, audience: 'people' }]],
    ['domains are people', { ...page, 'tunnel:allowDomains': 'example.com' }, [{ ...toPage, audience: 'people' }]],
    ['groups are people', { ...page, 'tunnel:allowGroups': 'f174e90a-fafe-4643-bbbc-4a0ed4fc8415' }, [{ ...toPage, audience: 'people' }]],
    ['the receiver of Alloy', otlp, [toAlloy]],
    ['OTLP to Phoenix', phoenixOtlp, [toPhoenix]],
    ['people are not let in where machines are', { ...otlp, ...people }, [toAlloy]],
    ['further services', { ...further, ...people }, elsewhere],
    ['all of it, in the order of the settings', { ...further, ...phoenixOtlp, ...otlp, ...page, ...people }, [{ ...toPage, audience: 'people' }, toAlloy, toPhoenix, ...elsewhere]],
  ])('%s', (_, config, routes) => expect(routesOf(settings(config), services)).toEqual(routes));

  test('each has a name of its own, which tells its resources apart', () => {
    const names = routesOf(settings({ ...further, ...phoenixOtlp, ...otlp, ...page, ...people }), services).map(({ name }) => name);
    expect(names).toHaveLength(5);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('what machines get at', () => {
  /** The service that a request to a hostname comes to, as a connector chooses it: by the first rule that fits. */
  function serviceAt(config: Config, path: string): string | undefined {
    const [route, ...more] = routesOf(settings(config), services);
    expect(more).toEqual([]);
    return route?.rules.find((rule) => rule.path === undefined || new RegExp(rule.path).test(path))?.service;
  }

  test.each([
    ['/v1/traces', services.otlp, services.phoenixOtlp],
    ['/v1/metrics', services.otlp, undefined],
    ['/v1/logs', services.otlp, undefined],
    // What a check reads back, and removes.
    ['/v1/projects/verify-1795248000000/spans', services.page, services.page],
    ['/v1/projects/verify-1795248000000', services.page, services.page],
    // And nothing else.
    ['/', undefined, undefined],
    ['/v1/traces/', undefined, undefined],
    ['/v1/traces/x', undefined, undefined],
    ['/x/v1/traces', undefined, undefined],
    ['/v1/profiles', undefined, undefined],
    ['/v1/projects', undefined, undefined],
    ['/v1/projects/default', undefined, undefined],
    ['/v1/projects/default/spans', undefined, undefined],
    ['/v1/projects/verify-1', undefined, undefined],
    ['/v1/projects/verify-12345678901234', undefined, undefined],
    ['/v1/projects/my-verify-1234567890123', undefined, undefined],
    ['/v1/projects/verify-1234567890123/', undefined, undefined],
    ['/v1/projects/verify-1234567890123/traces', undefined, undefined],
    ['/v1/projects/verify-1234567890123/spans/otlpv1', undefined, undefined],
    ['/graphql', undefined, undefined],
    ['/v1/users', undefined, undefined],
  ])('%s', (path, throughAlloy, toPhoenix) => {
    expect(serviceAt(otlp, path)).toBe(throughAlloy);
    expect(serviceAt(phoenixOtlp, path)).toBe(toPhoenix);
  });

  test.each(['/', '/v1/traces', '/graphql', '/projects/UHJvamVjdDox'])('on the page %s is Phoenix itself', (path) => {
    expect(serviceAt({ ...page, ...auth }, path)).toBe(services.page);
  });
});

describe('service tokens', () => {
  test.each<[string, Config, string[]]>([
    ['none where nothing is published', {}, []],
    ['none for a page', { ...page, ...auth, 'tunnel:serviceTokens': 'edge,host-2' }, []],
    ['none for further services', { ...further, ...people }, []],
    ['the default one', otlp, ['edge']],
    ['those that are named, for Alloy', { ...otlp, 'tunnel:serviceTokens': 'edge,host-2' }, ['edge', 'host-2']],
    ['those that are named, for Phoenix', { ...phoenixOtlp, 'tunnel:serviceTokens': 'host-2' }, ['host-2']],
    ['the same for both', { ...otlp, ...phoenixOtlp, 'tunnel:serviceTokens': 'edge,host-2' }, ['edge', 'host-2']],
  ])('%s', (_, config, names) => expect(serviceTokensOf(settings(config))).toEqual(names));
});
