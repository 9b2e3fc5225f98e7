import * as fs from 'node:fs';
import * as path from 'node:path';
import { claimLabel, removeUnclaimed } from '../../lab/label-claims';
import { setEnvironment } from '../support/environment';
import { tempDir } from '../support/temp';

let home: string;
const calls = (): string[] => (fs.existsSync(path.join(home, 'calls')) ? fs.readFileSync(path.join(home, 'calls'), 'utf8').trim().split('\n') : []);

/** A docker whose lists hold two things of each kind with the label `stack=dead`. */
beforeEach(() => {
  home = tempDir();
  const docker = ['#!/bin/sh', `echo "$*" >> '${home}/calls'`, 'case "$*" in', '  *"--filter label=stack=dead") echo one; echo other;;', '  *--filter*) ;;', 'esac'];
  fs.writeFileSync(path.join(home, 'docker'), `${docker.join('\n')}\n`, { mode: 0o755 });
  setEnvironment({ XDG_CACHE_HOME: home, PATH: `${home}:${process.env['PATH']}` });
});

/** As a process has claimed it that is gone, whose number somebody else may have by now. */
function claimedByTheDead(label: string, pid = process.pid): void {
  const folder = path.join(home, 'llm-observability', 'claims');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, encodeURIComponent(label)), JSON.stringify({ label, owner: { pid, started: '1' } }));
}

test('without a run before there is nothing to do', async () => {
  expect(await removeUnclaimed()).toEqual([]);
  expect(calls()).toEqual([]);
});

test('what a living process has claimed stays', async () => {
  await claimLabel('stack=dead');
  expect(await removeUnclaimed()).toEqual([]);
  expect(calls()).toEqual([]);
});

test('what a process has left that is gone is removed, containers first, once', async () => {
  claimedByTheDead('stack=dead');
  claimedByTheDead('stack=tidy');
  expect(await removeUnclaimed()).toEqual(['stack=dead']);
  expect(calls().filter((call) => call.endsWith('label=stack=dead') || !call.includes('--filter'))).toEqual([
    'ps --all --quiet --filter label=stack=dead', 'rm --force one other',
    'network ls --quiet --filter label=stack=dead', 'network rm one other',
    'volume ls --quiet --filter label=stack=dead', 'volume rm one other',
  ]);
  expect(await removeUnclaimed()).toEqual([]);
});
