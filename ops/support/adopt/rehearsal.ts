/**
 * The stack beside the old setup, on other ports and with a copy of its data: what works here works when the ports and the rest
 * of the data follow. The old setup is not changed.
 */
import { hostName, stackLabel } from '../../../components/names';
import { engineMessage, engineRequest, type Engine } from '../../../engine';
import { refusal } from '../../../settings/problem';
import { configArgs, Refused } from '../deploy';
import { lastWords } from '../diagnosis';
import { projectName } from '../project';
import type { Pulumi } from '../pulumi';
import { Failure, say } from '../say';
import { ScratchSettings } from '../scratch-settings';
import { amount } from './plan';
import type { Plan } from './survey';

export class Rehearsal {
  private readonly settings: ScratchSettings;

  /**
   * @param config settings that the stack file lacks, and the offset of the ports
   * @param secrets the same, of those that are secret
   */
  constructor(private readonly pulumi: Pulumi, private readonly engine: Engine, private readonly config: Readonly<Record<string, string>>, private readonly secrets: Readonly<Record<string, string>>) {
    this.settings = new ScratchSettings(pulumi.stack);
  }

  /** @throws Refused with every problem of the settings, which is shown, before anything is created */
  async preview(): Promise<void> {
    await this.pulumi.setSecrets(this.secrets, this.settings.args);
    const run = await this.pulumi.run(['preview', ...this.args]);
    if (run.code !== 0) {
      say(run.stdout + run.stderr);
      throw this.pulumi.known(run) ?? new Refused(refusal.test(run.stdout + run.stderr) ? 'Not adopted: the settings above are refused.' : 'Not adopted; the reason is above. Nothing was changed.');
    }
  }

  /** @throws Failure if the stack does not start, or does not hold the data */
  async run({ data }: Plan): Promise<void> {
    const owner = `${projectName}/${this.pulumi.stack}`;
    const made = await engineRequest(this.engine, 'POST', '/volumes/create', { body: { Name: data.volume, Labels: { [stackLabel]: owner } } });
    if (made.status >= 400) {
      throw new Failure(`Volume ${data.volume} could not be created: ${engineMessage(made)}.`);
    }
    say(`Copying the data to volume ${data.volume}, while the old Phoenix is running`);
    const copied = await data.snapshot();
    say(`Copied ${amount(copied)}; deploying the stack beside the old setup`);
    const run = await this.pulumi.show(['up', ...this.args, '--yes', '--skip-preview']);
    if (run.code !== 0) {
      (await lastWords(this.engine, owner)).forEach(say);
      throw this.pulumi.known(run) ?? new Failure('The stack did not start beside the old setup; the reason is above.');
    }
    const found = await data.countNew();
    if (found.traces < copied.traces || found.spans < copied.spans) {
      throw new Failure(`The new Phoenix holds ${amount(found)} of the ${amount(copied)} that were copied.`, [`docker logs ${hostName('phoenix', this.pulumi.stack)}`]);
    }
  }

  end(): void {
    this.settings.remove();
  }

  private get args(): string[] {
    return [...this.settings.args, '--non-interactive', ...configArgs(this.config)];
  }
}
