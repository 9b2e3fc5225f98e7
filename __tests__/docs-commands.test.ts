/**
 * The commands of README and docs that are none of this project's: each is run, on a docker command line, a home and a Pulumi
 * that stand in for those of a person. The Pulumi CLI itself runs its lines in e2e/main-job and e2e/auth. Commands of this
 * project are read in docs.test.ts, `ops/upgrade.mjs` runs in upgrade.test.ts.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { alloyDirectories, images, gateAside, sendAgainFile } from '../components/catalog';
import { hostNames } from '../components/names';
import { keys } from '../settings/keys';
import { pulumiOptions } from '../ops/commands';
import { blocks, lines as allLines, pulumiLines, pulumiNotRun } from './support/docs-lines';
import { tempDir } from './support/temp';
import { site } from './support/web';
import { rows } from './support/rows';

const programs = /^(docker|pulumi|git|gh|curl|ssh|ssh-keyscan|mkcert|tar|rm|mv|cp|sudo|open|export|unset|new=\S+$)(?= |$)/;
const lines = allLines.filter((line) => programs.test(line));
/** What only names a command: `docker cp`. */
const isName = (line: string): boolean => /^[a-z-]+( [a-z]+)?$/.test(line) || /^docker (compose up|image rm|context use)( -d)?$/.test(line);
const docker = lines.filter((line) => line.startsWith('docker ') && !isName(line));

/** What no test can run, and why. */
const notRun: Readonly<Record<string, string>> = {
  'git clone REPOSITORY llm-observability && cd llm-observability': 'the address is for the reader to fill in; __tests__/e2e clones this repository',
  'open http://localhost:6006': 'opens a browser',
  'git pull --rebase --autostash': 'what ops/upgrade.mjs runs: upgrade.test.ts',
  'git push --force-with-lease': 'writes to the repository of the reader',
  'git clean -fdx': 'named as what does no harm to the state, which is outside of the checkout: state-folder.test.ts',
  'gh variable set DEPLOY --body true': 'needs an account at GitHub',
  'gh variable delete DEPLOY': 'needs an account at GitHub',
  'gh workflow run e2e.yml --ref BRANCH': 'needs an account at GitHub',
  'gh workflow run e2e.yml --ref YOUR_BRANCH': 'needs an account at GitHub',
  'gh workflow run e2e.yml --ref YOUR_BRANCH -f tests=auth': 'needs an account at GitHub',
  'gh secret set PULUMI_ACCESS_TOKEN --env prod': 'needs an account at GitHub',
  'gh secret set DOCKER_SSH_KEY --env prod < deploy_key': 'needs an account at GitHub',
  'ssh-keyscan host.example.com | gh variable set DOCKER_KNOWN_HOSTS --env prod': 'needs an account at GitHub, and a host',
  'ssh-keyscan HOST': 'needs a host',
  'mkcert -cert-file certificate.pem -key-file key.pem phoenix.lan 192.0.2.7': 'puts an authority into the trust store of the machine',
  'mkcert -CAROOT': 'as before',
  'mkcert -install': 'as before',
  'sudo usermod -aG docker "$USER" && sg docker -c \'npm run up\'': 'changes the users of the machine',
  'curl -sI https://phoenix.ZONE': 'needs a tunnel at Cloudflare',
  "curl -s -o /dev/null -w '%{http_code}' -X POST https://otlp.ZONE/v1/traces": 'needs a tunnel at Cloudflare',
};

interface Host {
  readonly containers: Record<string, boolean>;
  readonly volumes: Record<string, string[]>;
  readonly images: string[];
  readonly done: string[];
}

/** A host with the stacks `dev`, `prod` and `edge`, and the Phoenix and the Alloy that `npm run adopt` has stopped. */
function machine(): { env: NodeJS.ProcessEnv; host: () => Host; inside: (container: string, folder: string) => string; home: string } {
  const dir = tempDir();
  const bin = path.join(dir, 'bin');
  const home = path.join(dir, 'home');
  [bin, home].forEach((folder) => fs.mkdirSync(folder));
  fs.copyFileSync('__tests__/support/stand-in-docker.cjs', path.join(bin, 'docker'));
  fs.chmodSync(path.join(bin, 'docker'), 0o755);
  const program = (name: string, script: string): void => fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  program('ssh', 'shift; exec "$@"');
  program('npm', 'echo "$*" >> "$HOME/npm"');
  const old = ['arize-phoenix-phoenix-1', 'grafana-alloy'];
  const running = [...['dev', 'prod'].flatMap((stack) => hostNames(stack, false).container), ...hostNames('edge', true).container];
  const containers = Object.fromEntries([...running.map((name) => [name, true]), ...old.map((name) => [name, false])]);
  const state: Host = { containers, volumes: { 'arize-phoenix_phoenix_data': old.slice(0, 1) }, images: Object.values(images).map((image) => image.replace(/@.*/, '')), done: [] };
  fs.writeFileSync(path.join(dir, 'host.json'), JSON.stringify(state));
  return {
    env: { PATH: `${bin}:${process.env['PATH']}`, HOME: home, STAND_IN: dir },
    host: () => JSON.parse(fs.readFileSync(path.join(dir, 'host.json'), 'utf8')) as Host,
    inside: (container, folder) => path.join(dir, 'files', container, folder),
    home,
  };
}

