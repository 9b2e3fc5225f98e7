/** The choice beside that of the docker command line itself, of each one that is on PATH here. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { chooseEngine, commandEnvironment, type Engine } from '../../engine';
import { sshArguments } from '../../engine/ssh';
import { engineAuthority } from '../support/engine-authority';
import { contextId, home, writeContext } from '../support/surroundings';
import { tempDir } from '../support/temp';

const onPath = (process.env['PATH'] ?? '').split(path.delimiter).map((dir) => path.join(dir, 'docker')).filter((file) => fs.existsSync(file));
const commands = [...new Set(onPath.map((file) => fs.realpathSync(file)))];
/** Nothing else of this machine's environment may lead anywhere. */
const bare = { PATH: process.env['PATH'] ?? '', HOME: '/nowhere' };

function run(docker: string, args: readonly string[], env: NodeJS.ProcessEnv): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(docker, args, { env: { ...bare, ...env }, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

interface Inspected {
  readonly Name: string;
  readonly Endpoints: { readonly docker: { readonly Host: string; readonly SkipTLSVerify: boolean } };
  readonly TLSMaterial: { readonly docker?: readonly string[] };
}

/** What docker would speak to; undefined where it refuses. */
function asDocker(docker: string, env: NodeJS.ProcessEnv, ...options: readonly string[]): { host: string; tls: boolean } | undefined {
  const { code, stdout } = run(docker, [...options, 'context', 'inspect'], env);
  const [context] = code === 0 ? (JSON.parse(stdout) as Inspected[]) : [];
  return context && { host: context.Endpoints.docker.Host, tls: (context.TLSMaterial.docker?.length ?? 0) > 0 };
}

const shape = ({ host, tls }: Engine): { host: string; tls: boolean } => ({ host, tls: tls !== undefined });

const describeEach = commands.length > 0 ? describe.each(commands) : describe.skip.each(['no docker on PATH']);
describeEach('%s', (docker) => {
  const config = tempDir();
  const env = { DOCKER_CONFIG: config };
  const client = engineAuthority().client();
  const created: Readonly<Record<string, string>> = {
    unix: 'host=unix:///run/x.sock',
    tcp: 'host=tcp://192.0.2.1:2375',
    tls: `host=tcp://192.0.2.1:2376,ca=${client}/ca.pem,cert=${client}/cert.pem,key=${client}/key.pem`,
    authority: `host=tcp://192.0.2.1:2376,ca=${client}/ca.pem`,
    unchecked: 'host=tcp://192.0.2.1:2376,skip-tls-verify=true',
    remote: 'host=ssh://me@host.example:2222',
    'odd.na+me_1': 'host=unix:///run/y.sock',
  };
  beforeAll(() => {
    for (const [name, endpoint] of Object.entries(created)) {
      expect(run(docker, ['context', 'create', name, '--docker', endpoint], env)).toMatchObject({ code: 0, stdout: `${name}\n` });
    }
  });
  afterEach(() => fs.rmSync(path.join(config, 'config.json'), { force: true }));

  test('writes contexts as the other tests write them', () => {
    const ours = tempDir();
    writeContext(ours, 'tls', 'tcp://192.0.2.1:2376', { certificates: client });
    writeContext(ours, 'unchecked', 'tcp://192.0.2.1:2376', { skipsVerify: true });
    for (const file of [...['tls', 'unchecked'].map((name) => ['meta', contextId(name), 'meta.json']), ...['ca', 'cert', 'key'].map((name) => ['tls', contextId('tls'), 'docker', `${name}.pem`])]) {
      expect(fs.readFileSync(path.join(ours, 'contexts', ...file), 'utf8')).toBe(fs.readFileSync(path.join(config, 'contexts', ...file), 'utf8'));
    }
  });

  test.each(['unix', 'tcp', 'tls', 'remote', 'odd.na+me_1'])('context %s, however it is chosen', (name) => {
    const given = { ...home(), env };
    const expected = asDocker(docker, { ...env, DOCKER_CONTEXT: name });
    expect(expected).toBeDefined();
    expect(asDocker(docker, env, '--context', name)).toEqual(expected);
    const byVariable = chooseEngine({}, { ...given, env: { ...env, DOCKER_CONTEXT: name } });
    const bySetting = chooseEngine({ 'docker:context': name }, given);
    expect(run(docker, ['context', 'use', name], env).code).toBe(0);
    expect(asDocker(docker, env)).toEqual(expected);
    for (const { engine, problems } of [byVariable, bySetting, chooseEngine({}, given)]) {
      expect([problems, shape(engine)]).toEqual([[], expected]);
    }
  });

  test.each([['authority', /^.*\/cert\.pem is not there; /], ['unchecked', /^it does not check the engine's certificate/]])('context %s: docker takes it, the docker provider does not', (name, rule) => {
    expect(asDocker(docker, { ...env, DOCKER_CONTEXT: name })).toBeDefined();
    expect(chooseEngine({ 'docker:context': name }, { ...home(), env }).problems).toMatchObject([{ key: 'docker:context', value: name, rule: expect.stringMatching(rule) }]);
  });

  test.each<[string, NodeJS.ProcessEnv]>([
    ['no variables', {}],
    ['an address', { DOCKER_HOST: 'tcp://127.0.0.9:1' }],
    ['an address without a port', { DOCKER_HOST: 'tcp://127.0.0.9' }],
    ['an address and a context', { DOCKER_HOST: 'tcp://127.0.0.9:1', DOCKER_CONTEXT: 'unix' }],
    ['an address and a context that is not there', { DOCKER_HOST: 'tcp://127.0.0.9:1', DOCKER_CONTEXT: 'missing' }],
    ['an address and the context default', { DOCKER_HOST: 'tcp://127.0.0.9:1', DOCKER_CONTEXT: 'default' }],
    ['the context default', { DOCKER_CONTEXT: 'default' }],
    ['certificates', { DOCKER_HOST: 'tcp://127.0.0.9:2', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: client }],
    ['certificates, and a word that looks like a no', { DOCKER_HOST: 'tcp://127.0.0.9:2', DOCKER_TLS_VERIFY: '0', DOCKER_CERT_PATH: client }],
    ['a context, beside certificates of the environment', { DOCKER_CONTEXT: 'tcp', DOCKER_TLS_VERIFY: '1' }],
  ])('the same engine with and without a current context: %s', (_, variables) => {
    for (const current of ['', 'remote']) {
      fs.writeFileSync(path.join(config, 'config.json'), JSON.stringify({ currentContext: current }));
      const { engine, problems } = chooseEngine({}, { ...home(), usualSocket: '/var/run/docker.sock', env: { ...env, ...variables } });
      expect([problems, shape(engine)]).toEqual([[], asDocker(docker, { ...env, ...variables })]);
    }
  });

  test.each<[string, NodeJS.ProcessEnv, string]>([
    ['a context that is not there', { DOCKER_CONTEXT: 'missing' }, ''],
    ['a current context that is not there', {}, 'missing'],
    ['certificates that are not there', { DOCKER_HOST: 'tcp://127.0.0.9:2', DOCKER_TLS_VERIFY: '1' }, ''],
  ])('both refuse %s', (_, variables, current) => {
    fs.writeFileSync(path.join(config, 'config.json'), JSON.stringify({ currentContext: current }));
    expect(asDocker(docker, { ...env, ...variables })).toBeUndefined();
    expect(chooseEngine({}, { ...home(), env: { ...env, ...variables } }).problems).toHaveLength(1);
  });

  test('the environment that is made for the command leads it to the engine, whatever it had before', () => {
    fs.writeFileSync(path.join(config, 'config.json'), JSON.stringify({ currentContext: 'remote' }));
    for (const engine of [{ host: 'unix:///run/z.sock' }, { host: 'tcp://127.0.0.9:2', tls: { certPath: client } }]) {
      expect(asDocker(docker, { ...env, DOCKER_CONTEXT: 'tcp', DOCKER_HOST: 'ssh://other', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/nowhere', ...commandEnvironment(engine) })).toEqual(shape(engine));
    }
  });

  test.each(['ssh://host.example', 'ssh://me@host.example:2222', 'ssh://me@[2001:db8::1]:22', 'ssh://My_Host'])('runs the same ssh for %s, but for what spares questions and waiting', (host) => {
    const bin = tempDir();
    const log = path.join(bin, 'args');
    fs.writeFileSync(path.join(bin, 'ssh'), `#!/bin/sh\nfor arg; do printf '%s\\n' "$arg"; done > ${log}\nexit 255\n`, { mode: 0o755 });
    expect(run(docker, ['version'], { ...env, DOCKER_HOST: host, PATH: `${bin}:${bare.PATH}` }).code).not.toBe(0);
    const without = (args: readonly string[]): string => args.join(' ').replace(/-o (ConnectTimeout|BatchMode)=\w+ ?|-T ?/g, '');
    expect(without(sshArguments({ host }))).toBe(without(fs.readFileSync(log, 'utf8').trimEnd().split('\n')));
  });
});
