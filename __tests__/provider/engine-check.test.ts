import { at, type Engine } from '../../engine';
import { engineCheck } from '../../provider/engine-check';
import type { EngineCheckInputs } from '../../components/observability-contract';
import { providing } from '../../provider/providing';
import { secret } from '../../provider/values';
import type { Provider } from '@pulumi/pulumi/provider';

const urn = 'urn:pulumi:prod::llm-observability::observability:index:EngineCheck::engine-check';
const provider = providing({ 'observability:index:EngineCheck': engineCheck() }) as Required<Provider>;
const [here, there] = [at('unix:///var/run/docker.sock'), at('ssh://me@host')];
const on = (engine: Engine, engineId: string): EngineCheckInputs => ({ engine, engineId });

/** Reason of the refusal, and what a preview shows where there is none. */
async function preview(before: EngineCheckInputs | undefined, after: EngineCheckInputs): Promise<'refused' | 'changed' | 'same' | 'new'> {
  const { failures = [] } = await provider.check(urn, before ?? {}, after);
  if (failures.length > 0) {
    return 'refused';
  }
  return before === undefined ? 'new' : (await provider.diff('engine-check', urn, before, after)).changes ? 'changed' : 'same';
}

test.each<[string, EngineCheckInputs | undefined, EngineCheckInputs, string]>([
  ['the first deployment', undefined, on(here, 'A'), 'new'],
  ['the same', on(here, 'A'), on(here, 'A'), 'same'],
  ['installed again: another ID at the same address', on(here, 'A'), on(here, 'B'), 'changed'],
  ['the same one by another way: another address, the same ID', on(here, 'A'), on(there, 'A'), 'changed'],
  ['another one', on(here, 'A'), on(there, 'B'), 'refused'],
  ['not asked, at the same address', on(here, 'A'), on(here, ''), 'same'],
  ['not asked, at another address', on(here, 'A'), on(there, ''), 'refused'],
  ['at another address one whose ID was never known', on(here, ''), on(there, 'B'), 'refused'],
  // An empty ID is nobody's.
  ['two without an ID, at two addresses', on(here, ''), on(there, ''), 'refused'],
  ['its ID is known at last', on(here, ''), on(here, 'A'), 'changed'],
  ['other certificates for the same one', on({ host: 'tcp://h:1', tls: { certPath: '/old' } }, 'A'), on({ host: 'tcp://h:1', tls: { certPath: '/new' } }, 'A'), 'changed'],
])('%s', async (_, before, after, outcome) => {
  expect(await preview(before, after)).toBe(outcome);
});

test('a refusal: what would be left behind, and every way on', async () => {
  const { failures } = await provider.check(urn, on({ host: 'tcp://old:2376', tls: { certPath: '/certs' } }, 'A'), on(here, 'B'));
  expect(failures?.map(({ reason }) => reason)).toEqual([[
    '1 problem with stack prod; nothing was changed.',
    "  - docker:host is 'unix:///var/run/docker.sock': the stack runs on the Docker Engine at tcp://old:2376, which is not this one; its containers and its data would stay there, and this deployment would treat them as deleted.",
    '      pulumi config set docker:host tcp://old:2376 --stack prod   # stay there',
    '      pulumi destroy --exclude-protected --stack prod   # remove it there first, then deploy here',
    '      DOCKER_HOST=tcp://old:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs docker info   # when that one no longer exists:',
    '      pulumi stack rm --force --preserve-config --stack prod',
  ].join('\n')]);
});

test('the key of a certificate is in no message, the address is', async () => {
  const material = (host: string, key: string): object => ({ engine: { host, tls: { ca: 'a', cert: 'c', key: secret(key) } }, engineId: host });
  const { failures } = await provider.check(urn, material('tcp://old:2376', 'old-key'), material('tcp://new:2376', 'new-key'));
  expect(failures).toMatchObject([{ reason: expect.stringContaining("docker:host is 'tcp://new:2376': the stack runs on the Docker Engine at tcp://old:2376") }]);
  expect(JSON.stringify(failures)).not.toMatch(/old-key|new-key/);
});

test('what is recorded is what was found last, and a key stays a secret', async () => {
  const engine = { host: 'tcp://h:1', tls: { ca: 'a', cert: 'c', key: secret('the key') } };
  const inputs = { engine, engineId: 'A' };
  expect(await provider.create(urn, inputs)).toEqual({ id: 'engine-check', outs: inputs });
  expect(await provider.update('engine-check', urn, inputs, { engine, engineId: 'B' })).toEqual({ outs: { engine, engineId: 'B' } });
});
