/**
 * Builds parts of the lab and prints where they are, one line a part: `node --import tsx lab/cli.ts all`, or any
 * of the names below. What is in the cache is not built again.
 */
import { alloyImage } from './alloy-image';
import { gate } from './gate';
import { postgresql } from './postgresql';
import { prometheus } from './prometheus';
import { runLanes } from './lanes';
import { phoenixImage } from './phoenix';
import { pulumiCli } from './pulumi-cli';
import { pythonOtel } from './python';
import { telemetrygen } from './telemetrygen';
import { victorialogs } from './victorialogs';

type Part = () => Promise<string>;

/** Mostly waiting for the network. */
const downloads: Record<string, Part> = { gate: gate.image, prometheus: prometheus.image, postgresql: postgresql.image, phoenix: phoenixImage, 'python-otel': pythonOtel };
/** Mostly compiling, each on every core: one after the other, the quick ones first. */
const compilations: Record<string, Part> = { telemetrygen, victorialogs: victorialogs.image, pulumi: pulumiCli, alloy: alloyImage };

async function main(names: readonly string[]): Promise<void> {
  const all = { ...downloads, ...compilations };
  const unknown = names.filter((name) => name !== 'all' && !(name in all));
  if (names.length === 0 || unknown.length > 0) {
    throw new Error(`${unknown.length > 0 ? `Unknown: ${unknown.join(', ')}. ` : ''}Usage: node --import tsx lab/cli.ts all|${Object.keys(all).join('|')}`);
  }
  const wanted = (parts: Record<string, Part>): [string, Part][] =>
    Object.entries(parts).filter(([name]) => names.includes('all') || names.includes(name));
  const report = async ([name, part]: [string, Part]): Promise<void> => {
    console.log(`${name} ${await part()}`);
  };
  const lane = (parts: Record<string, Part>): (() => Promise<void>)[] => wanted(parts).map((part) => () => report(part));
  await runLanes([lane(compilations), lane(downloads)]);
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
