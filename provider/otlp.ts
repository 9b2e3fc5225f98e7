import { randomBytes } from 'node:crypto';
import { checkService } from '../components/catalog';

/** A trace of one span, in OTLP's JSON form. */
export interface MarkedTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Phoenix project it goes to. */
  readonly project: string;
  readonly body: object;
}

/** A unique trace, in its own project so that it can be removed completely. */
export function markedTrace(project: string, now = Date.now()): MarkedTrace {
  const traceId = randomBytes(16).toString('hex');
  const nanoseconds = (ms: number): string => `${ms}000000`;
  const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } });
  const span = {
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: 'verify',
    kind: 1,
    startTimeUnixNano: nanoseconds(now - 1),
    endTimeUnixNano: nanoseconds(now),
    // The last one keeps it where traces are sampled.
    attributes: [text('openinference.span.kind', 'CHAIN'), text('input.value', 'Does a trace arrive?'), { key: 'sampling.priority', value: { intValue: '1' } }],
    status: { code: 1 },
  };
  return {
    traceId,
    project,
    body: {
      resourceSpans: [
        {
          resource: { attributes: [text('service.name', checkService), text('openinference.project.name', project)] },
          scopeSpans: [{ scope: { name: 'llm-observability/verify' }, spans: [span] }],
        },
      ],
    },
  };
}

const resource = (attributes: Readonly<Record<string, string>> = {}): object => ({
  attributes: Object.entries({ 'service.name': checkService, ...attributes }).map(([key, stringValue]) => ({ key, value: { stringValue } })),
});
const scope = { name: 'llm-observability/verify' };

/** A log record, in OTLP's JSON form. */
export const markedLog = (now = Date.now()): object =>
  ({ resourceLogs: [{ resource: resource(), scopeLogs: [{ scope, logRecords: [{ timeUnixNano: `${now}000000`, severityText: 'INFO', body: { stringValue: 'Does a log record arrive?' } }] }] }] });

/**
 * A sample of a gauge, which is the time. Stacks may share a store: each check has its own series, so that no other check sends
 * out of order.
 */
export const markedSample = (now = Date.now()): object =>
  ({ resourceMetrics: [{ resource: resource({ 'service.instance.id': randomBytes(8).toString('hex') }), scopeMetrics: [{ scope, metrics: [{ name: 'llm_observability_verify', gauge: { dataPoints: [{ timeUnixNano: `${now}000000`, asDouble: now / 1000 }] } }] }] }] });
