import * as grpc from '@grpc/grpc-js';
import { LanguageRuntimeClient, LanguageRuntimeService } from '@pulumi/pulumi/proto/language_grpc_pb';
import * as proto from '@pulumi/pulumi/proto/language_pb';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { languageHost } from '../../lab/providers/language-nodejs';
import { words } from '../../lab/providers/node-program';

let directory: string;
let server: grpc.Server;
let client: LanguageRuntimeClient;

const write = (file: string, content: string | object) => {
  fs.mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
  fs.writeFileSync(path.join(directory, file), typeof content === 'string' ? content : JSON.stringify(content));
};
const call = <A>(method: (done: (error: grpc.ServiceError | null, answer: A) => void) => unknown) =>
  new Promise<A>((resolve, reject) => method((error, answer) => (error ? reject(error) : resolve(answer))));
const info = (options: Record<string, string | boolean> = {}) => {
  const program = new proto.ProgramInfo();
  program.setRootDirectory(directory);
  program.setProgramDirectory(directory);
  program.setEntryPoint('.');
  program.setOptions(Struct.fromJavaScript(options));
  return program;
};

beforeAll(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'language-host-'));
  write('package.json', { name: 'program', dependencies: { '@pulumi/docker': '5.2.0' }, devDependencies: { jest: '1' } });
  write('node_modules/@pulumi/docker/package.json', { name: '@pulumi/docker', version: '5.2.0', pulumi: { resource: true, name: 'docker', version: '5.2.0' } });
  write('node_modules/@pulumi/random/package.json', { name: '@pulumi/random', version: '4.21.2', pulumi: { resource: true } });
  write('node_modules/third/package.json', { name: 'third', version: '1.0.0', pulumi: { resource: true, name: 'own', version: 'v2.0.0', server: 'https://plugins.example' } });
  write('node_modules/third/node_modules/@pulumi/aws/package.json', { name: '@pulumi/aws', version: '6.0.0', pulumi: { resource: true, parameterization: { name: 'a', version: '1', value: 'AA==' } } });
  write('node_modules/nameless/package.json', { name: 'nameless', version: '1.0.0', pulumi: { resource: true } });
  write('node_modules/plain/package.json', { name: 'plain', version: '1.0.0' });
  // In the place of the SDK's own: it says how it was started and ends as the program's argument demands.
  write('node_modules/@pulumi/pulumi/package.json', { name: '@pulumi/pulumi', version: '3.248.0' });
  write('node_modules/@pulumi/pulumi/cmd/run/index.js', `
    const pulumi = Object.fromEntries(Object.entries(process.env).filter(([key]) => key.startsWith('PULUMI_')));
    require('fs').writeFileSync(${JSON.stringify(path.join(directory, 'started.json'))}, JSON.stringify({ argv: process.argv.slice(2), execArgv: process.execArgv, pulumi }));
    process.exitCode = Number(process.argv.at(-1)) || 0;
  `);
  server = new grpc.Server();
  server.addService(LanguageRuntimeService as unknown as grpc.ServiceDefinition, languageHost());
  const port = await call<number>((done) => server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), done as never));
  client = new LanguageRuntimeClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const handshake = new proto.LanguageHandshakeRequest();
  handshake.setEngineAddress('127.0.0.1:11');
  await call((done) => client.handshake(handshake, done));
});

afterAll(() => {
  client.close();
  server.forceShutdown();
  fs.rmSync(directory, { recursive: true });
});

async function run(exit: string, options: Record<string, string | boolean> = {}) {
  const request = new proto.RunRequest();
  request.setInfo(info(options));
  request.setMonitorAddress('127.0.0.1:22');
  request.setProject('program');
  request.setStack('dev');
  request.setOrganization('organization');
  request.setParallel(16);
  request.setDryrun(true);
  request.getConfigMap().set('phoenix:auth', 'true').set('program:deep:key', 'x');
  request.setConfigsecretkeysList(['phoenix:auth']);
  request.setArgsList([exit]);
  const answer = await call<proto.RunResponse>((done) => client.run(request, done));
  const started = path.join(directory, 'started.json');
  return { error: answer.getError(), bail: answer.getBail(), started: fs.existsSync(started) ? (JSON.parse(fs.readFileSync(started, 'utf8')) as { argv: string[]; execArgv: string[]; pulumi: Record<string, string> }) : undefined };
}

