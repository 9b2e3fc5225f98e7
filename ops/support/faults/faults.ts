/**
 * The faults: what each does to which container, how it is reverted, and what a stack needs for it.
 */
import { Failure } from '../say';
import type { Container } from './container';
import type { Target } from './target';

/** The duration of a fault. */
export interface Course {
  /** Waits some seconds. */
  hold(seconds: number): Promise<void>;
  /** What was accepted since the start and is not stored now is the fault's bound of what may be lost. */
  damages(): void;
}

/** The required settings of a stack. */
export interface Needs {
  readonly config?: Readonly<Record<string, string>>;
  /** The services whose data is on a separate disk of this many MiB. */
  readonly disk?: { readonly of: 'phoenix' | 'alloy'; readonly MiB: number };
}

export interface Fault {
  readonly name: string;
  /** For the list: what happens. */
  readonly about: string;
  /** Default: a stack without settings. */
  readonly needs?: Needs;
  /** Whether it affects the engine, and so every container of the machine: only on request. */
  readonly ofEngine?: boolean;
  /** Whether the docker-compose setup can have it too. */
  readonly onSeed?: boolean;
  /** Spans that nothing could keep, in words. Default: none may be lost. */
  readonly bound?: 'what waited in the queue';
  /** Injects it, and reverts it. */
  readonly happen: (target: Target, course: Course) => Promise<void>;
  /** What a person has to do if ingest does not resume by itself, in words, and the action. */
  readonly repair?: { readonly about: string; readonly work: (target: Target) => Promise<void> };
}

/** Seconds for which something is unavailable. */
const outage = 30;

const gateOf = ({ gate }: Target): Container => must(gate);
const daemonOf = ({ daemon }: Target): NonNullable<Target['daemon']> => must(daemon);
const volumesOf = ({ inVolume }: Target): NonNullable<Target['inVolume']> => must(inVolume);
const upOf = ({ up }: Target): NonNullable<Target['up']> => must(up);

function must<T>(part: T | undefined): T {
  if (part === undefined) {
    throw new Failure('This fault needs a stack.');
  }
  return part;
}

/** Overwrites the queue while Alloy is stopped and something waits in it. */
const damage = (script: string): Fault['happen'] => async (target, { hold, damages }) => {
  await target.phoenix.pause();
  try {
    await hold(10);
    await target.alloy.stop();
    damages();
    await volumesOf(target)('queue', script).finally(target.alloy.start);
  } finally {
    await target.phoenix.unpause();
  }
};

const eachFile = `
import os, secrets, sys
files = [os.path.join(dir, name) for dir, _, names in os.walk("/volume/queue") for name in names]
if not files:
    sys.exit("there is no queue file")
for name in files:
`;

const removeQueue: Fault['repair'] = {
  about: 'the queue file was removed',
  work: async (target) => {
    await target.alloy.stop();
    await volumesOf(target)('queue', `${eachFile}    os.remove(name)\n`);
    await target.alloy.start();
  },
};

const wrongKey = `
import os
for name in os.listdir("/volume"):
    file = "/volume/" + name
    os.link(file, file + ".kept")
    with open(file + ".new", "w") as wrong:
        wrong.write("Bearer wrong")
    os.chmod(file + ".new", 0o644)
    os.replace(file + ".new", file)
`;

const rightKey = `
import os
for name in os.listdir("/volume"):
    if name.endswith(".kept"):
        os.replace("/volume/" + name, "/volume/" + name[:-5])
`;

const smallQueueDisk: Needs = { disk: { of: 'alloy', MiB: 48 } };
const smallDatabaseDisk: Needs = { disk: { of: 'phoenix', MiB: 192 } };
const login: Needs = { config: { 'phoenix:auth': 'true' } };

