import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findGo } from '../../lab/go-toolchain';
import { isAtLeast } from '../../lab/go-version';
import { putPrograms } from '../support/programs';

describe('findGo', () => {
  let dir: string;
  let takeBack: () => void;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'go-'));
    takeBack = () => undefined;
  });
  afterEach(() => {
    takeBack();
    rmSync(dir, { recursive: true });
  });

  const go = (version: string): string => `[ "$1 $2" = 'env GOVERSION' ] && [ "$GOTOOLCHAIN" = local ] && echo ${version}`;
  const policy = (candidate: string): string => `[ "$1 $2" = 'policy golang-go' ] && printf 'golang-go:\\n  Installed: (none)\\n  Candidate: ${candidate}\\n'`;
  const place = (name: string): string => join(dir, 'bin', name);
  const programs = (scripts: Record<string, string>): void => {
    takeBack = putPrograms(join(dir, 'bin'), scripts);
  };

  test('takes the first that is new enough by itself, whatever it would fetch', async () => {
    programs({ old: go('go1.19.8'), broken: 'exit 2', recent: go('go1.22.0'), later: go('go1.26.8') });
    expect(await findGo('a program', ['absent', 'old', 'broken', 'recent', 'later'].map(place))).toEqual({ command: place('recent') });
  });

  test("else Debian's, where that is new enough", async () => {
    programs({ old: go('go1.19.8'), 'apt-cache': policy('2:1.24~2') });
    expect(await findGo('a program', [place('old')], false)).toEqual({ install: ['golang-go'] });
  });

  test("else one of Debian's backports, from where the machine's packages come from", async () => {
    programs({ 'apt-cache': policy('2:1.19~1'), 'apt-get': `[ "$1" = indextargets ] && printf 'http://deb.example/debian-security/\\nhttp://deb.example/debian/\\n'` });
    expect(await findGo('a program', [], true)).toEqual({ mirror: 'http://deb.example/debian/' });
    await expect(findGo('a program', [], false, async () => true)).rejects.toThrow('needs Go');
  });

  test('else it is not known before apt has its lists, as on a fresh image of Debian', async () => {
    programs({ 'apt-cache': 'exit 0', 'apt-get': 'exit 0' });
    expect(await findGo('a program', [], true, async () => false)).toEqual({ lists: 'missing' });
  });

  test('else says what needs it and where it is to be had', async () => {
    programs({ 'apt-cache': policy('(none)'), 'apt-get': 'exit 1' });
    await expect(findGo('Alloy', [], true)).rejects.toThrow('Building Alloy needs Go 1.21 or newer, and this machine has none: install it from https://go.dev/dl/');
  });
});

test.each([
  ['1.21', '1.21', true],
  ['1.26.8', '1.21', true],
  ['1.19', '1.21', false],
  ['1.9', '1.21', false],
  ['2.0', '1.21', true],
  ['1.21rc2', '1.21', true],
])('isAtLeast(%s, %s) is %s', (version, least, answer) => {
  expect(isAtLeast(version, least)).toBe(answer);
});