test('the plugins a program needs are those its packages name, nested ones too', async () => {
  const request = new proto.GetRequiredPackagesRequest();
  request.setInfo(info());
  const answer = await call<proto.GetRequiredPackagesResponse>((done) => client.getRequiredPackages(request, done));
  const found = answer.getPackagesList().map((p) => [p.getKind(), p.getName(), p.getVersion(), p.getServer(), p.getParameterization()?.getName()]);
  expect(found.sort()).toEqual([
    ['resource', 'aws', 'v6.0.0', '', 'a'],
    ['resource', 'docker', 'v5.2.0', '', undefined],
    ['resource', 'own', 'v2.0.0', 'https://plugins.example', undefined],
    ['resource', 'random', 'v4.21.2', '', undefined],
  ]);
});

test('a program is started on the SDK of its own directory, with its configuration and options', async () => {
  const { error, bail, started } = await run('0', { nodeargs: '--no-warnings "--title=a b"', tsconfig: 'other.json' });
  expect({ error, bail }).toEqual({ error: '', bail: false });
  expect(started?.execArgv).toEqual(['--no-warnings', '--title=a b']);
  expect(started?.argv).toEqual([
    '--monitor', '127.0.0.1:22', '--engine', '127.0.0.1:11', '--organization', 'organization', '--project', 'program',
    '--root-directory', directory, '--stack', 'dev', '--pwd', directory, '--dry-run', '--parallel', '16', '.', '0',
  ]);
  expect(JSON.parse(started?.pulumi['PULUMI_CONFIG'] ?? '')).toEqual({ 'phoenix:config:auth': 'true', 'program:config:key': 'x' });
  expect(started?.pulumi).toMatchObject({ PULUMI_CONFIG_SECRET_KEYS: '["phoenix:auth"]', PULUMI_NODEJS_TYPESCRIPT: 'true', PULUMI_NODEJS_TSCONFIG_PATH: 'other.json' });
});

test('TypeScript can be switched off', async () => {
  expect((await run('0', { typescript: false })).started?.pulumi).not.toHaveProperty('PULUMI_NODEJS_TYPESCRIPT');
});

test.each([
  ['7', { error: 'Program exited with non-zero exit code: 7', bail: false }],
  ['32', { error: '', bail: true }],
])('exit code %s', async (code, expected) => {
  expect(await run(code)).toMatchObject(expected);
});

test('an option of the wrong kind is an error of the program, not of the host', async () => {
  expect((await run('0', { typescript: 'yes' })).error).toBe('typescript option must be a boolean');
  expect((await run('0', { packagemanager: 'pip' })).error).toContain('must be one of auto, npm, yarn, pnpm or bun');
});

test('the dependencies that are listed are the program\'s own unless all are asked for', async () => {
  const request = new proto.GetProgramDependenciesRequest();
  request.setInfo(info());
  const names = async () => (await call<proto.GetProgramDependenciesResponse>((done) => client.getProgramDependencies(request, done))).getDependenciesList().map((d) => `${d.getName()} ${d.getVersion()}`);
  expect(await names()).toEqual(['@pulumi/docker 5.2.0']);
  request.setTransitivedependencies(true);
  expect(await names()).toContain('@pulumi/aws 6.0.0');
});

test.each([
  ['', []],
  ['--a --b=c', ['--a', '--b=c']],
  [`-r "./a b.js" --t='x y'z \\"`, ['-r', './a b.js', '--t=x yz', '"']],
])('%j is split as a shell would', (line, expected) => {
  expect(words(line)).toEqual(expected);
});
