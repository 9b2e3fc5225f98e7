import * as fc from 'fast-check';
import { mayBeSecret, sense } from '../../settings/meant-key';
import { keys } from '../../settings/keys';
import { rows } from '../support/rows';

describe('what a name says of the value', () => {
  // Far enough from `auth` that only the word itself says it.
  rows(['No', 'Not', 'Never', 'Off', 'Without', 'Deny', 'Disable', 'Disabled', 'Disallow', 'Forbid', 'Skip', 'Stop'])('the word %s turns it round', (word) => {
    expect(sense(`phoenix:authentication${word}`, 'phoenix:auth')).toBe('opposite');
    expect(sense(`phoenix:${word.toLowerCase()}Auth`, 'phoenix:auth')).toBe('opposite');
    expect(sense(`phoenix:auth_${word.toUpperCase()}`, 'phoenix:auth')).toBe('opposite');
    expect(sense(`phoenix:${word.toLowerCase()}auth`, 'phoenix:auth')).toBe('opposite');
  });

  rows(['un', 'de', 'dis'])('so does %s before a word', (prefix) => {
    expect(sense(`data:${prefix}protect`, 'data:protect')).toBe('opposite');
    expect(sense(`phoenix:oidc${prefix}allowsignup`, 'phoenix:oidcAllowSignUp')).toBe('opposite');
    expect(sense(`data:${prefix}protct`, 'data:protect')).toBe('opposite');
  });

  rows([
    ['enableDockerDaemonCheck', 'opposite'],
    ['enabledockerdaemoncheck', 'opposite'],
    ['dockerDaemonCheck', 'opposite'],
    ['noDisableDockerDaemonCheck', 'opposite'],
    ['disabelDockerDaemonCheck', 'same'],
    ['disablDockerDeamonCheck', 'same'],
    ['disableDockerCheck', 'same'],
    ['skipDockerDaemonCheck', 'same'],
    ['disabledocker', 'same'],
  ])('of a key that says no itself: %s', (name, expected) => {
    expect(sense(`docker:${name}`, 'docker:disableDockerDaemonCheck')).toBe(expected);
  });

  rows(['authOn', 'useAuth', 'withAuth', 'enableAuth', 'authEnabled', 'authRequired', 'authentication', 'authmode'])('%s says the same', (name) => {
    expect(sense(`phoenix:${name}`, 'phoenix:auth')).toBe('same');
  });

  rows(['authOptional', 'authNode', 'authMode', 'authAnonymous'])('of %s only its writer knows', (name) => {
    expect(sense(`phoenix:${name}`, 'phoenix:auth')).toBe('unclear');
  });

  const slipped = fc.constantFrom(...Object.keys(keys)).chain((key) => {
    const start = key.indexOf(':') + 1;
    return fc.tuple(fc.integer({ min: start, max: key.length - 1 }), fc.constantFrom(0, 1), fc.constantFrom('', ...'abcdefghijklmnopqrstuvwxyz')).map(([at, cut, letter]) =>
      [`${key.slice(0, at)}${letter}${key.slice(at + cut)}`, key] as const);
  });

  test('one slip is no word, in whatever key', () => {
    fc.assert(fc.property(slipped, ([typed, key]) => expect(sense(typed, key)).toBe('same')), { numRuns: 2000 });
  });
});

rows<[string, string, string, boolean]>([
  ['phoenix:apikeys', 'phoenix:apiKeys', 'evaluations', false],
  ['phoenix:apiKey', 'phoenix:apiKeys', 'evaluations', false],
  ['phoenix:apiKey', 'phoenix:apiKeys', 'a1', true],
  ['phoenix:apikeys', 'phoenix:apiKeys', 'evaluations2', false],
  ['phoenix:apikeys', 'phoenix:apiKeys', 'a1b2c3d4e5f6a7b8c9d0', true],
  ['tunnel:serviceToken', 'tunnel:serviceTokens', 'edge2', false],
  ['tunnel:tokenduration', 'tunnel:tokenDuration', '48h', false],
  ['cloudflare:accoutId', 'cloudflare:accountId', '0123456789abcdef0123456789abcdef', false],
  ...['key', 'secret', 'password', 'token', 'credential', 'bearer', 'jwt'].map((word) => [`loki:url_${word}`, 'loki:url', 'x', true] as [string, string, string, boolean]),
])('%s for %s: %s may be a secret: %s', (typed, known, value, expected) => {
  expect(mayBeSecret(typed, known, value)).toBe(expected);
});