test('every command is run by a test, or named with the reason why not', () => {
  expect(lines.length).toBeGreaterThan(60);
  const run = (line: string): boolean => isName(line) || /^(docker|pulumi|tar|rm|export|unset|new=)/.test(line);
  expect(lines.filter((line) => !run(line)).sort()).toEqual(Object.keys(notRun).sort());
});

const asides: readonly (readonly [string, string])[] = [['alloy-dev', alloyDirectories.damaged], ['journal-dev', '/journal/aside'], ['central-edge-gate', gateAside]];

describe('docker', () => {
  test.each(docker.filter((line) => !line.includes('python3')))('%s', (line) => {
    const { env, host, inside, home } = machine();
    asides.forEach(([container, folder]) => fs.mkdirSync(path.join(inside(container, folder), 'kept'), { recursive: true }));
    const sendAgain = inside('central-edge-gate', sendAgainFile);
    fs.mkdirSync(path.dirname(sendAgain), { recursive: true });
    fs.writeFileSync(sendAgain, 'echo sent');
    if (line.startsWith('docker volume rm')) {
      // The line before it.
      expect(spawnSync('docker', ['rm', 'arize-phoenix-phoenix-1', 'grafana-alloy'], { env }).status).toBe(0);
    }
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line.replaceAll('STACK', 'dev')], { env, cwd: home, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const names = line.replaceAll('STACK', 'dev').match(/\b(?:phoenix|alloy|journal|tunnel|central)-(?:dev|prod|edge)(?:-\w+)?\b/g) ?? [];
    const { containers, volumes, done } = host();
    expect(done.length).toBeGreaterThan(0);
    names.forEach((name) => expect(done.join('\n')).toContain(name));
    if (/docker rm /.test(line)) {
      expect(Object.keys(containers)).not.toEqual(expect.arrayContaining([names[0] ?? 'grafana-alloy']));
    }
    if (/docker volume rm /.test(line)) {
      expect(volumes).toEqual({});
    }
    if (line.includes(sendAgainFile)) {
      expect(stdout).toBe('sent\n');
    }
    if (/ ls -l/.test(line)) {
      expect(stdout).toContain('kept');
    }
    const gone = [...line.matchAll(/exec (\S+) rm -r (\S+)/g)].map(([, container = '', folder = '']) => inside(container, folder));
    expect(gone.filter((folder) => fs.existsSync(folder))).toEqual([]);
  });

  test('the status of the journal is read in its container', async () => {
    const [line = '', ...more] = docker.filter((each) => each.includes('python3'));
    expect(more).toEqual([]);
    const { url } = await site(() => ({ body: { waiting: 0 } }));
    const { env } = machine();
    const child = spawn('sh', ['-c', line.replace('http://127.0.0.1:4318', url)], { env });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(said).toBe('{"waiting":0}\n');
  });
});

