import { askRegistry } from '../../ops/support/registry';
import { fakeEngine } from '../support/fake-engine';

const reference = 'grafana/alloy:v1.18.1';
const path = `/distribution/${reference}/json`;

test('a registry that knows the image gives its digest', async () => {
  const { host } = await fakeEngine({ [path]: { Descriptor: { digest: 'sha256:1d' } } });
  expect(await askRegistry(host, reference)).toEqual({ answers: true, digest: 'sha256:1d' });
});

test.each([
  [401, 'unauthorized', true],
  [404, 'no such manifest', true],
  [500, 'dial tcp: no such host', false],
])('status %i (%s)', async (status, message, answers) => {
  const { host } = await fakeEngine({ [path]: { status, body: JSON.stringify({ message }) } });
  expect(await askRegistry(host, reference)).toEqual({ answers, reason: message });
});

test('an engine that never answers is no answer', async () => {
  const { host } = await fakeEngine({ [path]: 'silence' });
  expect(await askRegistry(host, reference, 50)).toEqual({ answers: false, reason: 'no answer within 50 ms' });
});
