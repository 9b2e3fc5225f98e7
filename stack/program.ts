/**
 * Wiring only: settings in, components, outputs.
 */
import * as fs from 'node:fs';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { hostName, isStackName, stackLabel, stackNameRule } from '../components/names';
import { inspectCentral } from './central';
import { centralStack } from './central-stack';
import { edgeStack } from './edge-stack';
import { chooseEngine, isLocal } from '../engine';
import { dockerProvider, engineInput } from './docker-provider';
import { doorWarnings } from './door';
import { networkArgs } from '../settings/network';
import { inspectHost, unknownHost } from './preflight';
import { problemsVariable, report, shown, withoutSecrets } from '../settings/problem';
import { accountOf } from './publication';
import { EngineCheck } from '../components/observability-resources';
import { imagesOfThisRun } from './run-images';
import { covering, coverResources } from './secrecy';
import { readSettings, secretValues } from '../settings/settings';
import { hostPortKeys } from '../settings/ports';
import { tlsFindings } from '../settings/tls';
import { surveyStores } from './store-survey';
import { tokenFindings } from './token';
import { tunnelWarnings } from '../settings/tunnel';

/** @returns the outputs of the stack */
export async function program(): Promise<object> {
  const stack = pulumi.getStack();
  const project = pulumi.getProject();
  const owner = `${project}/${stack}`;

  // Only the language host knows which values are secret; the SDK has no public way to ask.
  const secretKeys: string[] = JSON.parse(process.env['PULUMI_CONFIG_SECRET_KEYS'] ?? '[]');
  const run = imagesOfThisRun(process.env);
  const config = { ...run.settings, ...pulumi.runtime.allConfig() };
  const secrets = secretKeys.map((key) => config[key] ?? '');
  const isSecret = (key: string): boolean => secretKeys.includes(key);
  const { settings, problems: wrong } = readSettings(config, project, isSecret);
  // A broken setting has its default, and without its offset so does every port: what the host reports about these values is
  // not about what was set.
  const told = new Set(wrong.flatMap(({ key }) => (key === 'ports:offset' ? [key, ...hostPortKeys] : [key])));
  const atEdge = settings['edge:central'] !== undefined;
  const choice = chooseEngine(settings);
  // If the engine was named incorrectly, no engine is asked.
  const named = choice.problems.length === 0 && !wrong.some(({ key }) => key.startsWith('docker:'));
  const preview = pulumi.runtime.isDryRun();
  const host = Promise.resolve(named ? inspectHost(choice, settings, owner, preview) : unknownHost(settings, 'the Docker host was not asked'));
  const [facts, central, stores] = await Promise.all([
    host,
    atEdge && !told.has('edge:central') ? inspectCentral(settings) : undefined,
    // An offline preview asks no store.
    preview && settings['docker:disableDockerDaemonCheck'] ? { problems: [], warnings: [] }
      : host.then(({ bridge }) => surveyStores(settings, { local: isLocal(choice.engine), bridge, isSecret }, told)),
  ]);
  const unnamed = isStackName(stack) ? [] : [{ key: 'stack', value: stack, rule: stackNameRule, mend: ['pulumi stack rename dev'] }];
  const tls = tlsFindings(settings, facts.bridge, told);
  const token = tokenFindings(settings, facts.bridge, told);
  const problems = [...unnamed, ...run.problems, ...wrong, ...choice.problems.filter(({ key }) => !told.has(key)), ...[...tls.problems, ...token.problems, ...facts.problems, ...stores.problems, ...(central?.problems ?? [])].filter(({ key }) => !told.has(key))];
  if (problems.length > 0) {
    const file = process.env[problemsVariable];
    if (file) {
      fs.writeFileSync(file, JSON.stringify(shown(stack, problems, secrets)), { mode: 0o600 });
    }
    throw new pulumi.RunError(report(stack, problems, secrets));
  }
  const warnings = [...facts.warnings, ...stores.warnings, ...tls.warnings, ...token.warnings, ...doorWarnings(settings), ...tunnelWarnings(settings), ...(central?.warnings ?? [])];
  const warn = (warning: string): Promise<void> => pulumi.log.warn(withoutSecrets(warning, secrets));
  await Promise.all(warnings.map(warn));

  const hidden = secretValues(settings, config, isSecret);
  const cover = covering(hidden);
  if (hidden.length > 0) {
    coverResources(cover);
  }
  const provider = dockerProvider(choice.engine, settings);
  const engine = engineInput(choice.engine);
  const engineCheck = new EngineCheck('engine-check', { engine, engineId: facts.engineId });
  const account = accountOf(settings, stack);
  const checked = account ? [engineCheck, account] : [engineCheck];
  const network = new docker.Network(
    'network',
    { name: hostName('observability', stack), labels: [{ label: stackLabel, value: owner }], ...networkArgs(settings, 'first') },
    // The new one has the same name.
    { provider, dependsOn: checked, deleteBeforeReplace: true },
  );
  const parts = { stack, owner, network, checked, settings, facts, engine, dockerHost: choice.engine.host, provider, warn };
  return cover(await (central?.remote ? edgeStack(parts, central.remote) : centralStack(parts, account)));
}
