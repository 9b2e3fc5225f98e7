import * as fc from 'fast-check';
import { images } from '../../components/catalog';
import * as values from '../../settings/parse';
import { ruleOf } from '../support/broken-rule';
import { rows } from '../support/rows';

const digest = `@sha256:${'0123456789abcdef'.repeat(4)}`;

describe('port', () => {
  const rule = 'a port is a whole number from 1 to 65535';

  rows([['1', 1], ['80', 80], ['080', 80], ['6006', 6006], ['65535', 65535]])('%s is %d', (raw, port) => {
    expect(values.port(raw)).toBe(port);
  });

  rows(['', ' ', '0', '65536', '99999999999999999999', '-1', '+80', '80.0', '1e3', '0x50', '6006/tcp', ' 6006', 'http', '６００６'])(
    "'%s' is none",
    (raw) => expect(ruleOf(values.port, raw)).toBe(rule),
  );

  test('every port comes back as itself, every other number is refused', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 65535 }), (port) => values.port(String(port)) === port));
    fc.assert(fc.property(fc.oneof(fc.integer({ max: 0 }), fc.integer({ min: 65536 })), (other) => ruleOf(values.port, String(other)) === rule));
  });
});

describe('offset', () => {
  rows([['0', 0], ['100', 100], ['007', 7], ['40000', 40000]])('%s is %d', (raw, offset) => {
    expect(values.offset(raw)).toBe(offset);
  });

  rows(['', ' ', '-1', '+100', '1.5', '1e3', '0x10', '40001', '65534', '100000', '000100', 'none', '１００'])("'%s' is none", (raw) => {
    expect(ruleOf(values.offset, raw)).toBe('it is a whole number from 0, which leaves the ports where they are, to 40000');
  });
});

describe('days', () => {
  rows([['0', 0], ['1', 1], ['30', 30], ['99999', 99999]])('%s is %d', (raw, days) => {
    expect(values.days(raw)).toBe(days);
  });

  rows(['', '-1', '1.5', '30d', '100000', 'forever'])("'%s' is none", (raw) => {
    expect(ruleOf(values.days, raw)).toBe('days are a whole number, and 0 keeps everything for ever');
  });
});

describe('projects', () => {
  rows([['1', 1], ['1000', 1000], ['100000', 100_000]])('%s is %d', (raw, count) => expect(values.projects(raw)).toBe(count));

  rows(['', '0', '-1', '1.5', '1e3', '1k', '100001', 'none', 'unlimited'])("'%s' is none", (raw) => expect(ruleOf(values.projects, raw)).toBe('it is a whole number from 1 to 100000'));
});

describe('memory', () => {
  const memory = values.memory(768);

  rows([['768MiB', 768], ['2GiB', 2048], ['1.5GiB', 1536], ['0.75GiB', 768], ['1024.0MiB', 1024]])('%s is %d MiB', (raw, mebibytes) => {
    expect(memory(raw)).toBe(mebibytes);
  });

  rows([
    ...['', '2', '2048', '2 GiB', '2G', '2GB', '2gib', '2048MB', '2048m', '-2GiB', '.5GiB', '1e3MiB', 'lots'].map((raw) => [
      raw,
      'memory is a number with the unit MiB or GiB, such as 512MiB or 2GiB',
    ]),
    ['1000.5MiB', 'memory comes in whole MiB'],
    ['1.3GiB', 'memory comes in whole MiB'],
    ['767MiB', 'the service does not start with less than 768MiB'],
    ['0.5GiB', 'the service does not start with less than 768MiB'],
    ['0MiB', 'the service does not start with less than 768MiB'],
  ])("'%s': %s", (raw, rule) => {
    expect(ruleOf(memory, raw)).toBe(rule);
  });

  test('every whole number of MiB comes back as itself, and of GiB as 1024 times', () => {
    fc.assert(fc.property(fc.integer({ min: 768, max: 2 ** 30 }), (amount) => memory(`${amount}MiB`) === amount));
    fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 20 }), (amount) => memory(`${amount}GiB`) === amount * 1024));
  });

  test('every MiB can be written as a part of a GiB', () => {
    fc.assert(fc.property(fc.integer({ min: 768, max: 2 ** 20 }), (amount) => memory(`${(amount / 1024).toFixed(10)}GiB`) === amount));
  });
});

