/**
 * `npm run graph`: a diagram of a deployed stack, as a Mermaid flowchart on stdout.
 */
import { graph } from './commands';
import { main } from './support/command-line';
import { diagram } from './support/diagram';
import type { Outputs } from './support/outputs';
import { npmRun } from './support/project';
import { Pulumi } from './support/pulumi';
import { Failure } from './support/say';
import { findToolchain } from './support/toolchain';

main(graph.action(async ({ stack }) => {
  const { resources = [] } = (await new Pulumi(await findToolchain(), stack).state()) ?? {};
  // After a stack is removed, the resources of its data stay in the state.
  const running = resources.some(({ type }) => type === 'docker:index/container:Container');
  const outputs = resources.find(({ type }) => type === 'pulumi:pulumi:Stack')?.outputs as Partial<Outputs> | undefined;
  if (!running || !outputs?.endpoints) {
    throw new Failure(`Stack ${stack} is not deployed.`, [npmRun('up', stack)]);
  }
  process.stdout.write(`${diagram({ resources: resources.map(({ type, inputs = {} }) => ({ type, inputs })), endpoints: { ...outputs.endpoints } })}\n`);
}));
