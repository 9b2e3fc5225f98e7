/**
 * Secrets are nowhere: which a stack has, where somebody on its host could see them, and that they are not there.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { stackLabel } from '../../components/names';
import { docker, type Checkout } from './checkout';
import { finished } from './load';

/** Texts, each by the name of the place where it stands. */
export type Places = Record<string, string>;

/** What the stack has generated, and its keys of Phoenix. Without auth a key is an empty text, which is everywhere. */
export async function secretsOf(checkout: Checkout): Promise<string[]> {
  const { stdout } = await checkout.pulumi('stack', 'export', '--show-secrets');
  const { deployment } = JSON.parse(stdout) as { deployment: { resources: { outputs?: { key?: { plaintext: string }; result?: { plaintext: string } } }[] } };
  return deployment.resources.flatMap(({ outputs }) => [outputs?.key, outputs?.result]).flatMap((one) => (one ? [JSON.parse(one.plaintext) as string] : [])).filter((text) => text !== '');
}

/** How its containers were started, those too that never were, and what they have written. */
export async function placesOfContainers(stack: string): Promise<Places> {
  const names = (await docker('ps', '--all', '--format', '{{.Names}}', '--filter', `label=${stackLabel}=llm-observability/${stack}`)).split('\n');
  // Written by Go, & and < are not there as they are.
  const places: Places = { [`docker inspect of ${stack}`]: JSON.stringify(JSON.parse(await docker('inspect', ...names))) };
  for (const name of names) {
    places[`log of ${name}`] = (await finished('docker', ['logs', name])).output;
  }
  return places;
}

/** Its containers and its files, what it prints, and the processes of the host. */
export async function placesOf(checkout: Checkout): Promise<Places> {
  const places: Places = {
    ...await placesOfContainers(checkout.stack),
    processes: (await finished('ps', ['-eww', '-o', 'args'])).output,
    [`outputs of ${checkout.stack}`]: (await checkout.pulumi('stack', 'output', '--json')).stdout,
    [`stack file of ${checkout.stack}`]: fs.readFileSync(path.join(checkout.dir, `Pulumi.${checkout.stack}.yaml`), 'utf8'),
  };
  // Last: commands write there.
  const files = fs.readdirSync(checkout.state, { withFileTypes: true, recursive: true }).filter((one) => one.isFile());
  return { ...places, state: files.map((one) => fs.readFileSync(path.join(one.parentPath, one.name), 'latin1')).join('\n') };
}

/** Fails with the places, and not with the secrets. */
export function expectNowhere(secrets: readonly string[], places: Places): void {
  // Secrets that were not found would be nowhere, too.
  expect(secrets.length).toBeGreaterThan(0);
  expect(Object.keys(places).filter((place) => secrets.some((secret) => places[place]?.includes(secret)))).toEqual([]);
}
