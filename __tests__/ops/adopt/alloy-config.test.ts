import { configOf, leftBehind as leftBehindOf, onlyFile, receiversOf } from '../../../ops/support/adopt/alloy-config';
import { fakeDocker } from '../../support/fake-docker';
import { alloy, phoenix, published, runningAlloy, seedPorts } from './given';

/** An archive with one entry, as the engine makes it; `kind` is the type flag of its header. */
function tar(content: string, kind = '0'): Buffer {
  const header = Buffer.alloc(512);
  header.write('config.alloy');
  header.write(Buffer.byteLength(content).toString(8).padStart(11, '0'), 124);
  header.write(kind, 156, 'latin1');
  const body = Buffer.from(content);
  return Buffer.concat([header, body, Buffer.alloc(1536 - (body.length % 512))]);
}

const nowhere = { 'prometheus:url': undefined, 'loki:url': undefined };
const both = { 'prometheus:url': new URL('http://prometheus:9090/api/v1/write'), 'loki:url': new URL('http://loki:3100') };

/** The seed's, with what the parts before it in its series have put there. */
const seed = `
otelcol.receiver.otlp "default" {
  grpc {
    endpoint = "0.0.0.0:4317"
  }
  output {
    metrics = [otelcol.exporter.prometheus.default.input]
    traces  = [otelcol.exporter.otlphttp.phoenix.input]
  }
}
// prometheus.scrape "in_a_comment" {
otelcol.exporter.otlphttp "phoenix" {
  client {
    endpoint = "https://arize.iac-toolbox.com"
  }
}
otelcol.exporter.prometheus "default" {
  forward_to = [prometheus.remote_write.platform.receiver]
}
prometheus.remote_write "platform" { }
loki.source.file "logs" {
  forward_to = [loki.write.default.receiver]
}
loki.write "default" {
}
`;

const leftBehind = (config: string, settings: Parameters<typeof leftBehindOf>[1]): string[] => leftBehindOf(config, settings, phoenix({ published: published(seedPorts.phoenix) }));

describe('leftBehind', () => {
  test("of the seed's: metrics and logs, where the stack does not know where to", () => {
    expect(leftBehind(seed, nowhere)).toEqual(['otelcol.exporter.prometheus.default', 'prometheus.remote_write.platform', 'loki.source.file.logs', 'loki.write.default']);
  });

  test('what applications send goes on where it knows; what Alloy fetches does not', () => {
    expect(leftBehind(seed, both)).toEqual(['loki.source.file.logs']);
    expect(leftBehind(seed, { ...both, 'loki:url': undefined })).toEqual(['loki.source.file.logs', 'loki.write.default']);
    expect(leftBehind(seed, { ...both, 'prometheus:url': undefined })).toEqual(['otelcol.exporter.prometheus.default', 'prometheus.remote_write.platform', 'loki.source.file.logs']);
  });

  test.each<[string, string, string[]]>([
    ['nothing but the way to Phoenix', 'otelcol.receiver.otlp "in" {\n}\notelcol.processor.batch "b" {\n}\notelcol.processor.memory_limiter "m" {\n}\notelcol.exporter.otlp "whatever" {\n}\n', []],
    ['a second backend of traces', 'otelcol.exporter.otlphttp "phoenix" {\n}\notelcol.exporter.otlp "tempo" {\n}\n', ['otelcol.exporter.otlp.tempo']],
    ['Phoenix by another name of it', 'otelcol.exporter.otlp "arize_cloud" {\n}\notelcol.exporter.otlp "tempo" {\n}\n', ['otelcol.exporter.otlp.tempo']],
    ['two of which none is called Phoenix', 'otelcol.exporter.otlp "a" {\n}\notelcol.exporter.otlp "b" {\n}\n', ['otelcol.exporter.otlp.a', 'otelcol.exporter.otlp.b']],
    ['the only one, to somewhere else', 'otelcol.exporter.otlp "default" {\n  client {\n    endpoint = "tempo:4317"\n  }\n}\n', ['otelcol.exporter.otlp.default']],
    ['the only one, to the port of Phoenix', 'otelcol.exporter.otlp "default" {\n  client {\n    endpoint = "host.docker.internal:14317"\n  }\n}\n', []],
    ['the only one, to the container of Phoenix', 'otelcol.exporter.otlphttp "default" {\n  client {\n    endpoint = "http://arize-phoenix-phoenix-1:6006"\n  }\n}\n', []],
    ['the only one, to an address that is computed', 'otelcol.exporter.otlp "default" {\n  client {\n    endpoint = sys.env("BACKEND")\n  }\n}\n', []],
    ['what stands in a comment, and in a string', '/*\nloki.write "a" {\n}\n*/\n// loki.write "b" {\nlogging {\n  level = "loki.write \\"c\\" { // }"\n}\nloki.write "d" {\n  x = `}`\n}\nloki.write "e" { }\n', ['loki.write.d', 'loki.write.e']],
    ['blocks without a label', 'logging {\n  level = "info"\n}\nlivedebugging {\n}\n', []],
    ['nothing', '', []],
  ])('%s', (_, config, left) => {
    expect(leftBehind(config, nowhere)).toEqual(left);
  });
});

