import { urlForContainers } from '../../components/tls';

describe('where containers send', () => {
  const bridge = ['172.17.0.1'];
  const tls = (...addresses: string[]): Parameters<typeof urlForContainers>[2] => ({ certificate: '', key: '', addresses });

  test.each<[readonly string[], readonly string[], Parameters<typeof urlForContainers>[2], string | null]>([
    [['127.0.0.1', '172.17.0.1'], bridge, undefined, 'http://host.docker.internal:5318'],
    [['127.0.0.1', '172.17.0.1', '192.0.2.7'], bridge, tls('192.0.2.7'), 'http://host.docker.internal:5318'],
    [['0.0.0.0'], bridge, tls('0.0.0.0'), 'https://host.docker.internal:5318'],
    [['::'], bridge, undefined, 'http://host.docker.internal:5318'],
    [['127.0.0.1', '192.0.2.7'], bridge, tls('192.0.2.7'), null],
    [['127.0.0.1'], bridge, undefined, null],
    // Docker Desktop forwards from loopback; of others it is not known.
    [['127.0.0.1'], [], undefined, 'http://host.docker.internal:5318'],
    [[], [], undefined, null],
  ])('published on %j, with the bridge at %j', (addresses, gateway, encrypted, url) => expect(urlForContainers(addresses, 5318, encrypted, gateway)).toBe(url));
});
