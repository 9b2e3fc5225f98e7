/**
 * The only access from here to lab/, which builds from package registries what cannot be downloaded. It is loaded only if needed.
 */
import type * as lab from '../../lab';
import { agreed, atTerminal, type Consent } from './ask';
import { projectDir } from './backend';
import type { Plugin } from './plugins';
import { Failure, say } from './say';

export type Lab = typeof lab;
export type Part = lab.Part;
export type LabOptions = lab.LabOptions;

/** The whole lab, for code that needs more than a build. */
export const laboratory = (): Promise<Lab> => import('../../lab');

/** Whether this run was confirmed: it asks once. */
let agreedOn = false;

/**
 * The lab, for building some parts, after its plan was shown and confirmed. Without a terminal, as in CI, it continues by
 * itself.
 * @param parts everything that the run will build, as far as it is known: one plan for all
 * @param consent `never` for commands that must not change this machine
 * @throws Failure if nothing may be built, or building is not possible
 */
export async function buildPlan(parts: readonly Part[], consent: Consent, options: LabOptions = {}): Promise<Lab> {
  const lab = await laboratory();
  const steps = await told(lab.plan(parts, options));
  if (steps.length === 0) {
    return lab;
  }
  planLines(steps).forEach(say);
  const lacking = await told(lab.lack(steps, options));
  if (lacking.length > 0) {
    throw new Failure(`Nothing was built. ${lacking.map(lab.lackText).join(' ')}`, lacking.map(({ folder }) => `df -h ${folder}`));
  }
  if (consent === 'never') {
    throw new Failure('Nothing is built by this command.', ['npm run up']);
  }
  if (consent === 'ask' && !agreedOn && atTerminal() && !(await agreed('Build these now? [y/N] '))) {
    throw new Failure('Nothing was built.');
  }
  agreedOn = true;
  return lab;
}

/** What is built, from where, how long it takes, how much disk, and what is installed for it. */
export function planLines(steps: readonly lab.Step[]): string[] {
  const rows = steps.map(({ title, from, minutes, megabytes }) => [title, `from ${from}`, `${minutes} min`, gigabytes(megabytes)]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const packages = [...new Set(steps.flatMap((step) => step.packages))];
  return [
    'To be built here, once, because it cannot be downloaded:',
    ...rows.map((row) => `  ${row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`),
    `It takes up to ${minutesOf(steps)} minutes on two idle cores and ${gigabytes(steps.reduce((sum, { megabytes }) => sum + megabytes, 0))} of disk.`,
    ...(packages.length > 0 ? [`Debian packages that are installed for it: ${packages.join(', ')}`] : []),
  ];
}

/** A failed build reports what to do; it is not a bug of this program, so its stack trace is not shown. */
export async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof Failure ? error : new Failure((error as Error).message);
  }
}

const gigabytes = (megabytes: number): string => `${(megabytes / 1000).toFixed(1)} GB`;

const minutesOf = (steps: readonly lab.Step[]): number => steps.reduce((sum, { minutes }) => sum + minutes, 0);

/** A CLI that was built before. */
export async function builtCli(): Promise<string | undefined> {
  return (await laboratory()).builtPulumiCli();
}

/** Folder with the stand-ins for some plugins, to be put first on PATH. */
export async function standInsFor(plugins: readonly Plugin[]): Promise<string> {
  const { cacheRoot, standIns } = await laboratory();
  return standIns(plugins, { projectDir, cacheDir: cacheRoot() });
}
