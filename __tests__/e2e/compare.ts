/**
 * The numbers of the README's section "Why not docker-compose": the same load and the same events for Phoenix and Alloy in
 * docker-compose, and for a stack of this project with its usual settings, with the same images, side by side. Takes about
 * ten minutes. Prints rows of a table in Markdown.
 *
 *     node --import tsx __tests__/e2e/compare.ts
 */
import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Seed } from '../../lab';
import type { Outputs } from '../../ops/support/outputs';
import { docker, storedSpans, until } from './checkout';
import { usedImages } from './images';
import { underLoad } from './load';

const stack = 'compare';
const project = path.join(__dirname, '..', '..');
const minute = 60_000;
const execute = promisify(execFile);

/** Phoenix and Alloy, and what an operator does with them. */
interface SetUp {
  readonly name: string;
  /** Added to the usual ports, which may be those of a stack at work. */
  readonly offset: number;
  readonly phoenix: string;
  readonly alloy: string;
  /** Opens Phoenix once the login is on. */
  adminSecret: string;
  replacePhoenix(): Promise<unknown>;
  switchLoginOn(): Promise<unknown>;
  /** Alloy gets a key that Phoenix takes, in place of one that it does not. */
  newKey(): Promise<unknown>;
  remove(): Promise<unknown>;
}

const phoenixUi = ({ offset }: SetUp): string => `http://127.0.0.1:${6006 + offset}`;

async function compose(): Promise<SetUp> {
  const images = await usedImages();
  const offset = 700;
  const seed = await Seed.make({
    images, ports: {
      phoenixUi: 6006 + offset, phoenixOtlpGrpc: 14317 + offset, phoenixOtlpHttp: 14318 + offset, otlpGrpc: 4317 + offset, otlpHttp: 4318 + offset, alloyUi: 12345 + offset,
    },
  });
  const login = { secret: randomBytes(24).toString('hex'), adminSecret: randomBytes(24).toString('hex') };
  const setUp: SetUp = {
    name: 'docker-compose', offset, phoenix: '', alloy: '', adminSecret: '',
    replacePhoenix: () => seed.compose('up', '-d', '--force-recreate', '--no-deps', 'phoenix'),
    switchLoginOn: async () => {
      seed.write(login);
      await seed.compose('up', '-d', '--no-deps', 'phoenix');
      setUp.adminSecret = login.adminSecret;
      await until('Phoenix', async () => (await ask(setUp, '/v1/system/api_keys')).ok);
      // A person logs in, changes the password, makes a key on a page and pastes it into the file.
      await pause(minute);
      await setUp.newKey();
    },
    newKey: async () => {
      const made = await ask(setUp, '/v1/system/api_keys', { method: 'POST', body: JSON.stringify({ data: { name: 'alloy', description: '', expires_at: null } }) });
      seed.write({ ...login, key: ((await made.json()) as { data: { key: string } }).data.key });
      await seed.compose('restart', 'alloy');
    },
    remove: () => seed.remove(),
  };
  await seed.compose('up', '-d').catch((error: unknown) => seed.remove().then(() => Promise.reject(error)));
  return Object.assign(setUp, { phoenix: await seed.container('phoenix'), alloy: await seed.container('alloy') });
}

async function here(): Promise<SetUp> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'compare-'));
  const npm = async (...args: string[]): Promise<string> =>
    (await execute('npm', ['run', '--silent', ...args], { cwd: project, env: { ...process.env, XDG_STATE_HOME: home }, maxBuffer: 64 << 20 })).stdout;
  const up = (...args: string[]): Promise<string> => npm('up', '--', '--stack', stack, '--yes', ...args);
  const setUp: SetUp = {
    name: 'here', offset: 800, phoenix: `phoenix-${stack}`, alloy: `alloy-${stack}`, adminSecret: '',
    replacePhoenix: () => up('-c', 'phoenix:memory=1536MiB'),
    switchLoginOn: async () => {
      await up('-c', 'phoenix:auth=true');
      setUp.adminSecret = (JSON.parse(await npm('pulumi', '--', 'stack', 'output', '--json', '--show-secrets', '--stack', stack)) as Outputs).adminSecret ?? '';
    },
    newKey: () => up(),
    remove: async () => {
      await npm('down', '--', '--stack', stack, '--purge', '--yes');
      [home, path.join(project, `Pulumi.${stack}.yaml`)].forEach((file) => fs.rmSync(file, { recursive: true, force: true }));
    },
  };
  await up('-c', `ports:offset=${setUp.offset}`);
  return setUp;
}

