import { at, type Engine } from '../../engine';
import { recordedEngine } from '../../provider/recorded-engine';
import { setEnvironment } from '../support/environment';

test.each<[string, Engine]>([
  ['an address', at('ssh://host')],
  ['certificates and all', { host: 'tcp://h:1', tls: { certPath: '/certs' } }],
  ['options of ssh', { host: 'ssh://host', sshOpts: ['-i', '/key'] }],
])('as it was recorded: %s', (_, engine) => {
  setEnvironment({ DOCKER_HOST: 'tcp://other:1' });
  expect(recordedEngine(engine)).toBe(engine);
});

test('a state of the first version has the text of the setting', () => {
  setEnvironment({ DOCKER_HOST: 'tcp://other:1' });
  expect(recordedEngine('ssh://me@host')).toEqual({ host: 'ssh://me@host' });
});

test('where there was no such setting and it is not clear which engine is meant: none in its place', () => {
  setEnvironment({ DOCKER_HOST: undefined, DOCKER_CONTEXT: 'missing' });
  expect(() => recordedEngine('')).toThrow(new Error(
    "DOCKER_CONTEXT is 'missing': there is no docker context of that name in /nowhere/docker.\n    docker context ls\n    unset DOCKER_CONTEXT",
  ));
});

test('where there was no such setting: the engine that would be chosen now', () => {
  setEnvironment({ DOCKER_HOST: 'tcp://other:1' });
  expect(recordedEngine('')).toEqual({ host: 'tcp://other:1' });
  setEnvironment({ DOCKER_HOST: 'ssh://other', DOCKER_SSH_OPTS: '-i /key' });
  expect(recordedEngine('')).toEqual({ host: 'ssh://other', sshOpts: ['-i', '/key'] });
});
