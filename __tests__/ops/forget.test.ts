import * as fs from 'node:fs';
import * as path from 'node:path';
import { forgetEngine, withoutEngine } from '../../ops/support/forget';
import { Pulumi } from '../../ops/support/pulumi';
import { fakePulumi } from '../support/fake-pulumi';
import { tempDir } from '../support/temp';

const urn = (type: string, name: string): string => `urn:pulumi:dev::llm-observability::llm-observability:index:Phoenix$${type}::${name}`;
const resource = (type: string, name: string, more: object = {}): { urn: string; type: string } => ({ urn: urn(type, name), type, ...more });
const volume = resource('docker:index/volume:Volume', 'phoenix-data', { protect: true, id: 'phoenix-dev-data' });
const key = resource('observability:index:ApiKey', 'phoenix-key-alloy');
const check = resource('observability:index:EngineCheck', 'engine-check', { inputs: { host: 'x' } });
const secret = resource('random:index/randomPassword:RandomPassword', 'phoenix-secret', { protect: true, outputs: { result: { ciphertext: 'v1:x' } } });
const tunnel = resource('cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared', 'tunnel', {
  dependencies: [volume.urn, secret.urn, key.urn],
  propertyDependencies: { name: [volume.urn], tunnelSecret: [secret.urn], nothing: null },
  deletedWith: volume.urn,
});
const providers = ['docker', 'random', 'cloudflare', 'observability'].map((name) => resource(`pulumi:providers:${name}`, name));
const exported = (...resources: object[]): { version: number; deployment: { resources: { urn: string; type: string }[]; pending_operations?: { type: string; resource: { urn: string } }[] } } =>
  ({ version: 3, deployment: { resources: resources as { urn: string; type: string }[] } });

test('what is on the engine or asks it goes; what is elsewhere stays, with the check that remembers which engine it was', () => {
  const others = ['Intake', 'DeliveryCheck', 'PhoenixSettings'].map((name) => resource(`observability:index:${name}`, name));
  const more = ['container:Container', 'network:Network', 'remoteImage:RemoteImage'].map((name) => resource(`docker:index/${name}`, name));
  const { resources } = withoutEngine(exported(...providers, check, secret, volume, key, ...others, ...more, tunnel)).deployment;
  expect(resources.map(({ urn: one }) => one.split('::').at(-1))).toEqual(['random', 'cloudflare', 'observability', 'engine-check', 'phoenix-secret', 'tunnel']);
});

test('nothing that stays depends on what goes, or is protected', () => {
  const { resources } = withoutEngine(exported(secret, volume, key, tunnel)).deployment;
  expect(resources).toEqual([
    { urn: secret.urn, type: secret.type, outputs: { result: { ciphertext: 'v1:x' } } },
    { urn: tunnel.urn, type: tunnel.type, dependencies: [secret.urn], propertyDependencies: { name: [], tunnelSecret: [secret.urn], nothing: [] } },
  ]);
});

test('what was under way on the engine is over; the rest of the state is as it was', () => {
  const state = { ...exported(secret), other: 'kept' };
  const pending = [volume, tunnel].map((one) => ({ type: 'creating', resource: { urn: one.urn } }));
  state.deployment.pending_operations = pending;
  expect(withoutEngine(state)).toMatchObject({ version: 3, other: 'kept', deployment: { pending_operations: [pending[1]] } });
  expect(withoutEngine({ deployment: {} })).toEqual({ deployment: { resources: [] } });
});

test('the CLI is given the state in a file that only this user can read, and that is gone afterwards', async () => {
  const copy = path.join(tempDir(), 'copy');
  // Of `stack import --file FILE`.
  const cli = fakePulumi({ 'stack export': { stdout: JSON.stringify(exported(secret, volume)) }, 'stack import': { first: `cp -p "$4" ${copy}` } });
  await forgetEngine(new Pulumi({ pulumi: cli.file, env: {} }, 'dev'));
  expect((JSON.parse(fs.readFileSync(copy, 'utf8')) as ReturnType<typeof exported>).deployment.resources.map((one) => one.urn)).toEqual([secret.urn]);
  expect(fs.statSync(copy).mode & 0o777).toBe(0o600);
  expect(fs.existsSync(cli.calls()[1]?.[3] ?? '')).toBe(false);
});
