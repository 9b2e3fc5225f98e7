/** The provider as the CLI starts it, in a copy of this project that shares its packages. */
import * as grpc from '@grpc/grpc-js';
import type { PluginInfo } from '@pulumi/pulumi/proto/plugin_pb';
import { ResourceProviderClient } from '@pulumi/pulumi/proto/provider_grpc_pb';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tempDir } from '../support/temp';

const root = path.join(__dirname, '..', '..');
let copy: string;
beforeAll(() => {
  copy = tempDir();
  for (const name of ['provider', 'settings', 'components', 'engine', 'package.json', 'package-lock.json']) {
    fs.cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  }
  // Not the folder itself: the bundles would go to this checkout.
  fs.mkdirSync(path.join(copy, 'node_modules'));
  for (const name of fs.readdirSync(path.join(root, 'node_modules')).filter((one) => !one.startsWith('.'))) {
    fs.symlinkSync(path.join(root, 'node_modules', name), path.join(copy, 'node_modules', name));
  }
});

type Client = InstanceType<typeof ResourceProviderClient>;
const call = <A>(method: (done: (error: grpc.ServiceError | null, answer: A) => void) => unknown): Promise<A> =>
  new Promise((resolve, reject) => method((error, answer) => (error ? reject(error) : resolve(answer))));

/** Starts it, from anywhere, and does something with it. */
async function running<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const child = spawn(path.join(copy, 'provider', 'pulumi-resource-observability'), ['127.0.0.1:1'], { cwd: '/', env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [Buffer];
    expect(String(line)).toMatch(/^\d+\n$/);
    const client = new ResourceProviderClient(`127.0.0.1:${String(line).trim()}`, grpc.credentials.createInsecure());
    try {
      return await work(client);
    } finally {
      client.close();
    }
  } finally {
    child.kill();
  }
}

/** Bundles that were made, with what tells one of them from a later one of the same name. */
function bundles(): string[] {
  const cache = path.join(copy, 'node_modules', '.cache', 'observability');
  return fs.readdirSync(cache).filter((name) => name.endsWith('.cjs')).map((name) => {
    const { ino, mtimeNs } = fs.statSync(path.join(cache, name), { bigint: true });
    return `${name} ${ino} ${mtimeNs}`;
  });
}

const version = async (client: Client): Promise<string> =>
  (await call<PluginInfo>((done) => client.getPluginInfo(new Empty(), done))).getVersion();

test('it says its port first and its version when asked; it is bundled once, and again when a source has changed', async () => {
  expect(await running(version)).toBe('0.1.0');
  const first = bundles();
  expect(first).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.cjs /)]);

  expect(await running(version)).toBe('0.1.0');
  expect(bundles()).toEqual(first);

  const source = path.join(copy, 'provider', 'providing.ts');
  fs.writeFileSync(source, fs.readFileSync(source, 'utf8').replace("version: '0.1.0'", "version: '0.1.1'"));
  expect(await running(version)).toBe('0.1.1');
  expect(bundles()).toHaveLength(2);
  expect(bundles()).toEqual(expect.arrayContaining(first));

  // Wherever the source is.
  for (const [count, file] of [[3, 'engine/ssh.ts'], [4, 'settings/problem.ts']] as const) {
    fs.appendFileSync(path.join(copy, file), '\n// changed\n');
    expect(await running(version)).toBe('0.1.1');
    expect(bundles()).toHaveLength(count);
  }
}, 60_000);

test.each(['ApiKey', 'ApiKeyList', 'CloudflareAccount', 'DeliveryCheck', 'EngineCheck', 'Intake', 'PhoenixReady', 'PhoenixSettings'])('it has %s', async (type) => {
  const request = new proto.DiffRequest();
  request.setUrn(`urn:pulumi:dev::p::observability:index:${type}::x`);
  request.setOlds(Struct.fromJavaScript({ auth: false }));
  request.setNews(Struct.fromJavaScript({ auth: true }));
  const changes = await running(async (client) => (await call<proto.DiffResponse>((done) => client.diff(request, done))).getChanges());
  expect(changes).toBe(proto.DiffResponse.DiffChanges.DIFF_SOME);
}, 60_000);
