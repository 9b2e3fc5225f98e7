import type { Backend } from './backend';

/**
 * Stores of metrics and logs that somebody else runs.
 * @param prometheus remote write URL; without a path the one of Prometheus, `/api/v1/write`, is meant
 * @param loki base URL; without a path Loki's OTLP endpoint, `/otlp`, is meant
 */
export function externalBackends(prometheus: URL | undefined, loki: URL | undefined): Backend[] {
  return [
    ...(prometheus
      ? [{ name: 'prometheus', signals: ['metrics'], protocol: 'remote-write', endpoint: withPath(prometheus, '/api/v1/write') } as const]
      : []),
    ...(loki ? [{ name: 'loki', signals: ['logs'], protocol: 'otlphttp', endpoint: withPath(loki, '/otlp') } as const] : []),
  ];
}

function withPath(url: URL, path: string): string {
  const whole = new URL(url);
  whole.pathname = url.pathname === '/' ? path : url.pathname.replace(/\/$/, '');
  return whole.href;
}
