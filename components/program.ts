/**
 * Wiring only: settings in, components, outputs. index.ts loads it while the providers start.
 */
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { hostName, isStackName, stackLabel, stackNameRule } from './catalog';
import { inspectCentral } from './central';
import { centralStack } from './central-stack';
import { edgeStack } from './edge-stack';
import { inspectHost } from './preflight';
import { report, withoutSecrets } from './problem';
import { accountOf } from './publication';
import { portKeys, readSettings } from './settings';
import { tunnelWarnings } from './tunnel-settings';

/** @returns the outputs of the stack */
export async function program(): Promise<object> {
  const stack = pulumi.getStack();
  const project = pulumi.getProject();
  const owner = `${project}/${stack}`;

  // Which values are secrets is something only the language host knows; the SDK has no public way to ask.
  const secretKeys: string[] = JSON.parse(process.env['PULUMI_CONFIG_SECRET_KEYS'] ?? '[]');
  const config = pulumi.runtime.allConfig();
  const secrets = secretKeys.map((key) => config[key] ?? '');
  const { settings, problems: wrong } = readSettings(config, project, (key) => secretKeys.includes(key));
  // A broken setting stands at its default, and without its offset every port does: what the host says of that is not
  // about what was set.
  const told = new Set(wrong.flatMap(({ key }) => (key === 'ports:offset' ? [key, ...portKeys] : [key])));
  const atEdge = settings['edge:central'] !== undefined;
  const [facts, central] = await Promise.all([
    inspectHost(settings, owner, pulumi.runtime.isDryRun(), config['docker:disableDockerDaemonCheck'] === 'true'),
    atEdge && !told.has('edge:central') ? inspectCentral(settings) : undefined,
  ]);
  const unnamed = isStackName(stack) ? [] : [{ key: 'stack', value: stack, rule: stackNameRule, mend: ['pulumi stack rename dev'] }];
  const problems = [...unnamed, ...wrong, ...[...facts.problems, ...(central?.problems ?? [])].filter(({ key }) => !told.has(key))];
  if (problems.length > 0) {
    throw new pulumi.RunError(report(stack, problems, secrets));
  }
  const warnings = [...facts.warnings, ...tunnelWarnings(settings), ...(central?.warnings ?? [])];
  await Promise.all(warnings.map((warning) => pulumi.log.warn(withoutSecrets(warning, secrets))));

  const account = accountOf(settings, stack);
  const network = new docker.Network(
    'network',
    { name: hostName('observability', stack), labels: [{ label: stackLabel, value: owner }] },
    account ? { dependsOn: account } : {},
  );
  const host = { stack, owner, network, settings, facts };
  return central?.remote ? edgeStack(host, central.remote) : centralStack(host, account);
}
