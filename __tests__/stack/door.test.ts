import { doorView, type Door } from '../../components/door';
import { doorOf, doorWarnings } from '../../stack/door';
import { readSettings } from '../../settings/settings';

const project = 'llm-observability';
const door = (config: Record<string, string> = {}, networks: readonly string[] = []): Door => doorOf(readSettings(config, project).settings, networks);
const beyond = { 'phoenix:auth': 'true' };

test('by default it is reached by names that lead nowhere else, and believes nobody', () => {
  expect(door()).toEqual({ names: ['localhost', 'host.docker.internal', 'phoenix', 'phoenix-gate', '127.0.0.1'], anyAddress: false, proxies: [], https: false, mostMiB: 64, takesSpans: true });
});

describe('names', () => {
  const added = (config: Record<string, string>): string[] => door({ ...beyond, ...config }).names.filter((name) => !door().names.includes(name));

  test.each<[string, Record<string, string>, string[]]>([
    ['addresses of the host', { 'phoenix:bind': '127.0.0.1, 192.0.2.7, 2001:db8::7' }, ['192.0.2.7', '2001:db8::7']],
    ['a public URL, whatever its port and path', { 'phoenix:rootUrl': 'https://phoenix.example.com:8443/traces' }, ['phoenix.example.com']],
    ['one with an address', { 'phoenix:rootUrl': 'https://[2001:db8::8]' }, ['2001:db8::8']],
    ['names that are set', { 'phoenix:hosts': 'phoenix.lan, build-7' }, ['phoenix.lan', 'build-7']],
    ['twice the same', { 'phoenix:hosts': 'phoenix.lan', 'phoenix:rootUrl': 'http://phoenix.lan' }, ['phoenix.lan']],
    ['hostnames of the tunnel', { 'tunnel:hostname': 'p.example.com', 'tunnel:otlpHostname': 'o.example.com', 'tunnel:phoenixOtlpHostname': 'po.example.com', 'tunnel:routes': 'r.example.com=http://phoenix:6006' },
      ['p.example.com', 'o.example.com', 'po.example.com', 'r.example.com']],
  ])('%s', (_, config, names) => expect(added(config).sort()).toEqual([...names].sort()));

  test.each([['0.0.0.0', true], ['::', true], ['127.0.0.1,192.0.2.7', false]])('any address where ports are published on all of them: %s', (bind, any) => {
    expect(door({ ...beyond, 'phoenix:bind': bind })).toMatchObject({ anyAddress: any });
    expect(door({ ...beyond, 'phoenix:bind': bind }).names).not.toContain(any ? bind : '0.0.0.0');
  });

  /** What nginx does with the arguments of `server_name`. */
  function isServed(host: string, config: Record<string, string> = {}): boolean {
    const { serverNames } = doorView(door({ ...beyond, ...config }));
    return serverNames.split(' ').map((name) => name.slice(1, -1)).some((name) => (name.startsWith('~') ? new RegExp(name.slice(1)).test(host) : name === host));
  }
  const isHome = (origin: string, config: Record<string, string> = {}): boolean => new RegExp(`^https?://(${doorView(door({ ...beyond, ...config })).originPattern})(:[0-9]+)?$`, 'i').test(origin);

  test.each(['localhost', '127.0.0.1', '127.255.0.9', '[::1]', 'host.docker.internal'])('%s is served, and pages of it', (host) => {
    expect([isServed(host), isHome(`http://${host}:6006`), isHome(`https://${host}`)]).toEqual([true, true, true]);
  });

  test.each(['evil.example', 'localhost.evil.example', 'xlocalhost', '127.0.0.1.evil.example', '10.0.0.1', '[2001:db8::1]', 'hostxdocker.internal', '127.0.0', '127.0.0.1.1'])('%s is not', (host) => {
    expect([isServed(host), isHome(`http://${host}:6006`)]).toEqual([false, false]);
  });

  test.each(['null', 'http://evil.example/http://localhost', 'http://evil.example?localhost', 'http://localhost:6006.evil.example', 'http://localhost@evil.example', 'chrome-extension://localhost', 'file://', 'http://localhost:6006 http://evil.example'])(
    'the origin %s is foreign', (origin) => expect(isHome(origin)).toBe(false));

  test('with all addresses any is served, and no name that looks like one', () => {
    const all = { 'phoenix:bind': '0.0.0.0' };
    expect(['10.0.0.1', '[2001:db8::1]'].map((host) => [isServed(host, all), isHome(`http://${host}`, all)])).toEqual([[true, true], [true, true]]);
    expect(['10.0.0.1.evil.example', '10.0.0.evil', 'evil.example'].filter((host) => isServed(host, all) || isHome(`http://${host}`, all))).toEqual([]);
  });

  test('dots of a name are dots', () => expect([isHome('http://phoenix.lan', { 'phoenix:hosts': 'phoenix.lan' }), isHome('http://phoenixxlan', { 'phoenix:hosts': 'phoenix.lan' })]).toEqual([true, false]));
});

describe('proxies that are believed', () => {
  const networks = ['172.20.0.0/16', 'fd00:20::/64'];

  test.each<[string, Record<string, string>, string[]]>([
    ['none without a public URL', {}, []],
    ['with one those on the network of the stack, where tunnels are, and proxies of the host by its gateway', { 'phoenix:rootUrl': 'https://phoenix.example.com' }, networks],
    ['through a tunnel, too', { 'tunnel:hostname': 'phoenix.example.com' }, networks],
    ['those that are named, and no others', { 'phoenix:rootUrl': 'https://phoenix.example.com', 'phoenix:trustedProxies': '192.0.2.0/24, ::1' }, ['192.0.2.0/24', '::1']],
  ])('%s', (_, config, proxies) => expect(door({ ...beyond, ...config }, networks).proxies).toEqual(proxies));
});

test.each([['http://phoenix.example.com', false], ['https://phoenix.example.com', true]])('HTTPS is what the public URL says: %s', (url, https) => {
  expect(door({ 'phoenix:rootUrl': url }).https).toBe(https);
});

test.each([['768MiB', 16], ['2047MiB', 16], ['2GiB', 64], ['64GiB', 64]])('with %s of memory a request has %i MiB', (memory, mostMiB) => expect(door({ 'phoenix:memory': memory }).mostMiB).toBe(mostMiB));

describe('what is worth saying', () => {
  const warnings = (config: Record<string, string>): string[] => doorWarnings(readSettings({ ...beyond, ...config }, project).settings);
  test.each([{}, { 'phoenix:bind': '127.0.0.1, ::1, 127.0.0.2' }, { 'edge:central': 'prod' }])('nothing of loopback: %j', (config) => expect(warnings(config as Record<string, string>)).toEqual([]));

  test('beyond it that no name is known', () => {
    const bind = { 'phoenix:bind': '127.0.0.1, 192.0.2.7' };
    expect(warnings(bind)).toEqual([
      'beyond this machine Phoenix answers to its addresses alone; to reach it by a host name: pulumi config set phoenix:hosts NAME',
    ]);
    expect(warnings({ ...bind, 'phoenix:hosts': 'phoenix.lan' })).toEqual([]);
    expect(warnings({ ...bind, 'phoenix:rootUrl': 'http://phoenix.lan' })).toEqual([]);
  });
});
