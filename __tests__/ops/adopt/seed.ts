/** An engine with the seed's set-up at work, as a survey finds it. */
import { fakeDocker, type FakeContainer, type FakeDocker } from '../../support/fake-docker';
import { runningAlloy, runningPhoenix } from './given';

const oldVolume = { 'arize-phoenix_phoenix_data': {} };
export const measured = { traces: 1000, spans: 2000, bytes: 100 * 2 ** 20, free: 120 * 2 ** 20, defaultPassword: false };

export async function engine(containers: readonly FakeContainer[] = [runningPhoenix(), runningAlloy()], volumes: Record<string, Record<string, string>> = oldVolume): Promise<FakeDocker> {
  const docker = await fakeDocker(containers, volumes);
  docker.answers['POST /containers/adoption-dev-data/wait'] = { StatusCode: 0 };
  docker.answers['GET /containers/adoption-dev-data/logs'] = Buffer.from(JSON.stringify(measured));
  docker.answers['GET /networks/seed_default'] = { Containers: { a: { Name: 'grafana-alloy' }, b: { Name: 'arize-phoenix-phoenix-1' } } };
  return docker;
}

/** A part of the configuration of the old Alloy. */
export const exporter = (endpoint = 'http://phoenix:6006', label = 'default'): string => `otelcol.exporter.otlphttp "${label}" {\n  client {\n    endpoint = "${endpoint}"\n  }\n}\n`;

/** The configuration of the old Alloy. */
export function configured(docker: FakeDocker, config: string): void {
  const content = Buffer.from(config);
  const header = Buffer.alloc(512);
  header.write(content.length.toString(8).padStart(11, '0'), 124);
  header.write('0', 156);
  docker.answers['GET /containers/grafana-alloy/archive'] = Buffer.concat([header, content]);
}
