import { edgeAccess, secretsOf, type EdgeAccess } from '../../settings/edge-access';
import { unknownSecret } from '../../settings/setting';
import { readSettings } from '../../settings/settings';

const given: EdgeAccess = {
  remote: { otlp: { alloy: 'https://otlp.example.com', phoenix: null }, requestMiB: 64, auth: true, tokens: { edge: { expiresAt: '2027-11-21T08:00:00Z' } } },
  remoteAccess: { edge: { clientId: 'id.access', clientSecret: 's3cret', apiKey: '' } },
};
const rule = 'it is not the file that `npm run invite` writes for the central stack';

test.each<[string, EdgeAccess]>([
  ['as it was written', given],
  ['with the end of a key', { ...given, remote: { ...given.remote, tokens: { edge: { expiresAt: '2027-11-21T08:00:00Z', keyExpiresAt: '2027-11-21T08:00:00.000Z' } } } }],
  ['with a key that has none', { ...given, remote: { ...given.remote, tokens: { edge: { expiresAt: '2027-11-21T08:00:00Z', keyExpiresAt: '' } } } }],
  ['of a stack that says no largest request', { ...given, remote: { otlp: given.remote.otlp, auth: false, tokens: given.remote.tokens } }],
])('the file %s', (_, access) => expect(edgeAccess(`${JSON.stringify(access, null, 2)}\n`)).toEqual(access));

test.each<[string, string]>([
  ['no JSON', 'edge'],
  ['empty', '{}'],
  ['null', 'null'],
  ['a list', '[]'],
  ['a whole set of outputs with another form', JSON.stringify({ ...given, remote: null })],
  ['an address without TLS', JSON.stringify({ ...given, remote: { ...given.remote, otlp: { alloy: 'http://otlp.example.com', phoenix: null } } })],
  ['an address that ends in a directive of nginx', JSON.stringify({ ...given, remote: { ...given.remote, otlp: { alloy: 'https://a.example.com; }', phoenix: null } } })],
  ['a header with a second line', JSON.stringify({ ...given, remoteAccess: { edge: { clientId: 'id', clientSecret: 'a\r\nhost: b', apiKey: '' } } })],
  ['a token without a secret', JSON.stringify({ ...given, remoteAccess: {} })],
  ['a secret that is none', JSON.stringify({ ...given, remoteAccess: { edge: { clientId: 'id', apiKey: '' } } })],
  ['an end that is no time', JSON.stringify({ ...given, remote: { ...given.remote, tokens: { edge: { expiresAt: 'soon' } } } })],
  ['an end of a key that is no time', JSON.stringify({ ...given, remote: { ...given.remote, tokens: { edge: { expiresAt: '2027-11-21T08:00:00Z', keyExpiresAt: 'soon' } } } })],
  ['a size that is none', JSON.stringify({ ...given, remote: { ...given.remote, requestMiB: 0 } })],
])('refused: %s', (_, raw) => expect(() => edgeAccess(raw)).toThrow(rule));

test('a preview that may not read it goes on without', () => expect(edgeAccess(unknownSecret)).toBeUndefined());

test('what is secret in it, and no name', () => expect(secretsOf(given)).toEqual(['id.access', 's3cret']));

test('it needs a stack at the edge, and is a secret there', () => {
  const config = { 'edge:access': JSON.stringify(given) };
  expect(readSettings(config, 'llm-observability', () => true).problems).toEqual([
    { key: 'edge:access', rule: 'it is for a stack at the edge, and edge:central, the name of its central stack, is not set', mend: ['pulumi config set edge:central prod', 'pulumi config rm edge:access'] },
  ]);
  expect(readSettings({ ...config, 'edge:central': 'prod' }, 'llm-observability').problems).toEqual([
    { key: 'edge:access', rule: 'it is a secret, and the stack file has it in plain text', mend: ['pulumi config set --secret edge:access < edge.access.json'] },
  ]);
});