/** Faults that need the same stack are grouped. */
export const faults: readonly Fault[] = [
  { name: 'phoenix-sigterm', about: 'Phoenix is restarted by SIGTERM', onSeed: true, happen: ({ phoenix }) => phoenix.restart() },
  { name: 'phoenix-sigkill', about: 'Phoenix is killed by SIGKILL', onSeed: true, happen: ({ phoenix }) => phoenix.crash() },
  { name: 'phoenix-oom', about: 'Phoenix runs out of memory', onSeed: true, happen: ({ phoenix }) => phoenix.exhaustMemory() },
  {
    name: 'phoenix-pause', about: `Phoenix is paused for ${outage} s`, onSeed: true,
    happen: async ({ phoenix }, { hold }) => {
      await phoenix.pause();
      await hold(outage).finally(phoenix.unpause);
    },
  },
  {
    name: 'phoenix-network', about: `Phoenix is off its network for ${outage} s`, onSeed: true,
    happen: async ({ phoenix }, { hold }) => {
      const connect = await phoenix.disconnect();
      await hold(outage).finally(connect);
    },
  },
  { name: 'alloy-sigkill', about: 'Alloy is killed by SIGKILL', onSeed: true, happen: ({ alloy }) => alloy.crash() },
  {
    name: 'alloy-sigkill-backlog', about: 'Alloy is killed by SIGKILL while Phoenix is paused and spans wait', onSeed: true,
    happen: async ({ phoenix, alloy }, { hold }) => {
      await phoenix.pause();
      try {
        await hold(10);
        await alloy.crash();
        await hold(10);
      } finally {
        await phoenix.unpause();
      }
    },
  },
  { name: 'alloy-oom', about: 'Alloy runs out of memory', onSeed: true, happen: ({ alloy }) => alloy.exhaustMemory() },
  { name: 'both-sigkill', about: 'Phoenix and Alloy are killed at once', onSeed: true, happen: ({ phoenix, alloy }) => phoenix.crash(alloy) },
  { name: 'gate-sigkill', about: 'the gate is killed by SIGKILL', happen: (target) => gateOf(target).crash() },
  { name: 'engine-sigterm', about: 'the Docker Engine is restarted', ofEngine: true, happen: (target) => daemonOf(target).restart() },
  { name: 'engine-sigkill', about: 'the Docker Engine is killed by SIGKILL', ofEngine: true, happen: (target) => daemonOf(target).crash() },
  {
    name: 'queue-meta', about: "both meta pages of Alloy's queue file are overwritten while it is stopped",
    bound: 'what waited in the queue', repair: removeQueue,
    happen: damage(`${eachFile}    with open(name, "r+b") as f:\n        f.write(secrets.token_bytes(8192))\n`),
  },
  {
    name: 'queue-cut', about: "Alloy's queue file is cut in half while it is stopped",
    bound: 'what waited in the queue', repair: removeQueue,
    happen: damage(`${eachFile}    os.truncate(name, os.path.getsize(name) // 2)\n`),
  },
  { name: 'memory-setting', about: 'phoenix:memory is changed, which replaces the container', happen: (target) => upOf(target)('-c', 'phoenix:memory=1536MiB') },
  {
    name: 'auth-on-off', about: 'phoenix:auth is switched on, and off again',
    happen: async (target) => {
      await upOf(target)('-c', 'phoenix:auth=true');
      await upOf(target)('-c', 'phoenix:auth=false');
    },
  },
  {
    name: 'wrong-key', about: 'Alloy has a wrong API key for two minutes', needs: login,
    happen: async (target, { hold }) => {
      // The right one is moved aside in the volume, where nothing reads it.
      await volumesOf(target)('secrets', wrongKey);
      await hold(120).finally(() => volumesOf(target)('secrets', rightKey));
    },
  },
  {
    name: 'rotate-all', about: "PHOENIX_SECRET, the admin secret and Alloy's key are rotated at once", needs: login,
    happen: (target) => upOf(target)('--rotate', 'secret', '--rotate', 'admin-secret', '--rotate', 'alloy'),
  },
  {
    name: 'alloy-disk', about: `the disk of Alloy's queue is full for ${outage} s while Phoenix is paused`, needs: smallQueueDisk,
    happen: async ({ alloy, phoenix }, { hold }) => {
      await phoenix.pause();
      try {
        const makeRoom = await alloy.fill('/var/lib/alloy');
        await hold(outage).finally(makeRoom);
      } finally {
        await phoenix.unpause();
      }
    },
  },
  {
    name: 'phoenix-disk', about: `the disk of Phoenix's database is full for ${outage} s`, needs: smallDatabaseDisk,
    happen: async ({ phoenix }, { hold }) => {
      const makeRoom = await phoenix.fill('/phoenix_storage');
      await hold(outage).finally(makeRoom);
    },
    repair: { about: 'Phoenix was restarted', work: ({ phoenix }) => phoenix.restart() },
  },
];

/**
 * @param ofEngine whether engine faults are allowed
 * @throws Failure for an unknown name, and for an engine fault without that permission
 */
export function named(names: readonly string[], ofEngine: boolean): readonly Fault[] {
  const unknown = names.filter((name) => !faults.some((fault) => fault.name === name));
  if (unknown.length > 0) {
    throw new Failure(`There is no fault ${unknown.map((name) => `'${name}'`).join(', ')}.`, ['npm run faults -- --list']);
  }
  const chosen = names.length === 0 ? faults.filter((fault) => ofEngine || !fault.ofEngine) : faults.filter(({ name }) => names.includes(name));
  const refused = chosen.find((fault) => fault.ofEngine && !ofEngine);
  if (refused) {
    throw new Failure(`${refused.name} stops every container of this machine for some seconds.`, [`npm run faults -- --only ${names.join(',')} --engine`]);
  }
  return chosen;
}