describe('receiversOf', () => {
  const receiver = (body: string, label = 'default'): string => `otelcol.receiver.otlp "${label}" {\n${body}\n}\n`;

  test.each<[string, string, ReturnType<typeof receiversOf>]>([
    ["the seed's", seed, { grpc: [4317], http: [], special: [] }],
    ['the usual ones, unsaid', receiver('  grpc { }\n  http { }\n  output { }'), { grpc: [4317], http: [4318], special: [] }],
    ['other ports', receiver('  grpc {\n    endpoint = "0.0.0.0:5317"\n  }\n  http {\n    endpoint = "[::]:5318"\n  }'), { grpc: [5317], http: [5318], special: [] }],
    ['several receivers', `${receiver('  grpc {\n    endpoint = "0.0.0.0:4317"\n  }')}${receiver('  grpc {\n    endpoint = "0.0.0.0:5317"\n  }\n  http { }', 'more')}`, { grpc: [4317, 5317], http: [4318], special: [] }],
    ['an address that is computed', receiver('  http {\n    endpoint = sys.env("ADDRESS")\n  }'), { grpc: [], http: [4318], special: [] }],
    ['browsers', receiver('  http {\n    cors {\n      allowed_origins = ["https://*.example.com"]\n    }\n  }'), { grpc: [], http: [4318], special: ['cors'] }],
    ['credentials and TLS', receiver('  grpc {\n    auth = otelcol.auth.basic.x.handler\n    tls {\n      cert_file = "/c"\n    }\n  }'), { grpc: [4317], http: [], special: ['auth', 'tls'] }],
    ['TLS of an exporter is none of its', `${receiver('  grpc { }')}otelcol.exporter.otlp "x" {\n  client {\n    tls {\n      insecure = true\n    }\n  }\n}\n`, { grpc: [4317], http: [], special: [] }],
    ['one in a comment', `// ${receiver('  grpc { }').replaceAll('\n', '\n// ')}`, { grpc: [], http: [], special: [] }],
    ['none', 'loki.source.file "logs" {\n}\n', { grpc: [], http: [], special: [] }],
  ])('%s', (_, config, receivers) => {
    expect(receiversOf(config)).toEqual(receivers);
  });
});

describe('onlyFile', () => {
  test.each(['', 'x', 'ä\n'.repeat(300)])('content %#, to the byte', (content) => {
    expect(onlyFile(tar(content))).toBe(content);
  });

  test('as old archives mark a file', () => {
    expect(onlyFile(tar('x', '\0'))).toBe('x');
  });

  test.each([['a folder', '5'], ['a link', '2']])('%s is none', (_, kind) => {
    expect(onlyFile(tar('x', kind))).toBeUndefined();
  });
});

describe('configOf', () => {
  test.each<[string, string[], string]>([
    ['the one that its command names', ['run', '/srv/my config.alloy', '--storage.path=/var/lib/alloy/data'], '/srv/my config.alloy'],
    ['after options', ['run', '--stability.level=experimental', '/other.alloy'], '/other.alloy'],
    ["the image's own", [], '/etc/alloy/config.alloy'],
    ['after an option whose value is a word of its own', ['run', '--storage.path', '/var/lib/alloy/data', '/srv/config.alloy'], '/srv/config.alloy'],
  ])('%s', async (_, args, file) => {
    const docker = await fakeDocker([runningAlloy()]);
    const asked: string[] = [];
    docker.answers['GET /containers/grafana-alloy/archive'] = (query) => {
      asked.push(query.get('path') ?? '');
      return tar(seed);
    };
    expect(await configOf(docker.engine, alloy({ args }))).toBe(seed);
    expect(asked).toEqual([file]);
  });

  test('unknown where it is not there, or a folder', async () => {
    const docker = await fakeDocker([runningAlloy()]);
    docker.answers['GET /containers/grafana-alloy/archive'] = { status: 404, message: 'no such file' };
    expect(await configOf(docker.engine, alloy())).toBeUndefined();
    docker.answers['GET /containers/grafana-alloy/archive'] = tar('', '5');
    expect(await configOf(docker.engine, alloy())).toBeUndefined();
  });
});
