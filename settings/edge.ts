/**
 * Settings of an edge stack, which has an Alloy and sends to another stack, and the rules between them.
 */
import { edgeAccess } from './edge-access';
import { fromFile, key, optional, secret, shellQuoted } from './setting';
import type { Problem } from './problem';
import * as tunnel from './tunnel-parse';
import { BrokenRule } from './broken-rule';
import { oneOf } from './parse';

/** A part of the settings: `keys.ts` has all of them. */
export const edgeKeys = {
  'edge:central': optional('prod', 'Stack with Phoenix to which this one sends, through its tunnel: `STACK`, `ORGANIZATION/STACK` or `ORGANIZATION/PROJECT/STACK`. With it the stack is only an Alloy', stackName),
  'edge:access': fromFile('edge.access.json', secret('File that `npm run invite` writes for that stack: its address and the credentials. Without it the deployment reads the outputs of that stack, which requires access to all of its secrets', edgeAccess)),
  'edge:sendTo': key('alloy', "Receiver in that stack: `alloy` (all signals) or `phoenix` itself (traces)", oneOf('alloy', 'phoenix')),
  'edge:token': key('edge', 'Service token of that stack that this one uses, by its name in `tunnel:serviceTokens`', oneToken),
} as const;

function stackName(raw: string): string {
  // A part that begins with a dot is a path, not a name.
  if (!/^(\w[\w.-]*\/){0,2}\w[\w.-]*$/.test(raw)) {
    throw new BrokenRule('it is the name of a stack, as `pulumi stack ls` shows it, or ORGANIZATION/STACK or ORGANIZATION/PROJECT/STACK');
  }
  return raw;
}

function oneToken(raw: string): string {
  const [name, ...more] = tunnel.tokenNames(raw);
  if (name === undefined || more.length > 0) {
    throw new BrokenRule('it is the name of one service token');
  }
  return name;
}

/** Settings, known or not, of parts that an edge stack does not have: they would silently do nothing. */
export const notAtEdge = (name: string): boolean => /^(phoenix|tunnel|cloudflare|grafana|example):/.test(name);

/** @param set the keys in the stack file */
export function edgeProblems(set: readonly string[]): Problem[] {
  return set.filter(notAtEdge).map((name) => ({
    key: name,
    rule: `this stack sends to a central stack (edge:central) and has ${name.startsWith('grafana:') ? 'no Grafana' : 'neither a Phoenix nor a tunnel'}`,
    mend: [`pulumi config rm ${shellQuoted(name)}`],
  }));
}
