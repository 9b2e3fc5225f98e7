import type * as docker from '@pulumi/docker';
import type { HostFacts } from './preflight';
import type { Settings } from './settings';

/** What every part of a stack is made from. */
export interface Host {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on everything that is made. */
  readonly owner: string;
  readonly network: docker.Network;
  readonly settings: Settings;
  readonly facts: HostFacts;
}
