import * as docker from '@pulumi/docker';
import { dockerProvider, engineInput } from '../../stack/docker-provider';
import { readSettings } from '../../settings/settings';
import { at, type Engine } from '../../engine';
import { deploy, secret, sent } from '../support/deployment';

const settings = (config: Record<string, string> = {}): ReturnType<typeof readSettings>['settings'] => readSettings(config, 'llm-observability', () => true).settings;
/** Left unsaid, the provider would read each of them from the environment. */
const silent = { context: '', certPath: '', caMaterial: '', certMaterial: '', keyMaterial: '' };
const text: Engine = { host: 'tcp://192.0.2.1:2376', tls: { ca: 'the authority', cert: 'the certificate', key: 'the key' } };

test.each<[string, Engine, Record<string, string>, object]>([
  ['a socket', at('unix:///run/x.sock'), {}, { ...silent, host: 'unix:///run/x.sock' }],
  ['a folder of certificates', { host: 'tcp://192.0.2.1:2376', tls: { certPath: '/certs' } }, {}, { ...silent, host: 'tcp://192.0.2.1:2376', certPath: '/certs' }],
  ['certificates as text, of which the key is a secret', text, {}, { ...silent, host: 'tcp://192.0.2.1:2376', caMaterial: 'the authority', certMaterial: 'the certificate', keyMaterial: secret('the key') }],
  // A provider takes what is no text as JSON.
  ['ssh', { host: 'ssh://me@host', sshOpts: ['-i', '/a key'] }, {}, { ...silent, host: 'ssh://me@host', sshOpts: '["-i","/a key"]' }],
  ['credentials of registries, which are a secret', at('unix:///x'), { 'docker:registryAuth': '[{"address":"ghcr.io","password":"s3cret"}]' }, { ...silent, host: 'unix:///x', registryAuth: secret('[{"address":"ghcr.io","password":"s3cret"}]') }],
  ['a preview that asks nobody', at('ssh://host'), { 'docker:disableDockerDaemonCheck': 'true' }, { ...silent, host: 'ssh://host', disableDockerDaemonCheck: 'true' }],
  // What the choice of the engine has made of these settings is in the engine.
  ['settings that the engine has from elsewhere', at('unix:///x'), { 'docker:host': 'ssh://other', 'docker:context': 'other', 'docker:certPath': '/other' }, { ...silent, host: 'unix:///x' }],
])('%s', async (_, engine, config, inputs) => {
  const { resources } = await deploy(() => void dockerProvider(engine, settings(config)));
  expect([...resources.values()].map(({ type, name, inputs: given }) => [type, name, given])).toEqual([['pulumi:providers:docker', 'engine', inputs]]);
});

test('everything that is empty is an input of the provider', () => {
  // A misspelt one would be said to nobody.
  expect(Object.keys(docker.config)).toEqual(expect.arrayContaining(Object.keys(silent)));
});

test.each<[string, Engine, object]>([
  ['an address', at('ssh://host'), at('ssh://host')],
  ['a folder', { host: 'tcp://h:1', tls: { certPath: '/certs' } }, { host: 'tcp://h:1', tls: { certPath: '/certs' } }],
  // The rest is in messages, and what is part of a secret is hidden in them.
  ['text: the key alone is a secret', text, { host: 'tcp://192.0.2.1:2376', tls: { ca: 'the authority', cert: 'the certificate', key: secret('the key') } }],
])('as an input of a resource: %s', async (_, engine, input) => {
  expect(await sent({ engine: engineInput(engine) })).toEqual({ engine: input });
});