describe('cpus', () => {
  /**
   * What the docker provider shows for a number of hundredths of a CPU, by its own rule: the number with
   * nine decimals; with exactly nine zeros in that text one decimal, else without the zeros at the end.
   */
  function readBack(hundredths: number): string {
    const whole = Math.floor(hundredths / 100);
    const text = `${whole}.${String(hundredths % 100).padStart(2, '0')}0000000`;
    if (text.split('0').length - 1 !== 9) {
      return text.replace(/0+$/, '');
    }
    const tenths = Math.floor((hundredths + 5) / 10);
    return `${Math.floor(tenths / 10)}.${tenths % 10}`;
  }

  test('the oracle itself, on numbers that were tried with the provider', () => {
    expect([100, 50, 25, 1000, 1050, 2005, 1004, 9900].map(readBack)).toEqual(['1.0', '0.5', '0.25', '10.', '10.5', '20.1', '10.0', '99.0']);
  });

  const rounded = 'the docker provider rounds that number to one decimal and would show a change for ever; write it with one decimal';

  test('from 0.10 to 99.00 every number is the text that the provider reads back, or is refused because there is none', () => {
    const refused: string[] = [];
    for (let hundredths = 10; hundredths <= 9900; hundredths += 1) {
      const raw = (hundredths / 100).toFixed(2);
      // A text that stands for the number and that the provider shows for it.
      const stable = Math.round(Number(readBack(hundredths)) * 100) === hundredths;
      if (stable) {
        expect(values.cpus(raw)).toBe(readBack(hundredths));
      } else {
        expect(ruleOf(values.cpus, raw)).toBe(rounded);
        refused.push(raw);
      }
    }
    const tens = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(refused).toEqual(tens.flatMap((ten) => tens.map((hundredth) => `${ten}0.0${hundredth}`)));
  });

  rows([['1', '1.0'], ['1.0', '1.0'], ['1.00', '1.0'], ['0.5', '0.5'], ['0.50', '0.5'], ['02', '2.0'], ['10', '10.'], ['90.0', '90.'], ['99', '99.0']])(
    '%s is %s',
    (raw, text) => expect(values.cpus(raw)).toBe(text),
  );

  test('every spelling of a number gives the same text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 0, max: 9 }), (whole, tenths) => {
        const texts = [`${whole}.${tenths}`, `${whole}.${tenths}0`, `0${whole}.${tenths}`, ...(tenths === 0 ? [String(whole)] : [])];
        fc.pre(whole < 99 || tenths === 0);
        expect(new Set(texts.map(values.cpus)).size).toBe(1);
      }),
    );
  });

  rows(['', '0', '0.09', '0.0', '99.01', '100', '-1', '1.234', '1.', '.5', '1e1', '1,5', 'two', '1 '])("'%s' is none", (raw) => {
    expect(ruleOf(values.cpus, raw)).toBe('CPUs are a number from 0.1 to 99 with at most two decimals, such as 0.5 or 2');
  });
});

describe('httpUrl', () => {
  rows([
    ['http://host.docker.internal:9090', 'http://host.docker.internal:9090/'],
    ['https://metrics.example.com/api/v1/write', 'https://metrics.example.com/api/v1/write'],
    ['HTTP://Example.com', 'http://example.com/'],
    ['http://192.0.2.7:3100/otlp/', 'http://192.0.2.7:3100/otlp/'],
    ['http://[2001:db8::1]:3100', 'http://[2001:db8::1]:3100/'],
  ])('%s', (raw, href) => expect(values.httpUrl(raw).href).toBe(href));

  const itself = "inside Alloy's container that is the container itself; the Docker host is host.docker.internal";
  rows([
    ['', 'it is no URL; write http://host:port or https://host'],
    ['prometheus', 'it is no URL; write http://host:port or https://host'],
    ['http://', 'it is no URL; write http://host:port or https://host'],
    ['http://host:99999', 'it is no URL; write http://host:port or https://host'],
    ['prometheus:9090', 'the URL must begin with http:// or https://'],
    ['grpc://loki:9096', 'the URL must begin with http:// or https://'],
    ['http://me:pass@host', 'a URL that holds a password would show it in previews and state'],
    ['http://token@host', 'a URL that holds a password would show it in previews and state'],
    ['http://localhost:9090', itself],
    ['http://127.0.0.1:9090', itself],
    ['http://127.0.0.9:9090', itself],
    ['http://[::1]:9090', itself],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(values.httpUrl, raw)).toBe(rule));
});

