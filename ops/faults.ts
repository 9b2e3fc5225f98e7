/**
 * `npm run faults`: makes a stack of its own, breaks it under load in one way after the other, and prints for each what was
 * accepted and not stored. It touches no other stack, and removes its own, on Ctrl-C too.
 */
import { execFileSync } from 'node:child_process';
import { chooseEngine, isLocal } from '../engine';
import { faults } from './commands';
import { projectDir } from './support/backend';
import { main } from './support/command-line';
import { engineOf, ensureEngine } from './support/docker';
import { faults as all, named, type Fault, type Needs } from './support/faults/faults';
import { Cleaning } from './support/faults/cleaning';
import { isGood, line, markdown, type Row } from './support/faults/row';
import { run } from './support/faults/run';
import { seedTarget, type SeedTarget } from './support/faults/seed';
import { engineVersion, OwnStack, phoenixImage } from './support/faults/stack';
import type { Outputs } from './support/outputs';
import { Failure, say } from './support/say';

main(faults.action(async ({ only = [], list, rate, batch, spanBytes, seed }) => {
  const chosen = named(only);
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
  const helper = await phoenixImage(engine);
  const load = { spansPerSecond: rate, spansPerRequest: batch, spanBytes };
  const rows: Row[] = [];
  const seeds = new Map<string, Row>();
  const broken: string[] = [];
  let deployed: Outputs | undefined;
  const cleaning = new Cleaning();

  const measured = async (fault: Fault, target: Parameters<typeof run>[1], whose: string): Promise<Row | undefined> => {
    say(`${fault.name}${whose}: ${fault.about}`);
    try {
      const row = await run(fault, target, load);
      say(`  ${line(row)}`);
      return row;
    } catch (error) {
      broken.push(`${fault.name}${whose}: ${(error as Error).message}`);
      say(`  could not be done: ${(error as Error).message}`);
      return undefined;
    }
  };

  try {
    for (const group of groupsOf(chosen)) {
      const stack = new OwnStack(engine);
      cleaning.add(() => stack.remove());
      say(`Deploying stack ${stack.name}`);
      const target = await stack.deploy(group.needs, helper);
      deployed = stack.outputs;
      for (const fault of group.faults) {
        if (cleaning.stopped) {
          return;
        }
        const row = await measured(fault, target, '');
        rows.push(...(row ? [row] : []));
      }
      await cleaning.now();
    }
    const onSeed = seed ? chosen.filter((fault) => fault.onSeed) : [];
    if (deployed && onSeed.length > 0) {
      const target: SeedTarget = await seedTarget(engine, deployed);
      cleaning.add(target.remove);
      for (const fault of onSeed) {
        if (cleaning.stopped) {
          return;
        }
        const row = await measured(fault, target, ' with docker-compose');
        if (row) {
          seeds.set(fault.name, row);
        }
      }
    }
  } finally {
    await cleaning.now();
  }

  const versions = deployed ? [deployed.images.phoenix.name, deployed.images.alloy.name, deployed.images.gate.name].join(', ') : '';
  const sizes = `${rate} spans a second, ${batch} a request, ${spanBytes} bytes each`;
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
