/**
 * Wiring only: settings in, components, outputs.
 */
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { hostName, stackLabel } from './components/catalog';
import { inspectCentral } from './components/central';
import { centralStack } from './components/central-stack';
import { edgeStack } from './components/edge-stack';
import { inspectHost } from './components/preflight';
import { report, withoutSecrets } from './components/problem';
import { accountOf } from './components/publication';
import { readSettings } from './components/settings';
import { tunnelWarnings } from './components/tunnel-settings';

// The SDK records a stack trace for every property of every resource, and ts-node maps each of its frames back
// to TypeScript: with ten frames, V8's default, that was 0.6 s of CPU of every preview. The top ones say where.
Error.stackTraceLimit = 2;

export = async (): Promise<object> => {
  const stack = pulumi.getStack();
  const project = pulumi.getProject();
  const owner = `${project}/${stack}`;

  // Which values are secrets is something only the language host knows; the SDK has no public way to ask.
  const secretKeys: string[] = JSON.parse(process.env['PULUMI_CONFIG_SECRET_KEYS'] ?? '[]');
  const config = pulumi.runtime.allConfig();
  const secrets = secretKeys.map((key) => config[key] ?? '');
  const { settings, problems: wrong } = readSettings(config, project, (key) => secretKeys.includes(key));
  // A broken setting stands at its default: what the host says of that is not about the one that was set.
  const told = new Set(wrong.map(({ key }) => key));
  const atEdge = settings['edge:central'] !== undefined;
  const [facts, central] = await Promise.all([
    inspectHost(settings, owner, pulumi.runtime.isDryRun()),
    atEdge ? inspectCentral(settings) : undefined,
  ]);
  const problems = [...wrong, ...[...facts.problems, ...(central?.problems ?? [])].filter(({ key }) => !told.has(key))];
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
};
