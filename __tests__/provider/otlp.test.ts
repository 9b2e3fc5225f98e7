import { markedLog, markedSample, markedTrace } from '../../provider/otlp';

test('one span, ended, with what Phoenix needs to show it as a chain in its project', () => {
  const { traceId, project, body } = markedTrace('verify-1700000000000', 1_700_000_000_001);
  expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(project).toBe('verify-1700000000000');
  expect(body).toEqual({
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'llm-observability-verify' } },
            { key: 'openinference.project.name', value: { stringValue: 'verify-1700000000000' } },
          ],
        },
        scopeSpans: [
          {
            scope: { name: 'llm-observability/verify' },
            spans: [
              {
                traceId,
                spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
                name: 'verify',
                kind: 1,
                // Nanoseconds do not fit a number of JavaScript: they are text, as OTLP's JSON wants them.
                startTimeUnixNano: '1700000000000000000',
                endTimeUnixNano: '1700000000001000000',
                attributes: [
                  { key: 'openinference.span.kind', value: { stringValue: 'CHAIN' } },
                  { key: 'input.value', value: { stringValue: 'Does a trace arrive?' } },
                  { key: 'sampling.priority', value: { intValue: '1' } },
                ],
                status: { code: 1 },
              },
            ],
          },
        ],
      },
    ],
  });
});

test('no two have an identifier in common', () => {
  const traces = Array.from({ length: 50 }, () => JSON.stringify(markedTrace('verify-1').body));
  const ids = traces.flatMap((text) => [...text.matchAll(/"(?:traceId|spanId)":"(\w+)"/g)].map(([, id]) => id));
  expect(ids).toHaveLength(100);
  expect(new Set(ids).size).toBe(100);
});

test('no two samples are of one series: stores that several stacks share refuse what is out of order in it', () => {
  const series = Array.from({ length: 50 }, () => /"service\.instance\.id","value":\{"stringValue":"([0-9a-f]{16})"/.exec(JSON.stringify(markedSample(1_700_000_000_001)))?.[1]);
  expect(new Set(series).size).toBe(50);
  expect(series).not.toContain(undefined);
  // Of logs it would be a stream each, and Loki has no such order.
  expect(markedLog(1)).toEqual(markedLog(1));
});
