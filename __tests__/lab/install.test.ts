import * as grpc from '@grpc/grpc-js';
import { ResourceProviderClient } from '@pulumi/pulumi/proto/provider_grpc_pb';
import type { PluginInfo } from '@pulumi/pulumi/proto/plugin_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { standIns } from '../../lab/providers/install';
import { missingPlugins } from '../../ops/support/plugins';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'stand-ins-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

test('a stand-in starts from anywhere, says its port first and its version when asked', async () => {
  const opts = { projectDir: path.resolve(__dirname, '../..'), cacheDir: path.join(directory, 'cache') };
  const bin = await standIns(['random', 'pulumi-nodejs'], opts);
  expect(fs.readdirSync(bin).sort()).toEqual(['.stand-ins', 'pulumi-resource-pulumi-nodejs', 'pulumi-resource-random', 'pulumi-resource-random.js']);
  expect(await standIns(['random', 'pulumi-nodejs'], opts)).toBe(bin);

  const child = spawn(path.join(bin, 'pulumi-resource-random'), ['127.0.0.1:1'], { cwd: '/', env: {}, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(line.toString()).toMatch(/^\d+\n$/);
    const client = new ResourceProviderClient(`127.0.0.1:${line.toString().trim()}`, grpc.credentials.createInsecure());
    const info = await new Promise<PluginInfo>((resolve, reject) => client.getPluginInfo(new Empty(), (error: grpc.ServiceError | null, answer: PluginInfo) => (error ? reject(error) : resolve(answer))));
    expect(info.getVersion()).toBe('4.21.2');
    client.close();
  } finally {
    child.kill();
  }
}, 60_000);

test('a stand-in is never taken for what was published', async () => {
  const bin = await standIns(['pulumi-nodejs'], { projectDir: path.resolve(__dirname, '../..'), cacheDir: path.join(directory, 'cache') });
  expect(missingPlugins('', ['pulumi-nodejs'], { PATH: bin, PULUMI_HOME: directory })).toEqual(['pulumi-nodejs']);
  fs.rmSync(path.join(bin, '.stand-ins'));
  expect(missingPlugins('', ['pulumi-nodejs'], { PATH: bin, PULUMI_HOME: directory })).toEqual([]);
});
