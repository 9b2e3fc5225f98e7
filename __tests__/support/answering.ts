import { Pulumi } from '../../ops/support/pulumi';
import { fakePulumi, type FakePulumi, type Said } from './fake-pulumi';

/** Stack `dev` with a CLI that answers every run with this. */
export function answering(said: Said, env: Record<string, string> = {}): { pulumi: Pulumi; cli: FakePulumi } {
  const cli = fakePulumi({ '': said });
  return { pulumi: new Pulumi({ pulumi: cli.file, env }, 'dev'), cli };
}