describe('addresses', () => {
  const lists: [string, string[]][] = [
    ['127.0.0.1', ['127.0.0.1']],
    ['127.0.0.1,192.0.2.7', ['127.0.0.1', '192.0.2.7']],
    [' 127.0.0.1 , ::1 ', ['127.0.0.1', '::1']],
    ['0.0.0.0', ['0.0.0.0']],
    ['0.0.0.0,::', ['0.0.0.0', '::']],
    ['::,192.0.2.7', ['::', '192.0.2.7']],
  ];
  rows(lists)("'%s', with auto or without", (raw, list) => {
    expect(values.addresses(raw)).toEqual(list);
    expect(values.addressesOrAuto(raw)).toEqual(list);
  });

  test('auto is one only where it may be', () => {
    expect(values.addressesOrAuto('auto')).toBe('auto');
    expect(ruleOf(values.addresses, 'auto')).toBe('not every part is an IP address; write addresses of the Docker host separated by commas');
  });

  rows(['host.docker.internal', '127.0.0.1,host.docker.internal'])("'%s'", (raw) => {
    const rule = 'host.docker.internal is a name that containers send to, not an address of this host to listen on';
    expect(ruleOf(values.addresses, raw)).toBe(rule);
    expect(ruleOf(values.addressesOrAuto, raw)).toBe(`${rule}; auto already serves those containers`);
  });

  rows(['', 'localhost', 'Auto', 'auto,127.0.0.1', '127.0.0.1,', '127.0.0.1 192.0.2.7', '127.0.0.1:4317', '256.0.0.1'])("'%s' is none", (raw) => {
    expect(ruleOf(values.addresses, raw)).toBe('not every part is an IP address; write addresses of the Docker host separated by commas');
    expect(ruleOf(values.addressesOrAuto, raw)).toBe('not every part is an IP address; write auto, or addresses of the Docker host separated by commas');
  });

  rows([
    ['127.0.0.1,127.0.0.1', 'an address is named twice'],
    ['0.0.0.0,127.0.0.1', '0.0.0.0 already stands for every IPv4 address, and Docker refuses to publish a port on one of them twice'],
    ['::1,::', ':: already stands for every IPv6 address, and Docker refuses to publish a port on one of them twice'],
  ])("'%s': %s", (raw, rule) => {
    expect(ruleOf(values.addresses, raw)).toBe(rule);
    expect(ruleOf(values.addressesOrAuto, raw)).toBe(rule);
  });
});

describe('boolean', () => {
  test('true and false', () => expect([values.boolean('true'), values.boolean('false')]).toEqual([true, false]));

  rows(['', 'True', 'TRUE', 'yes', 'on', '1', '0', ' true', 'true '])("'%s' is none", (raw) => {
    expect(ruleOf(values.boolean, raw)).toBe('it is either true or false, in small letters');
  });
});

describe('remotePort', () => {
  test('is a port, but not one of the host', () => {
    expect(values.remotePort('587')).toBe(587);
    expect(ruleOf(values.remotePort, '0')).toBe('a port is a whole number from 1 to 65535');
    expect(values.remotePort).not.toBe(values.port);
  });
});

describe('oneOf', () => {
  const fruit = values.oneOf('apple', 'pear');
  test('a word of them', () => expect(fruit('pear')).toBe('pear'));
  rows(['', 'Apple', 'apple,pear', 'plum'])("'%s' is none", (raw) => expect(ruleOf(fruit, raw)).toBe('it is one of apple, pear'));
});

describe('text', () => {
  rows([['a', 'a'], [' a b \n', 'a b'], ['Müller & Söhne', 'Müller & Söhne']])("'%s'", (raw, text) => expect(values.text(raw)).toBe(text));
  rows(['', ' ', '\n', 'a\nb', 'a\tb', 'a\0', '\u0085x\u0085y'])("'%s' is none", (raw) => {
    expect(ruleOf(values.text, raw)).toBe('it is one line of text, and not empty');
  });
});

