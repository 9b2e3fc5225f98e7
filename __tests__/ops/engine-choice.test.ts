import { choiceOf, engineIn } from '../../ops/support/engine-choice';
import type { StackState } from '../../ops/support/stack-state';
import { setEnvironment } from '../support/environment';

describe('the engine to which a stack with these settings is deployed', () => {
  test('settings of other things are none of its', () => {
    expect(choiceOf({ 'docker:host': 'ssh://me@host', 'docker:sshOpts': '["-i","/key"]', 'phoenix:uiPort': 'x', 'edge:central': '' }, 'dev')).toEqual({
      engine: { host: 'ssh://me@host', sshOpts: ['-i', '/key'] }, source: 'docker:host', problems: [],
    });
  });

  test('without settings the one of the environment', () => {
    setEnvironment({ DOCKER_HOST: 'tcp://192.0.2.1:2375' });
    expect(choiceOf({}, 'dev')).toMatchObject({ engine: { host: 'tcp://192.0.2.1:2375' }, source: 'DOCKER_HOST', problems: [] });
  });

  test('a secret counts as one here, however it is stored', () => {
    expect(choiceOf({ 'docker:registryAuth': '[{"address":"ghcr.io"}]' }, 'dev').problems).toEqual([]);
  });

  test('commands are for the stack, and need no CLI on PATH', () => {
    expect(choiceOf({ 'docker:context': 'missing', 'docker:sshOpts': '-i' }, 'prod').problems.map(({ key, mend }) => [key, mend])).toEqual([
      ['docker:sshOpts', [`npm run pulumi -- config set docker:sshOpts '["-i","/home/me/.ssh/id_ed25519"]' --stack prod   # an example`]],
      ['docker:context', ['docker context ls', 'npm run pulumi -- config rm docker:context --stack prod']],
    ]);
  });
});

describe('the engine on which a stack is', () => {
  const state = (...resources: object[]): StackState => ({ resources, pending: [] }) as never;
  const check = (outputs: object): object => ({ type: 'observability:index:EngineCheck', outputs });

  test.each<[string, StackState | undefined, object | undefined]>([
    ['is in its state', state({ type: 'docker:index/network:Network' }, check({ engine: { host: 'ssh://host' }, engineId: 'A' })), { host: 'ssh://host' }],
    ['with the folder of its certificates', state(check({ engine: { host: 'tcp://h:1', tls: { certPath: '/certs' } } })), { host: 'tcp://h:1', tls: { certPath: '/certs' } }],
    ['is not known of a key that is encrypted', state(check({ engine: { host: 'tcp://h:1', tls: { ca: 'a', cert: 'c', key: { ciphertext: 'x' } } } })), undefined],
    ['is not known of one that is encrypted', state(check({ engine: { ciphertext: 'x' } })), undefined],
    ['is not known of a first version', state({ type: 'observability:index:Intake', outputs: { engine: '' } }), undefined],
    ['is not known where there is none', undefined, undefined],
  ])('%s', (_, found, engine) => {
    expect(engineIn(found)).toEqual(engine);
  });
});
