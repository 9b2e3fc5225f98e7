/**
 * Settings of the Grafana that a stack deploys, and the rules between them and those of the store of metrics.
 */
import { images } from '../components/catalog';
import { memory } from './amount-parse';
import { image } from './image-parse';
import { boolean } from './parse';
import { port } from './port-parse';
import { inWords, type Problem } from './problem';
import { key, setCommand } from './setting';
import { storeKeys, type StoreSettings } from './store';
import { writeEndpoint } from './store-parse';

/** A part of the settings: `keys.ts` has all of them. */
export const grafanaKeys = {
  'grafana:enabled': key('false', 'Whether the stack deploys Grafana, with dashboards of AI services and of the pipeline over the store of metrics: [docs/grafana.md](docs/grafana.md)', boolean),
  'grafana:port': key('3000', 'Host port of its page (loopback)', port),
  'grafana:memory': key('1GiB', 'Memory limit of Grafana, at least 512MiB', memory(512)),
  'grafana:image': key(images.grafana, 'Image of Grafana, with a version', image('grafana')),
} as const;

/** The settings that the rules look at. */
export interface GrafanaSettings extends StoreSettings {
  readonly 'grafana:enabled': boolean;
  readonly 'prometheus:enabled': boolean;
}

/** Paths at the end of a remote write endpoint, and those of the same store before `/api/v1/query`. */
const readPaths: readonly (readonly [RegExp, string])[] = [
  // The part of a VictoriaMetrics cluster that writes does not read.
  [/^(?!.*\/(?:insert|vminsert)\/)(.*)\/api\/v1\/write$/, '$1'],
  // Mimir.
  [/^(.*)\/api\/v1\/push$/, '$1/prometheus'],
];

/**
 * Base URL at which a store is asked.
 * @param url an address that `remoteWriteUrl` accepts
 * @returns undefined if it does not follow from where the store is written to
 */
export function readEndpoint(url: URL): string | undefined {
  const { origin, pathname } = new URL(writeEndpoint(url));
  const [written, read = ''] = readPaths.find(([path]) => path.test(pathname)) ?? [];
  return written && `${origin}${pathname.replace(written, read)}`;
}

/** @param broken keys that already have a problem */
export function grafanaProblems(settings: GrafanaSettings, broken: ReadonlySet<string>): Problem[] {
  if (!settings['grafana:enabled'] || settings['prometheus:enabled'] || ['prometheus:enabled', 'prometheus:url'].some((name) => broken.has(name))) {
    return [];
  }
  const refused = (rule: string, ...mend: string[]): Problem[] => [{ key: 'grafana:enabled', value: 'true', rule, mend: [...mend, 'pulumi config rm grafana:enabled'] }];
  const url = settings['prometheus:url'];
  if (url === undefined) {
    return refused('Grafana shows what a store of metrics has, and there is none', 'pulumi config set prometheus:enabled true', `${setCommand('prometheus:url', storeKeys['prometheus:url'])}   # an example`);
  }
  const credentials = (['prometheus:username', 'prometheus:password', 'prometheus:token', 'prometheus:tenant'] as const).filter((name) => settings[name] !== undefined || broken.has(name));
  if (credentials.length > 0) {
    return refused(`the store of prometheus:url asks for ${inWords(credentials)}, which Grafana is not given`);
  }
  return readEndpoint(url) === undefined
    ? refused('prometheus:url says where metrics are written, and where that store is asked does not follow from it')
    : [];
}
