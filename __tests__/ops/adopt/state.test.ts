import * as fs from 'node:fs';
import * as path from 'node:path';
import { point, withId } from '../../../ops/support/adopt/state';
import { Pulumi } from '../../../ops/support/pulumi';
import { fakePulumi } from '../../support/fake-pulumi';
import { tempDir } from '../../support/temp';

const urn = (name: string): string => `urn:pulumi:dev::llm-observability::docker:index/container:Container::${name}`;
const exported = { version: 3, deployment: { secrets_providers: { type: 'passphrase' }, resources: [{ urn: urn('alloy-server'), id: 'old', outputs: { id: 'old', name: 'alloy-dev' } }, { urn: urn('other-alloy-server'), id: 'x' }, { urn: urn('group') }] } };
const pointed = { ...exported, deployment: { ...exported.deployment, resources: [{ ...exported.deployment.resources[0], id: 'new', outputs: { id: 'new', name: 'alloy-dev' } }, ...exported.deployment.resources.slice(1)] } };

test('one ID is another; all the rest is passed on', () => {
  expect(withId(exported, 'alloy-server', 'new')).toEqual(pointed);
  expect(withId(exported, 'alloy', 'new')).toEqual(exported);
  expect(withId({ deployment: {} }, 'alloy-server', 'new')).toEqual({ deployment: { resources: [] } });
});

test('the CLI is given the state in a file that only this user can read, and that is gone afterwards', async () => {
  const copy = path.join(tempDir(), 'imported');
  // Of `stack import --file FILE`.
  const cli = fakePulumi({ 'stack export': { stdout: JSON.stringify(exported) }, 'stack import': { first: `cp -p "$4" ${copy}` } });
  expect(await point(new Pulumi({ pulumi: cli.file, env: {} }, 'dev'), 'alloy-server', 'new')).toBe(true);
  expect(JSON.parse(fs.readFileSync(copy, 'utf8'))).toEqual(pointed);
  expect(fs.statSync(copy).mode & 0o777).toBe(0o600);
  const [, [, , , , , file = ''] = []] = cli.calls();
  expect([file === '', fs.existsSync(file)]).toEqual([false, false]);
});

test('where it says so already nothing is written', async () => {
  const cli = fakePulumi({ 'stack export': { stdout: JSON.stringify(exported) } });
  expect(await point(new Pulumi({ pulumi: cli.file, env: {} }, 'dev'), 'alloy-server', 'old')).toBe(true);
  expect(cli.calls()).toHaveLength(1);
});

test('a state without that resource stays as it is', async () => {
  const cli = fakePulumi({ 'stack export': { stdout: JSON.stringify(exported) } });
  expect(await point(new Pulumi({ pulumi: cli.file, env: {} }, 'dev'), 'alloy', 'new')).toBe(false);
  expect(cli.calls()).toHaveLength(1);
});
