/**
 * `npm run faults`: creates a separate stack, breaks it under load in several ways, one after the other, and prints for each what
 * was accepted and not stored. It touches no other stack, and removes its own, also on Ctrl-C.
 */
import { execFileSync } from 'node:child_process';
import { chooseEngine, isLocal } from '../engine';
import { faults } from './commands';
import { projectDir } from './support/backend';
import { main } from './support/command-line';
import { engineOf, ensureEngine } from './support/docker';
import { faults as all, named, type Fault, type Needs } from './support/faults/faults';
import { Cleaning } from './support/faults/cleaning';
import { Daemon } from './support/faults/daemon';
import { isGood, line, markdown, type Row } from './support/faults/row';
import { run } from './support/faults/run';
import { seedTarget } from './support/faults/seed';
import { engineVersion, OwnStack, phoenixImage } from './support/faults/stack';
import type { Target } from './support/faults/target';
import { laboratory } from './support/lab';
import type { Outputs } from './support/outputs';
import { Failure, say } from './support/say';

main(faults.action(async ({ only = [], list, rate, batch, spanBytes, journal, engine: ofEngine, seed }) => {
  const chosen = named(only, ofEngine || list);
  if (list) {
    const width = Math.max(...all.map(({ name }) => name.length));
    chosen.forEach(({ name, about }) => process.stdout.write(`${name.padEnd(width)}  ${about}\n`));
    return;
  }
  const choice = chooseEngine({});
  await ensureEngine(choice, 'never', 'npm run faults');
  const engine = engineOf(choice);
  if (!isLocal(engine)) {
    throw new Failure(`The Docker Engine at ${engine.host} is on a different machine; this command needs one here.`, ['DOCKER_HOST=unix:///var/run/docker.sock npm run faults']);
  }
  const daemon = new Daemon(choice);
  if (ofEngine) {
    daemon.check();
  }
  for (const label of await (await laboratory()).removeUnclaimed()) {
    say(`Removed what an earlier run left when it was killed: ${label}`);
  }
  const helper = await phoenixImage(engine);
  const load = { spansPerSecond: rate, spansPerRequest: batch, spanBytes };
  const rows: Row[] = [];
  const seeds = new Map<string, Row>();
  const broken: string[] = [];
  let deployed: Outputs | undefined;
  const cleaning = new Cleaning();

  /** A setup that may be permanently broken is created anew for the next fault. */
  const inTurn = async (these: readonly Fault[], make: () => Promise<Target>, whose: string, keep: (row: Row) => void): Promise<void> => {
    let target: Target | undefined;
    for (const fault of these) {
      if (cleaning.stopped) {
        return;
      }
      try {
        target ??= await make();
        say(`${fault.name}${whose}: ${fault.about}`);
        const row = await run(fault, target, load);
        say(`  ${line(row)}`);
        keep(row);
        if (row.wholeAfter !== undefined) {
          continue;
        }
      } catch (error) {
        if (cleaning.stopped) {
          return;
        }
        broken.push(`${fault.name}${whose} could not be done: ${(error as Error).message}`);
        say(broken.at(-1) ?? '');
      }
      target = undefined;
      await cleaning.now();
    }
    await cleaning.now();
  };

  for (const { needs, faults: these } of groupsOf(chosen)) {
    await inTurn(these, async () => {
      const stack = new OwnStack(engine);
      cleaning.add(() => stack.remove());
      say(`Deploying stack ${stack.name}`);
      const target = await stack.deploy({ ...needs, config: { ...needs.config, 'phoenix:journal': String(journal) } }, helper);
      deployed = stack.outputs;
      return { ...target, daemon };
    }, '', (row) => rows.push(row));
  }
  const { images = undefined, endpoints = undefined } = deployed ?? {};
  if (seed && images && endpoints) {
    await inTurn(chosen.filter(({ onSeed }) => onSeed), async () => {
      const target = await seedTarget(engine, { images, endpoints });
      cleaning.add(target.remove);
      return target;
    }, ' with docker-compose', (row) => seeds.set(row.fault.name, row));
  }

  const versions = images ? [images.phoenix.name, images.alloy.name, images.gate.name].join(', ') : 'nothing was deployed';
  const sizes = `${rate} spans a second, ${batch} a request, ${spanBytes} bytes each, phoenix:journal ${journal}`;
  process.stdout.write(`${new Date().toISOString().slice(0, 10)}, commit ${commit()}, ${await engineVersion(engine)}, ${versions}; ${sizes}.\n\n${markdown(rows, seeds)}\n`);
  const bad = rows.filter((row) => !isGood(row));
  if (bad.length + broken.length > 0) {
    throw new Failure([...bad.map((row) => `${row.fault.name}: ${line(row)}`), ...broken].join('\n'));
  }
}));

interface Group {
  readonly needs: Needs;
  readonly faults: readonly Fault[];
}

/** Faults that can share a stack. */
function groupsOf(chosen: readonly Fault[]): Group[] {
  const groups = new Map<string, Group>();
  for (const fault of chosen) {
    const { needs = {} } = fault;
    const key = JSON.stringify(needs);
    groups.set(key, { needs, faults: [...(groups.get(key)?.faults ?? []), fault] });
  }
  return [...groups.values()];
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: projectDir, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
