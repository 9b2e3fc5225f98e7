import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { engineArguments } from '../../lab/engines/engine';
import { claim, isAlive, poolOf, readProcess } from '../../lab/engines/remains';
import { installedVersions } from '../../lab/engines/tree';
import { tempDir } from '../support/temp';

// What is cleared away of the machine's network is for the end-to-end tests: here nothing may be.
jest.mock('../../lab/command', () => ({ ...jest.requireActual<object>('../../lab/command'), ask: jest.fn(async () => undefined) }));

test('versions are those of packages that are installed', () => {
  const status = [
    'Package: docker.io\nStatus: install ok installed\nVersion: 28.5.2+dfsg4-5\nDescription: Linux container runtime',
    'Package: runc\nStatus: deinstall ok config-files\nVersion: 1.1.4',
    'Package: tini\nStatus: install ok installed\nVersion: 0.19.0-3+b10\n',
  ].join('\n\n');
  expect([...installedVersions(status)]).toEqual([['docker.io', '28.5.2+dfsg4-5'], ['tini', '0.19.0-3+b10']]);
});

describe('an engine is started', () => {
  const place = { claim: { name: 'a', owner: { pid: 1, started: '1' }, slot: 3 }, dir: '/engines/a' };

  test("in the machine's network with a bridge, addresses and no firewall of its own", () => {
    const args = engineArguments({ name: 'a' }, place);
    expect(args.slice(args.indexOf('--iptables=false'))).toEqual(['--iptables=false', '--ip6tables=false', '--bridge', 'llm-bridge-3', '--default-address-pool', 'base=10.203.0.0/17,size=24']);
    expect(args.join(' ')).toContain('--host unix:///engines/a/docker.sock --group 0 --data-root /engines/a/data --exec-root /engines/a/exec');
  });

  test('in a network of its own as on any host', () => {
    expect(engineArguments({ name: 'a', ownNetwork: true }, place).filter((arg) => /bridge|iptables|pool/.test(arg))).toEqual([]);
  });

  test('with TLS for its own clients alone', () => {
    const args = engineArguments({ name: 'a', tls: { port: 2376, dir: '/certificates' }, group: 7, args: ['--debug'] }, place);
    expect(args.slice(args.indexOf('tcp://127.0.0.1:2376'))).toEqual(['tcp://127.0.0.1:2376', '--tlsverify', '--tlscacert', '/engines/a/tls/ca.pem', '--tlscert', '/engines/a/tls/cert.pem', '--tlskey', '/engines/a/tls/key.pem', '--debug']);
    expect(args[args.indexOf('--group') + 1]).toBe('7');
  });
});

describe('a name on this machine', () => {
  /** The number of a process that has ended. */
  const dead = (): number => spawnSync('true').pid;

  test('is claimed once, by a living process', async () => {
    const root = tempDir();
    const first = await claim('one', root);
    expect(isAlive(first.owner)).toBe(true);
    await expect(claim('one', root)).rejects.toThrow(new RegExp(`^The engine one belongs to process ${process.pid}, which is running`));
    const second = await claim('two', root);
    expect(poolOf(second.slot)).not.toBe(poolOf(first.slot));
  });

  test('of a run that was killed is free again, with what it left', async () => {
    const root = tempDir();
    fs.mkdirSync(path.join(root, 'one', 'data'), { recursive: true });
    fs.writeFileSync(path.join(root, 'one', 'claim.json'), JSON.stringify({ name: 'one', owner: { pid: dead(), started: '1' }, slot: 0 }));
    fs.mkdirSync(path.join(root, 'half'));
    const again = await claim('one', root);
    expect(again).toMatchObject({ name: 'one', slot: 0, owner: { pid: process.pid } });
    expect(fs.readdirSync(path.join(root, 'one'))).toEqual(['claim.json']);
    expect(fs.existsSync(path.join(root, 'half'))).toBe(false);
  });

  test.each(['', 'A', 'a b', '-a', 'a/b', 'a'.repeat(22)])("'%s' is none", async (name) => {
    await expect(claim(name, tempDir())).rejects.toThrow(/is no name for an engine/);
  });
});

test('a process is the one that was written down only as long as it has the same start', async () => {
  const file = path.join(tempDir(), 'process');
  expect(await readProcess(file)).toBeUndefined();
  fs.writeFileSync(file, `${process.pid} 1\n`);
  const other = await readProcess(file);
  expect(other).toEqual({ pid: process.pid, started: '1' });
  expect(other && isAlive(other)).toBe(false);
});
