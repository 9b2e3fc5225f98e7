/**
 * Fixed facts about the parts: image pins, ports inside the containers, names and users.
 * They are defined only here; a port number elsewhere in the program is a mistake.
 */

import { compareVersions } from './image-reference';
import { reliedOn, type Reliance } from './relied-on';

/**
 * Image references, `repository:tag` or `repository:tag@sha256:…`.
 * `npm run pin` adds the digests if an image registry answers.
 */
export const images = {
  phoenix: 'arizephoenix/phoenix:version-20.26.1-nonroot',
  alloy: 'grafana/alloy:v1.18.1',
  gate: 'nginx:1.30.6',
  tunnel: 'cloudflare/cloudflared:2026.8.2',
  prometheus: 'prom/prometheus:v3.14.0',
  grafana: 'grafana/grafana:13.2.3',
  victorialogs: 'victoriametrics/victoria-logs:v1.52.1',
} as const;

/** A service that runs in its own container. */
export type ServiceName = keyof typeof images;

/** Oldest version that has everything the program relies on. */
export const oldest: Readonly<Record<ServiceName, string>> = {
  phoenix: newest(reliedOn.phoenix),
  alloy: newest(reliedOn.alloy),
  gate: newest(reliedOn.gate),
  tunnel: newest(reliedOn.tunnel),
  prometheus: newest(reliedOn.prometheus),
  grafana: newest(reliedOn.grafana),
  victorialogs: newest(reliedOn.victorialogs),
};

function newest(reliances: readonly Reliance[]): string {
  const versions = reliances.filter(({ without }) => without === undefined).map(({ since }) => since);
  return versions.reduce((best, version) => (compareVersions(version, best) > 0 ? version : best));
}

/**
 * Environment variable with the images that one run uses instead of the pinned ones, unless the stack sets them: JSON by
 * service. The stack file is the wrong place for settings of a single run.
 */
export const imagesVariable = 'LLM_OBSERVABILITY_IMAGES';

/** Oldest Docker Engine API: 1.41 came with Docker 20.10, the oldest engine the end-to-end tests ran on. */
export const oldestEngineApi = '1.41';

/** Ports on which the services listen inside their containers. */
export const ports = {
  /** Phoenix receives OTLP over HTTP on its UI port; nothing listens on 4318. */
  phoenix: { ui: 6006, otlpGrpc: 4317, metrics: 9090 },
  alloy: { otlpGrpc: 4317, otlpHttp: 4318, ui: 12345, tlsGrpc: 14317, tlsHttp: 14318 },
  /**
   * From Alloy; and what is published of Phoenix: the page with the REST API, and OTLP past Alloy, each also over TLS. On a
   * network it has Phoenix's ports. In front of a store that is deployed here, its page.
   */
  gate: { otlpHttp: 4318, health: 14319, ui: 6006, directGrpc: 4317, directHttp: 14318, tlsUi: 16006, tlsGrpc: 24317, tlsHttp: 24318, page: 9090 },
  journal: { otlpHttp: 4318 },
  example: { http: 10000 },
  tunnel: { metrics: 20241 },
  prometheus: { web: 9090 },
  grafana: { ui: 3000 },
  victorialogs: { web: 9428 },
} as const;

/** Host names of the services on the networks of a stack. Under the name `phoenix` the others reach the gate. */
export const aliases = { alloy: 'alloy', phoenix: 'phoenix-server', journal: 'phoenix-journal', egress: 'phoenix-egress', prometheus: 'prometheus', grafana: 'grafana', victorialogs: 'victorialogs', example: 'ai-service' } as const;

/** URL of Phoenix's metrics on its network. */
export const phoenixMetrics = `http://${aliases.phoenix}:${ports.phoenix.metrics}/metrics`;

/** Folders in the container of Alloy. */
export const alloyDirectories = {
  /** Holds `config.alloy` and `start.sh`. */
  config: '/etc/alloy',
  /** Holds one file for each header of a backend. */
  secrets: '/etc/alloy-secrets',
  /** Holds the certificate and key of the ports published over TLS. */
  tls: '/etc/alloy-tls',
  data: '/var/lib/alloy',
  queue: '/var/lib/alloy/queue',
  /** Queue files that Alloy could not read. */
  damaged: '/var/lib/alloy/damaged',
} as const;

/** Folder in the gate of a stack at the edge: requests that the other end refuses because of their content, by signal. */
export const gateAside = '/var/lib/gate-aside';
/** Program in the gate that sends them again. */
export const sendAgainFile = '/etc/gate/send-again.sh';
export const otlpSignals = ['traces', 'metrics', 'logs'] as const;

/** Certificate and key in a folder of a container. */
export const tlsFiles = (directory: string): { readonly certificate: string; readonly key: string } =>
  ({ certificate: `${directory}/certificate.pem`, key: `${directory}/key.pem` });

/** Numeric `uid:gid`, so that an image needs no passwd entry for it. */
export const users = {
  /** `nonroot` of the distroless images. */
  phoenix: '65532:65532',
  /** `alloy` of the official image, which owns /var/lib/alloy there. */
  alloy: '473:473',
  /** `nginx` of the official image. */
  gate: '101:101',
  /** Phoenix's, because it runs Phoenix's image. */
  journal: '65532:65532',
  /** Phoenix's, because it runs Phoenix's image. */
  example: '65532:65532',
  /** `nonroot` of the distroless images. */
  tunnel: '65532:65532',
  /** `nobody` of the official image, which owns /prometheus there. */
  prometheus: '65534:65534',
  /** `grafana` of the official image, which owns /var/lib/grafana there. */
  grafana: '472:0',
  /** `nonroot` of the distroless images; this one runs as root by default. */
  victorialogs: '65532:65532',
} as const;

/**
 * Percent of `phoenix:storage` at which `verify` and Phoenix's mail warn, and at which Phoenix accepts no more spans.
 * Phoenix checks once a minute, and does not count the log of its database.
 */
export const storagePercent = { warned: 80, blocked: 95 } as const;

/** The temporary project of a delivery check: a pattern for nginx and for Python. */
export const checkProject = 'verify-[0-9]{13}';

/** `service.name` of everything that a delivery check sends. */
export const checkService = 'llm-observability-verify';

/** The project of spans whose own project would exceed the limit. */
export const beyondLimit = 'beyond-limit';

/** The gate's answer if Phoenix does not answer, or is about to be replaced. */
export const phoenixAway = 'Phoenix does not answer right now, or is busy.';

/** The name by which a container reaches the machine that it runs on. */
export const dockerHost = 'host.docker.internal';

/** The same in a gate's configuration: Docker's DNS does not know that name, and nginx reads it from a file when it starts. */
export const dockerHostInGate = 'docker-host';

/** The administrator that Phoenix creates with its database. */
export const firstAdmin = 'admin@localhost';

/** Seconds that a request through a tunnel may take: 64 MiB at 8 Mbit/s takes 67, and Cloudflare waits 100 for an answer. */
export const tunnelSeconds = 180;

/** The Pulumi CLI: the version that package.json pins, and the oldest with the commands that ops/ uses. */
export const pulumiVersion = { pinned: '3.259.0', oldest: '3.200.0' } as const;