describe('a home', () => {
  test('the state is backed up as a whole', () => {
    const { env, home } = machine();
    const state = path.join(home, '.local', 'state', 'llm-observability');
    fs.mkdirSync(path.join(state, 'backend'), { recursive: true });
    ['passphrase', 'backend/dev.json'].forEach((file) => fs.writeFileSync(path.join(state, file), file));
    const [line = ''] = lines.filter((each) => each.startsWith('tar '));
    expect(spawnSync('sh', ['-c', line], { env, cwd: home }).status).toBe(0);
    fs.rmSync(state, { recursive: true });
    expect(spawnSync('tar', ['-xzf', 'llm-observability-state.tar.gz', '-C', '.local/state'], { cwd: home }).status).toBe(0);
    ['passphrase', 'backend/dev.json'].forEach((file) => expect(fs.readFileSync(path.join(state, file), 'utf8')).toBe(file));
  });

  test('nothing of this project is left in it, and all else is', () => {
    const { env, home } = machine();
    const left = ['.local/state/other', '.cache/other'];
    [...left, '.local/state/llm-observability/backend', '.cache/llm-observability/plugins'].forEach((folder) => fs.mkdirSync(path.join(home, folder), { recursive: true }));
    const [line = '', ...more] = lines.filter((each) => each.startsWith('rm -rf '));
    expect(more).toEqual([]);
    expect(spawnSync('sh', ['-c', line], { env, cwd: home }).status).toBe(0);
    expect(['.local/state', '.cache'].flatMap((folder) => fs.readdirSync(path.join(home, folder)).map((name) => `${folder}/${name}`))).toEqual(left);
  });

  const moving = (): { home: string; old: string; usual: string; move: () => { status: number | null; stderr: string; stdout: string } } => {
    const { env, home } = machine();
    fs.copyFileSync('__tests__/support/stand-in-stacks.cjs', path.join(env['PATH']?.split(':')[0] ?? '', 'npm'));
    fs.chmodSync(path.join(env['PATH']?.split(':')[0] ?? '', 'npm'), 0o755);
    const usual = path.join(home, '.local', 'state', 'llm-observability');
    const old = path.join(home, '.state');
    for (const [folder, passphrase, stack] of [[usual, 'theirs', 'other'], [old, 'ours', 'dev']] as const) {
      fs.mkdirSync(path.join(folder, 'backend'), { recursive: true });
      fs.writeFileSync(path.join(folder, 'passphrase'), `${passphrase}\n`);
      fs.writeFileSync(path.join(folder, 'backend', `${stack}.json`), JSON.stringify({ passphrase, resources: [stack] }));
    }
    const [block = ''] = blocks('docs/state.md').filter((each) => each.startsWith('new='));
    return { home, old, usual, move: () => spawnSync('sh', ['-ec', `${block}\nenv`], { env, cwd: home, encoding: 'utf8' }) };
  };

  test('a stack moves to the folder of the others, with its passphrase changed to theirs', () => {
    const { home, usual, move } = moving();
    const { status, stdout, stderr } = move();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const state = (stack: string): unknown => JSON.parse(fs.readFileSync(path.join(usual, 'backend', `${stack}.json`), 'utf8'));
    expect([state('dev'), state('other')]).toEqual([{ passphrase: 'theirs', resources: ['dev'] }, { passphrase: 'theirs', resources: ['other'] }]);
    // What follows in the same shell is on the usual folder again.
    expect(stdout).not.toContain('PULUMI_');
    expect(fs.existsSync(path.join(home, 'dev.json'))).toBe(false);
  });

  test('one that is there already stays as it is', () => {
    const { usual, move } = moving();
    const file = path.join(usual, 'backend', 'dev.json');
    fs.writeFileSync(file, JSON.stringify({ passphrase: 'theirs', resources: ['their dev'] }));
    expect(move()).toMatchObject({ status: 255, stderr: "error: stack 'dev' already exists\n" });
    expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toEqual({ passphrase: 'theirs', resources: ['their dev'] });
  });

  rows(lines.filter((line) => /^(export|unset) \S/.test(line) && !line.includes('$new')))('a variable is set or unset', (line) => {
    const { env, home } = machine();
    expect(spawnSync('sh', ['-euc', line], { env, cwd: home, encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });
});

describe('pulumi', () => {
  const known = pulumiOptions.map(({ long }) => long);
  test('there are some, and those that are not run are among them', () => {
    expect(pulumiLines.length).toBeGreaterThan(20);
    expect(pulumiLines).toEqual(expect.arrayContaining(pulumiNotRun));
  });

  rows(pulumiLines)('their options are known, their keys are settings, and their values are taken', (line) => {
    const words = (line.replace(/ < .*$/, '').match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, '$1'));
    expect(words.filter((word) => word.startsWith('--') && word !== '--' && !known.includes(word))).toEqual([]);
    const [key, value] = /config set/.test(line) ? words.slice(words.indexOf('set') + 1).filter((word, index, all) => !word.startsWith('--') && all[index - 1] !== '--stack') : [];
    if (key !== undefined && key !== 'KEY') {
      expect(Object.keys(keys)).toContain(key);
      if (value !== undefined && !/^[A-Z]+$/.test(value)) {
        expect(() => keys[key as keyof typeof keys].parse(value)).not.toThrow();
      }
    }
  });
});
