/**
 * `npm run doctor`: what is there, what is missing, and the command that fixes it. Changes nothing.
 */
import { existsSync, statSync } from 'node:fs';
import { oldestEngineApi } from '../components/catalog';
import { engineGet, type Choice } from '../engine';
import { compareVersions } from '../components/image-reference';
import { doctor } from './commands';
import { backendEnvironment, environmentOf, localState } from './support/backend';
import { main } from './support/command-line';
import { ensureEngine } from './support/docker';
import { choiceOf } from './support/engine-choice';
import { Pulumi } from './support/pulumi';
import { siteAnswers } from './support/reach';
import { surveyImages, type SurveyedImage } from './support/image-survey';
import { Failure } from './support/say';
import { whyNotWritable, type StateFolder } from './support/state-folder';
import { downloadSite, surveyToolchain } from './support/toolchain';

interface Finding {
  readonly part: string;
  readonly ok: boolean;
  readonly text: string;
  readonly mend?: string;
}

main(doctor.action(async ({ stack }) => {
  const findings: Finding[] = [];
  const show = (finding: Finding): void => {
    findings.push(finding);
    process.stdout.write(`${finding.ok ? 'ok      ' : 'missing '} ${finding.part.padEnd(10)} ${finding.text}\n${finding.mend ? `${' '.repeat(20)}${finding.mend}\n` : ''}`);
  };

  show({ part: 'Node', ok: true, text: process.versions.node });
  show(await network());
  const { pulumi, missing, env } = await surveyToolchain();
  show(pulumi
    ? { part: 'Pulumi', ok: true, text: pulumi }
    : { part: 'Pulumi', ok: false, text: 'no CLI on PATH and none downloaded yet', mend: 'npm run up   # downloads the pinned one' });
  show(missing.length === 0
    ? { part: 'plugins', ok: true, text: 'installed' }
    : { part: 'plugins', ok: true, text: `${missing.join(', ')}: downloaded at the first run, or stand-ins where ${downloadSite} does not answer` });
  const local = localState();
  show(state(local));

  // Only existing files are read: creating or moving them would be a change.
  const backend = !local ? backendEnvironment() : existsSync(local.backend) ? environmentOf(local) : {};
  const settings: Record<string, string> = pulumi ? await new Pulumi({ pulumi, env: { ...env, ...backend } }, stack).settings().catch(() => ({})) : {};
  const choice = choiceOf(settings, stack);
  const found = await engineFinding(choice);
  show(found);
  if (found.ok) {
    (await surveyImages(choice.engine, settings)).images.map(imageFinding).forEach(show);
  }
  if (findings.some(({ ok }) => !ok)) {
    throw new Failure('Something is missing; the command under each line fixes it. `npm run up` does most of it by itself.');
  }
}));

async function network(): Promise<Finding> {
  return (await siteAnswers(downloadSite))
    ? { part: 'network', ok: true, text: `${downloadSite} answers` }
    : { part: 'network', ok: true, text: `${downloadSite} does not answer: lab/ builds what is missing from package registries` };
}

function state(local: StateFolder | undefined): Finding {
  if (!local) {
    return { part: 'state', ok: true, text: 'in the backend that PULUMI_BACKEND_URL, Pulumi.yaml or `pulumi login` names' };
  }
  const { dir, passphrase } = local;
  const wrong = whyNotWritable(dir);
  if (wrong !== undefined) {
    return { part: 'state', ok: false, text: `${dir} cannot be written to: ${wrong}`, mend: 'export XDG_STATE_HOME=/a/folder/that/you/may/write/to   # the same one for each command' };
  }
  if (!existsSync(dir)) {
    return { part: 'state', ok: true, text: `${dir} (created by the first run)` };
  }
  const mode = existsSync(passphrase) ? statSync(passphrase).mode & 0o777 : 0o600;
  return mode === 0o600
    ? { part: 'state', ok: true, text: dir }
    : { part: 'state', ok: false, text: `${passphrase} can be read by other users (mode ${mode.toString(8)})`, mend: `chmod 600 ${passphrase}` };
}

async function engineFinding(choice: Choice): Promise<Finding> {
  try {
    await ensureEngine(choice, 'never', 'npm run up');
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    const [text = '', ...commands] = error.message.split('\n    ');
    return { part: 'Docker', ok: false, text, mend: commands.join(`\n${' '.repeat(20)}`) };
  }
  const { engine, source } = choice;
  const { Version, ApiVersion } = await engineGet<{ Version: string; ApiVersion: string }>(engine, '/version');
  return compareVersions(ApiVersion, oldestEngineApi) >= 0
    ? { part: 'Docker', ok: true, text: `${Version} at ${engine.host} (${source})` }
    : { part: 'Docker', ok: false, text: `${Version} is too old (API ${ApiVersion}, at least ${oldestEngineApi})`, mend: 'sudo apt-get install --only-upgrade docker.io' };
}

function imageFinding({ service, reference, state }: SurveyedImage): Finding {
  switch (state.kind) {
    case 'on the engine':
      return { part: service, ok: true, text: `${reference} is on the engine` };
    case 'there':
      return { part: service, ok: true, text: `${reference} is pulled at the first run` };
    case 'unreachable':
      return { part: service, ok: true, text: `${reference}: no registry can be reached (${state.why}); the image that lab/ builds replaces it` };
    case 'refused':
      return { part: service, ok: false, text: `${reference}: ${state.why}`, mend: `docker pull ${reference}` };
  }
}