describe('image', () => {
  const image = values.image('phoenix');

  rows([
    images.phoenix,
    'arizephoenix/phoenix:version-18.1.0',
    'arizephoenix/phoenix:18.1.0-nonroot',
    'arizephoenix/phoenix:version-20.26.1-debug',
    `arizephoenix/phoenix:version-20.26.1${digest}`,
    `arizephoenix/phoenix${digest}`,
    'registry.example:5000/mirror/phoenix:v18.1.1',
    'localhost:5000/phoenix:20.26.1-mine',
    'localhost/phoenix:20.26.1',
    '[2001:db8::7]:5000/phoenix:20.26.1',
    'registry.example/a/b/c__d/phoenix:20.26.1',
    'lab/phoenix:20.26.1',
    'phoenix-before:20.26.0',
  ])('%s is taken as it is', (raw) => expect(image(raw)).toBe(raw));

  const noReference = 'it is no image reference; write repository:tag or repository:tag@sha256:digest';
  const untagged = 'an image without a tag is latest, which changes without notice; name a version';
  const moving = 'its tag names no full version, such as 1.2.3, so the image changes without notice; name one, or add the digest';
  const tooOld = 'that version is older than 18.1.0, the oldest that is supported';
  rows([
    ['', noReference],
    ['Phoenix:18.1.0', noReference],
    ['phoenix:', noReference],
    ['phoenix 18.1.0', noReference],
    ['phoenix:18.1.0 ', noReference],
    ['phoenix:18.1.0@sha256:abc', noReference],
    ['https://hub.docker.com/r/arizephoenix/phoenix:18.1.0', noReference],
    ['registry.example:port/phoenix:18.1.0', noReference],
    ['registry.example:5000/:18.1.0', noReference],
    ['a//b:18.1.0', noReference],
    ['-a/b:18.1.0', noReference],
    [`phoenix:${'1'.repeat(129)}`, noReference],
    ['arizephoenix/phoenix', untagged],
    ['registry.example:5000/mirror/phoenix', untagged],
    ...['latest', 'latest-nonroot', 'nightly', 'stable', 'mainline', 'edge', 'main', 'master', 'dev', 'beta', 'version-20', 'version-20.26', '20.26-nonroot', '20', 'v20', 'built-here', 'nightly-20.26.1', '20.26.1x', 'x20.26.1']
      .map((tag): [string, string] => [`arizephoenix/phoenix:${tag}`, moving]),
    ['registry.example:5000/phoenix:20.26', moving],
    ['arizephoenix/phoenix:version-18.0.9', tooOld],
    ['arizephoenix/phoenix:17.10.0-nonroot', tooOld],
    [`arizephoenix/phoenix:v9.2.0${digest}`, tooOld],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(image, raw)).toBe(rule));

  rows(['latest', 'nightly', '20.26', 'built-here'])('with a digest the tag %s does not count', (tag) => {
    expect(image(`arizephoenix/phoenix:${tag}${digest}`)).toBe(`arizephoenix/phoenix:${tag}${digest}`);
  });

  test('each service has an oldest version of its own', () => {
    expect(ruleOf(values.image('alloy'), 'grafana/alloy:v1.10.9')).toBe('that version is older than 1.11.0, the oldest that is supported');
    expect(values.image('alloy')('grafana/alloy:v1.11.0')).toBe('grafana/alloy:v1.11.0');
  });

  describe('variants', () => {
    const noBash = 'that variant has no bash, which the health check needs; take the one on Debian, whose tag is the version alone';

    // The tags that the images have on Docker Hub.
    rows(['1.30.6', '1.30.6-trixie', '1.30.6-perl', '1.30.6-trixie-perl', '1.30.6-otel'])('nginx:%s is on Debian', (tag) => expect(values.image('gate')(`nginx:${tag}`)).toBe(`nginx:${tag}`));
    rows(['1.30.6-alpine', '1.30.6-alpine3.24', '1.30.6-alpine-slim', '1.30.6-alpine3.24-perl', '1.30.6-alpine-otel', `stable-alpine${digest}`, `1.30.6-alpine${digest}`])('nginx:%s is not', (tag) =>
      expect(ruleOf(values.image('gate'), `nginx:${tag}`)).toBe(noBash));

    rows(['v1.18.1', 'v1.18.1-boringcrypto', 'v1.19.0-rc.3'])('grafana/alloy:%s is on Linux', (tag) => expect(values.image('alloy')(`grafana/alloy:${tag}`)).toBe(`grafana/alloy:${tag}`));
    rows(['v1.18.1-windowsservercore-ltsc2022', 'v1.18.1-nanoserver-1809'])('grafana/alloy:%s is not', (tag) => expect(ruleOf(values.image('alloy'), `grafana/alloy:${tag}`)).toMatch(/^that variant is not the one on Linux/));

    rows(['2026.8.2', '2026.8.2-amd64'])('cloudflare/cloudflared:%s', (tag) => expect(values.image('tunnel')(`cloudflare/cloudflared:${tag}`)).toBe(`cloudflare/cloudflared:${tag}`));
    test('latest-amd64 is as much latest as latest', () => expect(ruleOf(values.image('tunnel'), 'cloudflare/cloudflared:latest-amd64')).toBe(moving));
    test('what an image is called is no variant', () => expect(values.image('gate')('alpine/nginx:1.30.6')).toBe('alpine/nginx:1.30.6'));
  });
});

