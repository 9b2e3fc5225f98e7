import { isLoopback, reachable } from '../../components/address';

describe('isLoopback', () => {
  test.each(['127.0.0.1', '127.8.9.10', '::1', '[::1]', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', 'localhost', 'LOCALHOST', 'phoenix.localhost'])('%s is', (host) =>
    expect(isLoopback(host)).toBe(true));

  test.each(['0.0.0.0', '::', '[::]', '192.0.2.7', '172.17.0.1', '2001:db8::1', 'fe80::1%eth0', 'phoenix.example.com', 'localhost.example.com', 'mylocalhost', ''])(
    "'%s' is not",
    (host) => expect(isLoopback(host)).toBe(false),
  );
});

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['192.0.2.7', '192.0.2.7'],
  ['0.0.0.0', '127.0.0.1'],
  ['::', '127.0.0.1'],
  ['2001:db8::1', '[2001:db8::1]'],
])('what is published on %s is at %s for a client on the host', (address, host) => {
  expect(reachable(address)).toBe(host);
});
