/**
 * What the configuration of the old Alloy does that the stack's Alloy would not: it is said before the old one is stopped.
 */
import { engineRequest, type Engine } from '../../../engine';
import type { Settings } from '../../../components/settings';
import type { ComposeContainer } from './compose';

/** Configuration of a running Alloy; undefined where it is not one file, or cannot be read. */
export async function configOf(engine: Engine, alloy: ComposeContainer): Promise<string | undefined> {
  // `run [options] FILE`; the image's own command names this one.
  const file = alloy.args.find((arg) => arg.startsWith('/')) ?? '/etc/alloy/config.alloy';
  const answer = await engineRequest(engine, 'GET', `/containers/${alloy.name}/archive?path=${encodeURIComponent(file)}`, { timeoutMs: 10_000 });
  return answer.status === 200 ? onlyFile(answer.body) : undefined;
}

/** Content of an archive's first entry, where that is a file. */
export function onlyFile(tar: Buffer): string | undefined {
  // Offsets of the header: https://www.gnu.org/software/tar/manual/html_node/Standard.html
  const size = parseInt(tar.toString('latin1', 124, 136), 8);
  const type = tar.toString('latin1', 156, 157);
  return type === '0' || type === '\0' ? tar.toString('utf8', 512, 512 + size) : undefined;
}

/** Kinds of components that the stack's Alloy has as well, or has no need of. */
const carriedOn = ['otelcol.receiver.otlp', 'otelcol.processor.batch', 'otelcol.processor.memory_limiter'];
const backends = /^otelcol\.exporter\.otlp(http)?$/;

/**
 * Components of an Alloy configuration without a counterpart in the stack, as `kind.label`.
 * @param settings metrics and logs go on where the stack has been told where to
 */
export function leftBehind(config: string, settings: Pick<Settings, 'prometheus:url' | 'loki:url'>): string[] {
  const kinds = [
    ...carriedOn,
    ...(settings['prometheus:url'] ? ['otelcol.exporter.prometheus', 'prometheus.remote_write'] : []),
    ...(settings['loki:url'] ? ['otelcol.exporter.loki', 'loki.write'] : []),
  ];
  const components = [...config.matchAll(/^([a-z][\w.]*\.[\w.]+)\s+"(\w+)"\s*\{/gm)].map(([, kind = '', label = '']) => ({ kind, label }));
  // With one of them, that is Phoenix.
  const exporters = components.filter(({ kind }) => backends.test(kind));
  const others = exporters.length > 1 ? exporters.filter(({ label }) => !/phoenix|arize/.test(label)) : [];
  return components.filter((one) => (backends.test(one.kind) ? others.includes(one) : !kinds.includes(one.kind))).map(({ kind, label }) => `${kind}.${label}`);
}