describe('versions', () => {
  rows([
    ['arizephoenix/phoenix:version-20.26.1-nonroot', '20.26.1'],
    ['grafana/alloy:v1.18.1', '1.18.1'],
    [`grafana/alloy:v1.18.1${digest}`, '1.18.1'],
    ['registry.example:5000/alloy:1.2.3', '1.2.3'],
    ['registry.example:5000/alloy', undefined],
    [`grafana/alloy${digest}`, undefined],
    ['phoenix:nightly-1.2.3', undefined],
    ['phoenix:20', undefined],
    ['no reference at all:1.2.3', undefined],
  ])('versionOf %s is %s', (reference, version) => expect(values.versionOf(reference)).toBe(version));

  test('they compare as numbers, part by part', () => {
    const part = fc.nat({ max: 300 });
    fc.assert(
      fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (a, b) => {
        const difference = a.map((value, i) => value - (b[i] ?? 0)).find((value) => value !== 0) ?? 0;
        expect(Math.sign(values.compareVersions(a.join('.'), b.join('.')))).toBe(Math.sign(difference));
      }),
    );
    expect(Math.sign(values.compareVersions('1.9', '1.41'))).toBe(-1);
  });
});

test('no rule quotes the value, which may be a secret', () => {
  const parsers = [
    values.port, values.days, values.memory(768), values.cpus, values.httpUrl, values.addresses, values.addressesOrAuto,
    values.image('phoenix'), values.boolean, values.text, values.remotePort, values.oneOf('apple'), values.offset,
  ];
  const shapes = ['MARK', '127.0.0.1,MARK', 'http://MARK@host', 'MARK://host', 'MARK:latest', 'mark:1.0.0'];
  for (const parse of parsers) {
    for (const shape of shapes) {
      try {
        parse(shape);
      } catch (error) {
        expect((error as Error).message).not.toMatch(/mark|1\.0\.0/i);
      }
    }
  }
});

describe('host names', () => {
  rows<[string, string[]]>([
    ['phoenix.lan', ['phoenix.lan']],
    ['phoenix.lan, build-7,192.0.2.1,2001:db8::1', ['phoenix.lan', 'build-7', '192.0.2.1', '2001:db8::1']],
    ['xn--bcher-kva.example', ['xn--bcher-kva.example']],
    ['7.example', ['7.example']],
  ])("'%s'", (raw, list) => expect(values.hostNames(raw)).toEqual(list));

  const rule = 'not every part is a host name such as phoenix.lan: small letters, digits, dashes and dots, without http:// and without a port; commas separate names';
  const pattern = 'a pattern lets a website in that gives itself a name that fits; write every name';

  rows<[string, string, string | undefined]>([
    ['http://phoenix.lan', rule, 'phoenix.lan'],
    ['https://Phoenix.lan:6006/traces', rule, 'phoenix.lan'],
    ['phoenix.lan:6006', rule, 'phoenix.lan'],
    ['[2001:db8::1]:6006', rule, '2001:db8::1'],
    ['Phoenix.lan', rule, 'phoenix.lan'],
    ['a.lan, http://b.lan', rule, 'a.lan,b.lan'],
    ['phoenix_lan', rule, undefined],
    ['-a.lan', rule, undefined],
    ['a..lan', rule, undefined],
    ['a.lan,', rule, undefined],
    ['300.1.1.1', rule, undefined],
    ['a.lan"; return 200', rule, undefined],
    [`${'a'.repeat(64)}.lan`, rule, undefined],
    ['*', pattern, undefined],
    ['*.lan', pattern, undefined],
    ['a.lan,a.lan', 'a name is there twice', undefined],
  ])("'%s': %s", (raw, said, meant) => {
    const broken = brokenRule(() => values.hostNames(raw));
    expect(broken.message).toBe(said);
    if (meant !== undefined) {
      expect(broken.meant).toBe(meant);
      expect(() => values.hostNames(meant)).not.toThrow();
    }
  });

  function brokenRule(parse: () => unknown): values.BrokenRule {
    try {
      parse();
    } catch (error) {
      return error as values.BrokenRule;
    }
    throw new Error('it was accepted');
  }
});
