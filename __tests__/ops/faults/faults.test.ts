/** What each fault asks of which container, and what its scripts do to files. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { faults, named } from '../../../ops/support/faults/faults';
import type { Target } from '../../../ops/support/faults/target';
import { tempDir } from '../../support/temp';

const steps = ['crash', 'exhaustMemory', 'restart', 'stop', 'start', 'pause', 'unpause', 'disconnect', 'fill'] as const;

/** A target that writes down what is asked of it; its volumes are folders here. */
function recorded(fail?: string): { target: Target; done: string[]; volumes: { queue: string; secrets: string } } {
  const done: string[] = [];
  const step = (text: string): void => {
    done.push(text);
    if (text === fail) {
      throw new Error('it did not work');
    }
  };
  const container = (name: string): Target['phoenix'] =>
    ({
      name,
      ...Object.fromEntries(steps.map((what) => [what, async (...args: { name?: string }[]) => {
        step([name, what, ...args.map((arg) => arg.name ?? arg)].join(' '));
        return async () => step(`${name} ${what} undone`);
      }])),
    }) as unknown as Target['phoenix'];
  const volumes = { queue: tempDir(), secrets: tempDir() };
  const inVolume: Target['inVolume'] = async (part, script) => {
    step(`script over ${part}`);
    execFileSync('python3', ['-c', script.replaceAll('/volume', volumes[part])], { stdio: 'pipe' });
  };
  const target = { receiver: '', alloyUi: '', phoenix: container('phoenix'), alloy: container('alloy'), gate: container('gate'), daemon: container('daemon') as unknown as NonNullable<Target['daemon']>, inVolume, up: async (...args: string[]) => step(`up ${args.join(' ')}`) };
  return { target, done, volumes };
}

/** Does one of them; seconds that it waits for are steps. */
async function happen(name: string, { target, done }: ReturnType<typeof recorded>): Promise<void> {
  await named([name], true)[0]?.happen(target, { hold: async (seconds) => void done.push(`${seconds} s`), damages: () => void done.push('damages') });
}

test.each<[string, string[]]>([
  ['phoenix-sigterm', ['phoenix restart']],
  ['phoenix-sigkill', ['phoenix crash']],
  ['phoenix-oom', ['phoenix exhaustMemory']],
  ['phoenix-pause', ['phoenix pause', '30 s', 'phoenix unpause']],
  ['phoenix-network', ['phoenix disconnect', '30 s', 'phoenix disconnect undone']],
  ['alloy-sigkill', ['alloy crash']],
  ['alloy-sigkill-backlog', ['phoenix pause', '10 s', 'alloy crash', '10 s', 'phoenix unpause']],
  ['alloy-oom', ['alloy exhaustMemory']],
  ['both-sigkill', ['phoenix crash alloy']],
  ['gate-sigkill', ['gate crash']],
  ['engine-sigterm', ['daemon restart']],
  ['engine-sigkill', ['daemon crash']],
  ['memory-setting', ['up -c phoenix:memory=1536MiB']],
  ['auth-on-off', ['up -c phoenix:auth=true', 'up -c phoenix:auth=false']],
  ['rotate-all', ['up --rotate secret --rotate admin-secret --rotate alloy']],
  ['alloy-disk', ['phoenix pause', 'alloy fill /var/lib/alloy', '30 s', 'alloy fill undone', 'phoenix unpause']],
  ['phoenix-disk', ['phoenix fill /phoenix_storage', '30 s', 'phoenix fill undone']],
])('%s', async (name, expected) => {
  const set = recorded();
  await happen(name, set);
  expect(set.done).toEqual(expected);
});

describe('the queue file', () => {
  const original = Buffer.alloc(64 << 10, 7);
  const damaged = ['phoenix pause', '10 s', 'alloy stop', 'damages', 'script over queue', 'alloy start', 'phoenix unpause'];
  const withQueue = (): ReturnType<typeof recorded> & { file: string } => {
    const set = recorded();
    const file = path.join(set.volumes.queue, 'queue', 'exporter_otlphttp__traces');
    fs.mkdirSync(path.dirname(file));
    fs.writeFileSync(file, original);
    return { ...set, file };
  };

  test('both meta pages are overwritten, and nothing else', async () => {
    const set = withQueue();
    await happen('queue-meta', set);
    expect(set.done).toEqual(damaged);
    const now = fs.readFileSync(set.file);
    expect([now.length, now.subarray(8192).equals(original.subarray(8192)), now.subarray(0, 4096).equals(original.subarray(0, 4096)), now.subarray(4096, 8192).equals(original.subarray(0, 4096))]).toEqual([original.length, true, false, false]);
  });

  test('it is cut in half', async () => {
    const set = withQueue();
    await happen('queue-cut', set);
    expect([set.done, fs.readFileSync(set.file).equals(original.subarray(original.length / 2))]).toEqual([damaged, true]);
  });

  test('what helps removes it', async () => {
    const set = withQueue();
    await named(['queue-cut'], false)[0]?.repair?.work(set.target);
    expect([set.done, fs.existsSync(set.file)]).toEqual([['alloy stop', 'script over queue', 'alloy start'], false]);
  });

  test('where there is none the fault is not done, and both go on', async () => {
    const set = recorded();
    await expect(happen('queue-meta', set)).rejects.toThrow('there is no queue file');
    expect(set.done.slice(-2)).toEqual(['alloy start', 'phoenix unpause']);
  });
});

test('a wrong key takes the place of the right one, which comes back as it was', async () => {
  const set = recorded();
  const file = path.join(set.volumes.secrets, 'phoenix.authorization');
  fs.writeFileSync(file, 'Bearer right');
  const seen: string[] = [];
  await named(['wrong-key'], false)[0]?.happen(set.target, { hold: async (seconds) => void seen.push(`${seconds} s ${fs.readFileSync(file, 'utf8')}`), damages: () => undefined });
  expect([seen, fs.readFileSync(file, 'utf8'), fs.readdirSync(set.volumes.secrets)]).toEqual([['120 s Bearer wrong'], 'Bearer right', ['phoenix.authorization']]);
});

test('what was paused goes on, whatever fails in between', async () => {
  const set = recorded('alloy crash');
  await expect(happen('alloy-sigkill-backlog', set)).rejects.toThrow('it did not work');
  expect(set.done.at(-1)).toBe('phoenix unpause');
});

test('those for docker-compose ask for nothing that only a stack has', async () => {
  for (const { name } of faults.filter(({ onSeed }) => onSeed)) {
    const { target, done } = recorded();
    await happen(name, { target: { receiver: '', alloyUi: '', phoenix: target.phoenix, alloy: target.alloy }, done, volumes: { queue: '', secrets: '' } });
    expect(done.length).toBeGreaterThan(0);
  }
});
