import * as fs from 'node:fs';
import { alloyFlows } from '../../ops/support/alloy-flows';

describe("of the program's own configurations", () => {
  const phoenix = { name: 'phoenix', url: 'http://phoenix:6006', signals: ['traces'] };
  const loki = { name: 'loki', url: 'http://host.docker.internal:3100/otlp', signals: ['logs'] };
  const prometheus = { name: 'prometheus', url: 'http://host.docker.internal:9090/api/v1/write', signals: ['metrics'] };

  test.each([
    ['default', [phoenix], ['metrics', 'logs']],
    ['with-auth', [phoenix], ['metrics', 'logs']],
    ['with-loki', [phoenix, loki], ['metrics']],
    ['with-prometheus', [phoenix, prometheus], ['logs']],
    ['with-prometheus-and-loki', [phoenix, prometheus, loki], []],
    ['through-tunnel', [{ name: 'central', url: 'http://central-gate:4318', signals: ['traces', 'metrics', 'logs'] }], []],
  ])('%s', (golden, sent, discarded) => {
    expect(alloyFlows(fs.readFileSync(`__tests__/goldens/alloy/${golden}.alloy`, 'utf8'))).toEqual({ sent, discarded });
  });
});

const receiver = (output: string): string => `otelcol.receiver.otlp "default" {\n\toutput {\n${output}\n\t}\n}\n`;
const exporter = (label: string, url: string): string => `otelcol.exporter.otlphttp "${label}" {\n\tclient {\n\t\tendpoint = "${url}"\n\t}\n}\n`;

test('through a processor each signal keeps its own way', () => {
  const config = `${receiver('\t\ttraces = [otelcol.processor.batch.all.input]\n\t\tlogs   = [otelcol.processor.batch.all.input]')}
otelcol.processor.batch "all" {
	output {
		traces = [
			otelcol.exporter.otlphttp.one.input,
			otelcol.exporter.otlphttp.two.input,
		]
		logs = [otelcol.exporter.otlphttp.two.input]
	}
}
${exporter('one', 'http://one:1')}${exporter('two', 'http://two:2')}`;
  expect(alloyFlows(config)).toEqual({
    sent: [{ name: 'one', url: 'http://one:1', signals: ['traces'] }, { name: 'two', url: 'http://two:2', signals: ['traces', 'logs'] }],
    discarded: [],
  });
});

test('what no receiver leads to is not sent, and an address in a comment is none', () => {
  const taken = receiver('\t\ttraces = [otelcol.exporter.otlphttp.taken.input]');
  expect(alloyFlows(`${taken}${exporter('taken', 'http://taken:1').replace('\tclient', '\t// url = "http://comment:1"\n\tclient')}${exporter('idle', 'http://idle:1')}`)).toEqual({
    sent: [{ name: 'taken', url: 'http://taken:1', signals: ['traces'] }],
    discarded: [],
  });
});

test('components that lead back to each other end somewhere', () => {
  const round = 'otelcol.processor.batch "a" {\n\toutput {\n\t\ttraces = [otelcol.processor.batch.a.input]\n\t}\n}\n';
  expect(alloyFlows(`${receiver('\t\ttraces = [otelcol.processor.batch.a.input]')}${round}`)).toEqual({ sent: [], discarded: ['traces'] });
});

test('no configuration, no flows', () => {
  expect(alloyFlows('')).toEqual({ sent: [], discarded: [] });
});
