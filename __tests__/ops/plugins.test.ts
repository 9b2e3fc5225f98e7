import * as fs from 'node:fs';
import * as path from 'node:path';
import { bundled, missingPlugins, neededProviders, providers, providerVersion } from '../../ops/support/plugins';
import { tempDir } from '../support/temp';

let directory: string;
let env: NodeJS.ProcessEnv;
beforeEach(() => {
  directory = tempDir();
  env = { PATH: path.join(directory, 'path'), HOME: directory };
});

const put = (...parts: string[]): string => {
  const file = path.join(directory, ...parts);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, '', { mode: 0o755 });
  return file;
};
const installed = (name: string, version: string): string => path.dirname(put('.pulumi', 'plugins', `${name}-v${version}`, `pulumi-${name}`));
const missing = (pulumi = ''): string[] => missingPlugins(pulumi, [...providers, ...bundled], env);

test('all are missing on a machine without any', () => {
  expect(missing()).toEqual(['docker', 'random', 'cloudflare', 'nodejs', 'pulumi-nodejs']);
});

test('those that are installed in the version of the SDK are not: the CLI takes no other', () => {
  installed('resource-docker', providerVersion('docker'));
  installed('resource-cloudflare', providerVersion('cloudflare'));
  installed('resource-random', '4.0.0');
  expect(missing()).toEqual(['random', 'nodejs', 'pulumi-nodejs']);
  expect(missingPlugins('', providers, { ...env, PULUMI_HOME: path.join(directory, 'elsewhere') })).toEqual(providers);
});

test('one that was cut off in the middle is: the CLI says so beside it', () => {
  const dir = installed('resource-docker', providerVersion('docker'));
  fs.writeFileSync(`${dir}.partial`, '');
  expect(missing()).toContain('docker');
  fs.rmSync(`${dir}.partial`);
  fs.writeFileSync(`${dir}.lock`, '');
  expect(missing()).not.toContain('docker');
});

test('one on PATH is not, unless it is no program or stands in for it', () => {
  put('path', 'pulumi-resource-random');
  expect(missing()).not.toContain('random');
  fs.chmodSync(path.join(directory, 'path', 'pulumi-resource-random'), 0o644);
  expect(missing()).toContain('random');
  fs.chmodSync(path.join(directory, 'path', 'pulumi-resource-random'), 0o755);
  put('path', '.stand-ins');
  expect(missing()).toContain('random');
});

test('what comes with a CLI lies beside it, also where a link leads to it', () => {
  const pulumi = put('bin', 'pulumi');
  put('bin', 'pulumi-language-nodejs');
  put('bin', 'pulumi-resource-docker');
  fs.mkdirSync(path.join(directory, 'links'));
  fs.symlinkSync(pulumi, path.join(directory, 'links', 'pulumi'));
  for (const file of [pulumi, path.join(directory, 'links', 'pulumi')]) {
    expect(missing(file)).toEqual(['docker', 'random', 'cloudflare', 'pulumi-nodejs']);
  }
});

describe('a run needs', () => {
  test('docker and random always, cloudflare with a tunnel', () => {
    expect(neededProviders([])).toEqual(['docker', 'random']);
    expect(neededProviders(['phoenix:auth', 'cloudflare:apiToken'])).toEqual(['docker', 'random']);
    expect(neededProviders(['tunnel:hostname'])).toEqual(providers);
  });

  test('what is in the state, so that it can go when the tunnel has gone from the settings', () => {
    expect(neededProviders([], [{ type: 'docker:index/container:Container' }, { type: 'pulumi:pulumi:Stack' }])).toEqual(['docker', 'random']);
    expect(neededProviders([], [{ type: 'pulumi:providers:cloudflare' }])).toEqual(providers);
    expect(neededProviders([], [{ type: 'cloudflare:index/dnsRecord:DnsRecord' }])).toEqual(providers);
  });
});
