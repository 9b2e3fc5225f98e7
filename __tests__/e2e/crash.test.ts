/**
 * Phoenix killed with spans in its memory, on real parts: with phoenix:journal every span that Alloy has accepted is stored.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Outputs } from '../../ops/support/outputs';
import { Checkout, docker, storedSpans, until } from './checkout';
import { underLoad } from './load';
import { above, offsets } from './offsets';

const stack = 'crash';
const [phoenix, journal] = [`phoenix-${stack}`, `journal-${stack}`];
const receiver = `127.0.0.1:${4317 + offsets.crash}`;
let checkout: Checkout;
let deployed: Outputs;

beforeAll(async () => {
  checkout = await Checkout.clone(stack);
  await checkout.up({ 'phoenix:journal': 'true', ...above('crash') });
  deployed = await checkout.outputs();
});

afterAll(async () => {
  const { code, stderr } = await checkout.command('down', ['--purge', '--yes']);
  fs.rmSync(path.dirname(checkout.dir), { recursive: true, force: true });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(await docker('volume', 'ls', '--quiet', '--filter', `name=${stack}`)).toBe('');
});

interface Kept {
  readonly waiting: number;
  readonly sentAgain: number;
  readonly gaveUp: number;
  readonly dropped: number;
  readonly kept: number;
}

async function kept(): Promise<Kept> {
  const ask = "import urllib.request as u;print(u.urlopen('http://127.0.0.1:4318/status',timeout=5).read().decode())";
  return JSON.parse(await docker('exec', journal, 'python3', '-ISc', ask)) as Kept;
}

const stored = (project: string): Promise<number> => storedSpans(deployed.endpoints.phoenixUi, project);

/** Spans that Alloy has accepted, by its own count: telemetrygen drops what it makes faster than it can send. */
async function acceptedByAlloy(): Promise<number> {
  const text = await (await fetch(`${deployed.endpoints.alloyUi}/metrics`)).text();
  return [...text.matchAll(/^otelcol_receiver_accepted_spans_total\{.* (\S+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function kill(): Promise<void> {
  await docker('kill', '--signal', 'KILL', phoenix);
  await docker('start', phoenix);
}

async function losesNothing(project: string, accepted: number): Promise<void> {
  await until(`${accepted} spans of ${project}`, async () => (await stored(project)) >= accepted, 600_000);
  console.log(`${project}: Alloy accepted ${accepted} spans, Phoenix holds ${await stored(project)}; ${JSON.stringify(await kept())}`);
  expect(await stored(project)).toBe(accepted);
}

test('killed twice under load', async () => {
  const before = await acceptedByAlloy();
  await underLoad('load', async () => {
    for (const count of [1, 2]) {
      await until(`spans, ${count}`, async () => (await stored('load')) > count * 500);
      await kill();
    }
    await until('Phoenix', async () => (await stored('load')) > 1500);
  }, { receiver, spansPerSecond: 300 });
  await losesNothing('load', (await acceptedByAlloy()) - before);
});

test('killed while a backlog drains into it', async () => {
  await docker('stop', phoenix);
  const before = await acceptedByAlloy();
  let accepted = 0;
  while (accepted < Number(process.env['CRASH_BACKLOG'] ?? 3000)) {
    await underLoad('backlog', () => Promise.resolve(), { receiver, spansPerSecond: 600 });
    accepted = (await acceptedByAlloy()) - before;
  }
  await docker('start', phoenix);
  await until('its drain', async () => (await stored('backlog')) > accepted / 10);
  await kill();
  await losesNothing('backlog', accepted);
});

test('a backup under load is proven, and restored under load: what it counted is there, and what comes meanwhile arrives', async () => {
  const folder = path.dirname(checkout.dir);
  const passphrase = path.join(folder, 'passphrase');
  fs.writeFileSync(passphrase, 'correct horse battery\n', { mode: 0o600 });
  const [load, backlog] = [await stored('load'), await stored('backlog')];
  let said = '';
  await underLoad('saved', async () => {
    await until('spans', async () => (await stored('saved')) > 500);
    const { code, stdout, stderr } = await checkout.command('backup', ['--to', folder, '--passphrase-file', passphrase, '--json']);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    said = stdout;
  }, { receiver, spansPerSecond: 100 });
  const { file, spans, proven } = JSON.parse(said.slice(said.indexOf('{'))) as { file: string; spans: number; proven: boolean };
  expect(proven).toBe(true);
  expect(spans).toBeGreaterThan(load + backlog + 500);
  await underLoad('meanwhile', async () => {
    const { code, stderr } = await checkout.command('restore', [file, '--yes', '--passphrase-file', passphrase]);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  }, { receiver, spansPerSecond: 100 });
  await until('what came meanwhile', async () => (await stored('meanwhile')) > 0);
  expect([await stored('load'), await stored('backlog')]).toEqual([load, backlog]);
  expect(await stored('saved')).toBeGreaterThan(500);
  expect(await docker('ps', '--all', '--quiet', '--filter', `name=${phoenix}-backup`)).toBe('');
});

test('a planned replacement sends nothing of all that again, and what is stored is known to be', async () => {
  await until('everything to be known', async () => (await kept()).waiting === 0);
  const before = await kept();
  const { changes } = await checkout.up({ 'phoenix:rootUrl': 'http://localhost:8080' });
  expect(changes['replaced']).toBeGreaterThan(0);
  const { gaveUp, dropped, sentAgain } = await kept();
  // The trace of the check itself, at most.
  expect(sentAgain - before.sentAgain).toBeLessThanOrEqual(2);
  expect({ gaveUp, dropped }).toEqual({ gaveUp: 0, dropped: 0 });
});
