import * as fs from 'node:fs';
import * as path from 'node:path';
import { cliOnPath } from '../../ops/support/cli';
import { tempDir } from '../support/temp';

const script = (text: string) => (file: string): void => fs.writeFileSync(file, text, { mode: 0o755 });

test.each<[string, (file: string) => void, string]>([
  ['too old', script('#!/bin/sh\necho v3.199.9\n'), 'is Pulumi 3.199.9, and 3.200.0 is the oldest that is supported'],
  ['a folder', (file) => fs.mkdirSync(file), 'is no program'],
  ['a text', (file) => fs.writeFileSync(file, 'Infrastructure as code', { mode: 0o644 }), 'is no program'],
  ['a link to nowhere', (file) => fs.symlinkSync('/nowhere/pulumi', file), 'is no program'],
  ['a link to itself', (file) => fs.symlinkSync(file, file), 'is no program'],
  ['a text that may be run', script('Infrastructure as code'), 'prints no version'],
  ['an empty file', script(''), 'prints no version'],
  ['a wrapper of what is gone', script('#!/bin/sh\nexec /nowhere/pulumi "$@"\n'), 'prints no version'],
  ['a wrapper for an interpreter that is gone', script('#!/nowhere/python\n'), 'prints no version'],
  ['of another architecture', (file) => fs.writeFileSync(file, Buffer.from('7f454c460201010000000000000000000200f300', 'hex'), { mode: 0o755 }), 'prints no version'],
  ['of another tool', script('#!/bin/sh\necho "pulumi the crawler, version 1"\n'), 'prints no version'],
  ['one that hangs, with a child that holds its output', script('#!/bin/sh\nsleep 60 &\nwait\n'), 'prints no version'],
])('%s on PATH is passed over for a good one behind it', (_, put, fault) => {
  const [bad, good] = [tempDir(), tempDir()];
  put(path.join(bad, 'pulumi'));
  script('#!/bin/sh\necho v3.259.0\n')(path.join(good, 'pulumi'));
  const PATH = [bad, '', path.join(bad, 'gone'), good].join(path.delimiter);
  expect(cliOnPath({ PATH }, 1_000)).toEqual({ cli: path.join(good, 'pulumi'), passedOver: [`${path.join(bad, 'pulumi')} ${fault}`] });
  expect(cliOnPath({ PATH: bad }, 1_000).cli).toBeUndefined();
});

test.each(['v3.200.0', '3.259.0', 'v4.0.0-alpha.1', 'v3.260.0-dev.0+abc', 'mise: using pulumi\nv3.259.0'])('one that prints %j is good', (version) => {
  const dir = tempDir();
  script(`#!/bin/sh\necho 'noise' >&2\nprintf '%s\\n' '${version}'\n`)(path.join(dir, 'pulumi'));
  expect(cliOnPath({ PATH: dir })).toEqual({ cli: path.join(dir, 'pulumi'), passedOver: [] });
});

test('what a package of npm puts on PATH is not looked at', () => {
  const dir = path.join(tempDir(), 'node_modules', '.bin');
  fs.mkdirSync(dir, { recursive: true });
  script('#!/bin/sh\necho v3.259.0\n')(path.join(dir, 'pulumi'));
  expect(cliOnPath({ PATH: dir })).toEqual({ cli: undefined, passedOver: [] });
});

test('a folder of PATH that cannot be looked into is passed over', () => {
  const dir = tempDir();
  const loop = path.join(dir, 'loop');
  fs.symlinkSync(loop, loop);
  const text = path.join(dir, 'text');
  fs.writeFileSync(text, '');
  const good = path.join(dir, 'bin', 'pulumi');
  fs.mkdirSync(path.dirname(good));
  script('#!/bin/sh\necho v3.259.0\n')(good);
  // EACCES, which another user's folder gives, comes the same way; root is never refused.
  expect(cliOnPath({ PATH: [loop, text, path.dirname(good), '/usr/bin', '/bin'].join(path.delimiter) })).toEqual({ cli: good, passedOver: [] });
});
