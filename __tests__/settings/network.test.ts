import { halvesOf, mtu, networkArgs, subnet, subnetProblems } from '../../settings/network';
import { brokenRule } from '../support/broken-rule';
import { rows } from '../support/rows';

describe('network:subnet', () => {
  rows(['10.212.0.0/24', '10.0.0.0/8', '172.16.0.0/12', '172.31.255.128/25', '192.168.0.0/16', '100.64.0.0/10', '192.168.7.0/25'])('%s', (raw) => {
    expect(subnet(raw)).toBe(raw);
  });

  rows<[string, RegExp, string | undefined]>([
    ['10.212.0.0', /a range of IPv4 addresses/, '10.212.0.0/24'],
    ['10.212.0.7', /a range of IPv4 addresses/, '10.212.0.0/24'],
    ['8.8.8.8', /a range of IPv4 addresses/, undefined],
    ['10.212.0.7/24', /begins at the first address of the range, which is 10\.212\.0\.0/, '10.212.0.0/24'],
    ['10.212.0.0/26', /from 8 to 25 bits/, '10.212.0.0/24'],
    ['10.0.0.0/7', /from 8 to 25 bits/, undefined],
    ['172.32.0.0/16', /a private range, within 10\.0\.0\.0\/8, /, undefined],
    ['172.0.0.0/8', /a private range/, undefined],
    ['203.0.113.0/24', /a private range/, undefined],
    ['127.0.0.0/24', /a private range/, undefined],
    ['10.212.0.0/33', /a range of IPv4 addresses/, undefined],
    ['10.212.0/24', /a range of IPv4 addresses/, undefined],
    ['10.212.0.256/24', /a range of IPv4 addresses/, undefined],
    ['fd00::/64', /a range of IPv4 addresses/, undefined],
    ['10.212.0.0/255.255.255.0', /a range of IPv4 addresses/, undefined],
    ['auto', /a range of IPv4 addresses/, undefined],
  ])('%s is refused', (raw, rule, offer) => {
    expect(brokenRule(subnet, raw)).toEqual({ rule: expect.stringMatching(rule), meant: offer });
  });

  rows([['10.212.0.0/24', ['10.212.0.0/25', '10.212.0.128/25']], ['10.0.0.0/8', ['10.0.0.0/9', '10.128.0.0/9']], ['192.168.254.128/25', ['192.168.254.128/26', '192.168.254.192/26']]])('%s in two', (raw, halves) => {
    expect(halvesOf(raw)).toEqual(halves);
  });

  describe('another network of the engine', () => {
    const of = (Name: string, ...subnets: string[]): { Name: string; IPAM: { Config: { Subnet: string }[] } } => ({ Name, IPAM: { Config: subnets.map((Subnet) => ({ Subnet })) } });
    const problems = (own: string | undefined, ...others: Parameters<typeof subnetProblems>[1]): ReturnType<typeof subnetProblems> => subnetProblems({ 'network:subnet': own }, others);

    rows([['the same', '10.212.0.0/24'], ['within it', '10.212.0.64/26'], ['around it', '10.208.0.0/12']])('with addresses of it: %s', (_, theirs) => {
      expect(problems('10.212.0.0/24', of('bridge', '172.17.0.0/16'), of('vpn', 'fd00::/64', theirs))).toEqual([{
        key: 'network:subnet', value: '10.212.0.0/24', rule: `the Docker network vpn has addresses of it (${theirs})`, mend: ['pulumi config set network:subnet 10.0.0.0/24'],
      }]);
    });

    test('what is offered is free', () => {
      expect(problems('192.168.0.0/17', of('one', '192.168.3.0/24'))[0]?.mend).toEqual(['pulumi config set network:subnet 192.168.128.0/17']);
      expect(problems('192.168.0.0/17', of('one', '192.168.3.0/24'), of('two', '192.168.200.0/24'))[0]?.mend).toEqual(['pulumi config rm network:subnet', 'docker network ls']);
    });

    rows<[string, string | undefined, Parameters<typeof subnetProblems>[1]]>([
      ['beside it', '10.212.0.0/24', [of('one', '10.212.1.0/24'), of('two', '10.211.255.0/24')]],
      ['without addresses', '10.212.0.0/24', [{ Name: 'host' }, { Name: 'none', IPAM: { Config: null } }]],
      ['where none is set', undefined, [of('one', '10.212.0.0/24')]],
    ])('%s: nothing', (_, own, others) => {
      expect(problems(own, ...others)).toEqual([]);
    });
  });
});

describe('network:mtu', () => {
  rows([['576', 576], ['1400', 1400], ['9000', 9000]])('%s', (raw, value) => {
    expect(mtu(raw)).toBe(value);
  });

  rows<[string, string | undefined]>([['575', undefined], ['9001', undefined], ['1400 bytes', '1400'], ['1400b', '1400'], ['1.4k', undefined], ['-1', undefined], ['auto', undefined]])('%s is refused', (raw, offer) => {
    expect(brokenRule(mtu, raw)).toEqual({ rule: 'it is a number of bytes from 576 to 9000, such as 1400', meant: offer });
  });
});

test('a network that nobody has set anything for is as Docker makes it', () => {
  expect(networkArgs({ 'network:subnet': undefined, 'network:mtu': undefined }, 'first')).toEqual({});
  expect(networkArgs({ 'network:subnet': undefined, 'network:mtu': undefined }, 'second', { other: 'option' })).toEqual({ options: { other: 'option' } });
  expect(networkArgs({ 'network:subnet': '10.212.0.0/24', 'network:mtu': 1400 }, 'second', { other: 'option' })).toEqual({
    ipamConfigs: [{ subnet: '10.212.0.128/25' }], options: { other: 'option', 'com.docker.network.driver.mtu': '1400' },
  });
});
