/**
 * `npm run doctor`: what is there, what is missing, and the command that mends it. Changes nothing.
 */
import { existsSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { images, oldestEngineApi, type ServiceName } from '../components/catalog';
import { engineGet, engineHost, engineRequest } from '../components/engine';
import { compareVersions } from '../components/values';
import { backendEnvironment, passphraseFile, stateDir } from './support/backend';
import { whyNoEngine } from './support/docker';
import { defaultStack, stackNamed } from './support/project';
import { Pulumi } from './support/pulumi';
import { siteAnswers } from './support/reach';
import { askRegistry } from './support/registry';
import { Failure, main } from './support/say';
import { downloadSite, surveyToolchain } from './support/toolchain';

interface Finding {
  readonly part: string;
  readonly ok: boolean;
  readonly text: string;
  readonly mend?: string;
}

main(async () => {
  const { values } = parseArgs({ options: { stack: { type: 'string', default: defaultStack } } });
  const stack = stackNamed(values.stack);
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
    : { part: 'Pulumi', ok: false, text: 'no CLI on PATH and none downloaded yet', mend: 'npm run up   # gets the pinned one' });
  show(missing.length === 0
    ? { part: 'plugins', ok: true, text: 'installed' }
    : { part: 'plugins', ok: true, text: `${missing.join(', ')}: downloaded at the first run, or stand-ins where ${downloadSite} does not answer` });
  show(state());

  // Only a backend that is there is asked: making one would be a change.
  const backend = existsSync(passphraseFile) ? backendEnvironment() : {};
  const settings: Record<string, string> = pulumi ? await new Pulumi({ pulumi, env: { ...env, ...backend } }, stack).settings().catch(() => ({})) : {};
  const host = engineHost(settings['docker:host']);
  const engine = await engineFinding(host);
  show(engine);
  if (engine.ok) {
    for (const service of Object.keys(images) as ServiceName[]) {
      show(await image(service, settings[`${service}:image`] ?? images[service], host));
    }
  }
  if (findings.some(({ ok }) => !ok)) {
    throw new Failure('Something is missing; the command under each line mends it. `npm run up` does most of it by itself.');
  }
});

async function network(): Promise<Finding> {
  return (await siteAnswers(downloadSite))
    ? { part: 'network', ok: true, text: `${downloadSite} answers` }
    : { part: 'network', ok: true, text: `${downloadSite} does not answer: what is missing is built from package registries by lab/` };
}

function state(): Finding {
  if (!existsSync(passphraseFile)) {
    return { part: 'state', ok: true, text: 'none in this checkout yet, or kept by the backend of `pulumi login`' };
  }
  const mode = statSync(passphraseFile).mode & 0o777;
  return mode === 0o600
    ? { part: 'state', ok: true, text: stateDir }
    : { part: 'state', ok: false, text: `${passphraseFile} can be read by others (mode ${mode.toString(8)})`, mend: `chmod 600 ${passphraseFile}` };
}

async function engineFinding(host: string): Promise<Finding> {
  const reason = await whyNoEngine(host);
  if (reason !== undefined) {
    return { part: 'Docker', ok: false, text: `no engine answers at ${host}: ${reason}`, mend: 'npm run up   # installs and starts it on Debian and Ubuntu' };
  }
  const { Version, ApiVersion } = await engineGet<{ Version: string; ApiVersion: string }>(host, '/version');
  return compareVersions(ApiVersion, oldestEngineApi) >= 0
    ? { part: 'Docker', ok: true, text: `${Version} at ${host}` }
    : { part: 'Docker', ok: false, text: `${Version} is too old (API ${ApiVersion}, at least ${oldestEngineApi})`, mend: 'sudo apt-get install --only-upgrade docker.io' };
}

async function image(service: ServiceName, reference: string, host: string): Promise<Finding> {
  const { status } = await engineRequest(host, 'GET', `/images/${reference}/json`);
  if (status === 200) {
    return { part: service, ok: true, text: `${reference} is on the engine` };
  }
  return (await askRegistry(host, reference)).answers
    ? { part: service, ok: true, text: `${reference} is pulled at the first run` }
    : { part: service, ok: false, text: `${reference}: not on the engine, and its registry does not answer`, mend: 'npm run up   # builds it from package registries' };
}