function ask(setUp: SetUp, pathname: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${phoenixUi(setUp)}${pathname}`, { ...init, headers: { authorization: `Bearer ${setUp.adminSecret}`, 'content-type': 'application/json' } });
}

const events: Readonly<Record<string, (setUp: SetUp) => Promise<unknown>>> = {
  'Phoenix is down for a minute': async ({ phoenix }) => {
    await docker('stop', phoenix);
    await pause(minute);
    await docker('start', phoenix);
  },
  'Alloy is restarted while Phoenix is down': async ({ phoenix, alloy }) => {
    await docker('stop', phoenix);
    await pause(minute / 4);
    await docker('restart', alloy);
    await pause(minute / 4);
    await docker('start', phoenix);
  },
  'Phoenix\'s container is replaced': (setUp) => setUp.replacePhoenix(),
  'Login is switched on': (setUp) => setUp.switchLoginOn(),
  'The API key is revoked for a minute': async (setUp) => {
    const { data } = (await (await ask(setUp, '/v1/system/api_keys')).json()) as { data: { id: string; name: string }[] };
    await ask(setUp, `/v1/system/api_keys/${data.find(({ name }) => name === 'alloy')?.id}`, { method: 'DELETE' });
    await pause(minute);
    await setUp.newKey();
  },
};

/** Spans that Phoenix has stored, once nothing more comes: as many as were accepted, or no other number for 45 seconds. */
async function storedInTheEnd(setUp: SetUp, name: string, accepted: number): Promise<number> {
  let [stored, since] = [-1, Date.now()];
  while (stored < accepted && Date.now() - since < 45_000) {
    const now = await storedSpans(phoenixUi(setUp), name, setUp.adminSecret).catch(() => undefined);
    // A Phoenix that does not answer yet says nothing about what comes.
    [stored, since] = now === stored ? [stored, since] : [now ?? stored, Date.now()];
    await pause(1_000);
  }
  return stored;
}

async function measure(make: () => Promise<SetUp>): Promise<void> {
  const setUp = await make();
  try {
    await until('Phoenix', async () => (await fetch(phoenixUi(setUp))).ok);
    for (const [event, happen] of Object.entries(events)) {
      const project = event.replace(/\W+/g, '-');
      // A third of what Phoenix stores on one core: what has waited is stored soon after.
      const accepted = await underLoad(project, () => happen(setUp), { receiver: `127.0.0.1:${4317 + setUp.offset}`, spansPerSecond: 50 });
      const stored = await storedInTheEnd(setUp, project, accepted);
      console.log(`| ${event} | ${setUp.name} | ${accepted} | ${stored} | ${accepted - stored} |`);
    }
  } finally {
    await setUp.remove();
  }
}

async function main(): Promise<void> {
  console.log(`${Object.values(await usedImages()).join(', ')}, ${new Date().toISOString().slice(0, 10)}`);
  console.log('| Event | Set-up | accepted | stored | lost |\n| --- | --- | --- | --- | --- |');
  const ended = await Promise.allSettled([measure(compose), measure(here)]);
  ended.forEach((one) => one.status === 'rejected' && console.error(one.reason));
  process.exitCode = ended.every(({ status }) => status === 'fulfilled') ? 0 : 1;
}

void main();
