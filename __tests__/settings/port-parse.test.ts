import * as fc from 'fast-check';
import * as ports from '../../settings/port-parse';
import { quoting, ruleOf } from '../support/broken-rule';
import { rows } from '../support/rows';

describe('port', () => {
  const rule = 'a port is a whole number from 1 to 65535';

  rows([['1', 1], ['80', 80], ['080', 80], ['6006', 6006], ['65535', 65535]])('%s is %d', (raw, port) => {
    expect(ports.port(raw)).toBe(port);
  });

  rows(['', ' ', '0', '65536', '99999999999999999999', '-1', '+80', '80.0', '1e3', '0x50', '6006/tcp', ' 6006', 'http', '６００６'])(
    "'%s' is none",
    (raw) => expect(ruleOf(ports.port, raw)).toBe(rule),
  );

  test('every port comes back as itself, every other number is refused', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 65535 }), (port) => ports.port(String(port)) === port));
    fc.assert(fc.property(fc.oneof(fc.integer({ max: 0 }), fc.integer({ min: 65536 })), (other) => ruleOf(ports.port, String(other)) === rule));
  });
});

describe('remotePort', () => {
  test('is a port, but not one of the host', () => {
    expect(ports.remotePort('587')).toBe(587);
    expect(ruleOf(ports.remotePort, '0')).toBe('a port is a whole number from 1 to 65535');
    expect(ports.remotePort).not.toBe(ports.port);
  });
});

describe('offset', () => {
  rows([['0', 0], ['100', 100], ['007', 7], ['40000', 40000]])('%s is %d', (raw, offset) => {
    expect(ports.offset(raw)).toBe(offset);
  });

  rows(['', ' ', '-1', '+100', '1.5', '1e3', '0x10', '40001', '65534', '100000', '000100', 'none', '１００'])("'%s' is none", (raw) => {
    expect(ruleOf(ports.offset, raw)).toBe('it is a whole number from 0, which leaves the ports where they are, to 40000');
  });
});

test('no rule quotes the value, which may be a secret', () => expect(quoting([ports.port, ports.remotePort, ports.offset])).toEqual([]));
