import type { Delivery } from '../../provider/delivery';
import { summary } from '../../ops/support/summary';
import { outputs } from '../support/services';

const delivery: Delivery = {
  ok: true,
  traceId: '0123456789abcdef0123456789abcdef',
  ms: 187,
  hops: [
    { name: 'application -> Alloy', ms: 12 },
    { name: 'Alloy -> Phoenix', ms: 160 },
    { name: 'Phoenix -> reader', ms: 15 },
  ],
};
const deployed = outputs('http://127.0.0.1:4318', 'http://127.0.0.1:12345', 'http://127.0.0.1:6006', null);

test('of a stack as it comes', () => {
  expect(summary('dev', deployed, delivery, 12_345)).toBe(`
Trace 0123456789abcdef0123456789abcdef went application -> Alloy -> Phoenix in 187 ms and was read back. (12.3 s in all)

  Phoenix    http://127.0.0.1:6006   no login: anyone on this machine can read it
  OTLP       http://127.0.0.1:4318 (HTTP)   http://127.0.0.1:4317 (gRPC)
  Alloy      http://127.0.0.1:12345
  Traces     go to Phoenix
  Metrics    accepted and discarded; to keep them: npm run pulumi -- config set prometheus:url URL
  Logs       accepted and discarded; to keep them: npm run pulumi -- config set loki:url URL

Point an application at it:
  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
In a container (docker run --add-host host.docker.internal:host-gateway …):
  OTEL_EXPORTER_OTLP_ENDPOINT=http://host.docker.internal:4318

Next:
  npm run verify      send a trace through it again
  npm run pulumi -- config set KEY VALUE && npm run up   change a setting (the README lists them)
  npm run down        remove it; the data stays`);
});

test('of another stack, with backends and ports of its own: every command is for that stack', () => {
  const other = {
    ...outputs('http://10.0.0.5:24318', 'http://127.0.0.1:22345', 'http://127.0.0.1:26006', null),
    signals: { traces: 'phoenix', metrics: 'prometheus', logs: 'loki' },
  };
  expect(summary('prod', other, delivery, 600)).toBe(`
Trace 0123456789abcdef0123456789abcdef went application -> Alloy -> Phoenix in 187 ms and was read back. (0.6 s in all)

  Phoenix    http://127.0.0.1:26006   no login: anyone on this machine can read it
  OTLP       http://10.0.0.5:24318 (HTTP)   http://127.0.0.1:4317 (gRPC)
  Alloy      http://127.0.0.1:22345
  Traces     go to Phoenix
  Metrics    go to prometheus
  Logs       go to loki

Point an application at it:
  export OTEL_EXPORTER_OTLP_ENDPOINT=http://10.0.0.5:24318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
In a container (docker run --add-host host.docker.internal:host-gateway …):
  OTEL_EXPORTER_OTLP_ENDPOINT=http://host.docker.internal:24318

Next:
  npm run verify -- --stack prod      send a trace through it again
  npm run pulumi -- config set KEY VALUE --stack prod && npm run up -- --stack prod   change a setting (the README lists them)
  npm run down -- --stack prod        remove it; the data stays`);
});

test('metrics that go somewhere while logs do not', () => {
  const text = summary('prod', { ...deployed, signals: { traces: 'phoenix', metrics: 'prometheus', logs: null } }, delivery, 0);
  expect(text).toContain('\n  Metrics    go to prometheus\n  Logs       accepted and discarded; to keep them: npm run pulumi -- config set loki:url URL --stack prod\n');
});

test.each([
  ['dev', 'http://127.0.0.1:6006', ''],
  ['prod', 'https://phoenix.example.org', ' --stack prod'],
])('with auth: where and as whom to log in to stack %s, and how to see the password, but no secret', (stack, url, option) => {
  const login = { url, email: 'admin@localhost', password: 'the-first-password' };
  const text = summary(stack, { ...deployed, auth: true, login, apiKeys: { app: 'the-key-of-app' } }, delivery, 0);
  expect(text.split('\n').find((line) => line.startsWith('  Phoenix'))).toBe(
    `  Phoenix    ${url}   log in as admin@localhost; the first password: npm run pulumi -- stack output login --show-secrets${option}`,
  );
  expect(text).not.toMatch(/no login|the-first-password|the-key-of-app/);
  expect(text).not.toContain(deployed.adminSecret);
});
