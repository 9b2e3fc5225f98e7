/**
 * How Phoenix is started: the program in its container, its environment, and its health check.
 */
import type * as pulumi from '@pulumi/pulumi';
import { beyondLimit, checkProject, ports, storagePercent } from './catalog';
import { spansInMemory } from './phoenix-room';
import { renderFile } from './template';
import type { HealthCheck } from './workload';

export const workingDir = '/phoenix_storage';
export const secretsDir = '/etc/phoenix-secrets';
export const secretsFile = `${secretsDir}/environment.json`;
/** What the image runs by default: `python3 -m` and this. */
export const served = { module: 'phoenix.server.main', args: ['serve'] };
/**
 * Largest request, unpacked: twice Alloy's maximum, because Alloy encodes it anew and adds what a sender may omit. A smaller
 * limit would refuse what Alloy has accepted.
 */
const mostUnpackedMiB = 128;

/** The program that starts Phoenix, in Python. */
export function phoenixStart(mostProjects: number, changes: { readonly secretsFile?: string; readonly mostBytes?: number } = {}): string {
  const projects = renderFile('phoenix/projects.py.mustache', { mostProjects, check: checkProject, elsewhere: beyondLimit });
  return renderFile('phoenix/start.py.mustache', { secretsFile, mostBytes: mostUnpackedMiB * 1024 ** 2, module: served.module, projects, ...changes });
}

const boundedStorage = (mebibytes: number): Readonly<Record<string, string>> => ({
  PHOENIX_DATABASE_ALLOCATED_STORAGE_CAPACITY_GIBIBYTES: String(mebibytes / 1024),
  PHOENIX_DATABASE_USAGE_INSERTION_BLOCKING_THRESHOLD_PERCENTAGE: String(storagePercent.blocked),
  // Used if mail is configured.
  PHOENIX_DATABASE_USAGE_EMAIL_WARNING_THRESHOLD_PERCENTAGE: String(storagePercent.warned),
});

/** A server that stores traces needs none of these; all are on by default. */
const switchedOff = {
  PHOENIX_TELEMETRY_ENABLED: 'false',
  PHOENIX_ALLOW_EXTERNAL_RESOURCES: 'false',
  PHOENIX_DISABLE_AGENT_ASSISTANT: 'true',
  PHOENIX_AGENTS_DISABLE_BASH: 'true',
  PHOENIX_AGENTS_DISABLE_WEB_ACCESS: 'true',
  PHOENIX_ENABLE_MCP_SERVER: 'false',
  PHOENIX_ALLOWED_SANDBOX_PROVIDERS: 'NONE',
  PHOENIX_ENABLE_OAUTH2_AUTHORIZATION_SERVER: 'false',
};

/** The arguments of Phoenix that its environment needs. */
export interface PhoenixEnvironment {
  readonly auth: boolean;
  readonly env?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly storageMiB?: number | undefined;
  readonly memoryMiB: number;
  readonly metrics?: boolean;
}

/** Environment variables of the container; none of them is secret. */
export const phoenixEnvironment = ({ auth, env, storageMiB, memoryMiB, metrics = true }: PhoenixEnvironment): Readonly<Record<string, pulumi.Input<string>>> => ({
  PHOENIX_WORKING_DIR: workingDir,
  PHOENIX_PORT: String(ports.phoenix.ui),
  PHOENIX_GRPC_PORT: String(ports.phoenix.otlpGrpc),
  // The root is read-only, and libraries write below the home directory.
  HOME: '/tmp',
  // Its metrics, on the private network: they show how much of the accepted data is not stored yet.
  PHOENIX_ENABLE_PROMETHEUS: String(metrics),
  PHOENIX_MAX_SPANS_QUEUE_SIZE: String(spansInMemory(memoryMiB)),
  PHOENIX_ENABLE_AUTH: String(auth),
  ...(storageMiB === undefined ? {} : boundedStorage(storageMiB)),
  ...switchedOff,
  // Read by uvicorn, Phoenix's web server. All requests come through the gate, which names the client.
  FORWARDED_ALLOW_IPS: '*',
  ...env,
});

/** Its health check. */
export const answers: HealthCheck = {
  // A bare socket without site-packages costs half the CPU of urllib, so it can run often: a
  // deployment waits for the answer. The image has neither a shell nor curl.
  command: [
    'python3', '-ISc',
    `import socket;s=socket.create_connection(('127.0.0.1',${ports.phoenix.ui}),3);s.send(b'GET /readyz HTTP/1.0\\r\\n\\r\\n');assert b' 200 ' in s.recv(32)`,
  ],
  interval: '2s',
  timeout: '5s',
  // A new database takes 13 s on an idle machine and twice that on a busy one; a migration takes longer.
  startPeriod: '1m0s',
  retries: 15,
  // The provider would give up after a while and replace the container in the next deployment: PhoenixReady waits.
};
