/**
 * Settings of a Prometheus that the stack deploys as its store of metrics, and the rules between them.
 */
import { load } from 'js-yaml';
import { images } from '../components/catalog';
import { disk, limitedDays, memory } from './amount-parse';
import { BrokenRule } from './broken-rule';
import { image } from './image-parse';
import { boolean } from './parse';
import { port } from './port-parse';
import type { Problem } from './problem';
import { fromFile, key, optional } from './setting';

/** A part of the settings: `keys.ts` has all of them. */
export const prometheusKeys = {
  'prometheus:enabled': key('false', 'Whether the stack deploys Prometheus as its store of metrics, instead of `prometheus:url`: [docs/prometheus.md](docs/prometheus.md)', boolean),
  'prometheus:port': key('9090', 'Host port of its page (loopback)', port),
  'prometheus:retentionDays': key('30', 'Days after which it deletes samples', limitedDays),
  'prometheus:storage': key('4GiB', 'Disk space for its metrics, at least 512MiB. If they need more, it deletes the oldest samples earlier', disk(512, 'a store of metrics')),
  'prometheus:memory': key('512MiB', 'Memory limit of Prometheus, at least 256MiB', memory(256)),
  'prometheus:rules': fromFile('own.rules.yml', optional('groups:\n  - name: own\n    rules: []', 'Recording and alerting rules in addition to the built-in ones, as the text of a rules file', rules)),
  'prometheus:image': key(images.prometheus, 'Image of Prometheus, with a version', image('prometheus')),
} as const;

/** The settings that the rules look at. */
export interface PrometheusSettings {
  readonly 'prometheus:enabled': boolean;
  readonly 'prometheus:url': URL | undefined;
  readonly 'prometheus:rules': string | undefined;
}

/** Whether a store gets metrics: a deployed one, or one of somebody else. */
export const keepsMetrics = (settings: Pick<PrometheusSettings, 'prometheus:enabled' | 'prometheus:url'>): boolean => settings['prometheus:enabled'] || settings['prometheus:url'] !== undefined;

/** Text of a file of rules. Prometheus checks their expressions before it is replaced. */
function rules(raw: string): string {
  let read: unknown;
  try {
    read = load(raw);
  } catch (error) {
    throw new BrokenRule(`it is not YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  const groups = fieldsOf(read)['groups'];
  if (!Array.isArray(groups) || groups.length === 0) {
    throw new BrokenRule('it is the text of a file of rules, which begins with `groups:` and has at least one group');
  }
  groups.map(fieldsOf).forEach(({ name, rules: inGroup }, index) => {
    if (typeof name !== 'string' || name === '' || !Array.isArray(inGroup)) {
      throw new BrokenRule(`each group has a name and a list of rules, and group ${index + 1} does not`);
    }
    const wrong = inGroup.map(fieldsOf).findIndex(({ record, alert, expr }) => (typeof record === 'string') === (typeof alert === 'string') || !['string', 'number'].includes(typeof expr));
    if (wrong >= 0) {
      throw new BrokenRule(`each rule has an \`expr\` and either \`record\` or \`alert\`, and rule ${wrong + 1} of group ${name} does not`);
    }
  });
  return raw;
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {});

/** @param broken keys that already have a problem */
export function prometheusProblems(settings: PrometheusSettings, broken: ReadonlySet<string>): Problem[] {
  const enabled = settings['prometheus:enabled'];
  return [
    ...(enabled && (settings['prometheus:url'] !== undefined || broken.has('prometheus:url'))
      ? [{ key: 'prometheus:enabled', value: 'true', rule: 'the stack deploys a store of metrics, and prometheus:url names a different one; metrics go to one of them', mend: ['pulumi config rm prometheus:enabled', 'pulumi config rm prometheus:url   # for the one that the stack deploys'] }]
      : []),
    ...(!enabled && !broken.has('prometheus:enabled') && settings['prometheus:rules'] !== undefined
      ? [{ key: 'prometheus:rules', rule: 'it is for the Prometheus that the stack deploys, and prometheus:enabled is not true', mend: ['pulumi config set prometheus:enabled true', 'pulumi config rm prometheus:rules'] }]
      : []),
  ];
}
