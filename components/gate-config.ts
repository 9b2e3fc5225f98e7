/**
 * nginx's configuration for a gate.
 */
import { authorizationOf, type Protocol, type Sender, type SenderArgs } from './backend';
import { aliases, dockerHost, dockerHostInGate, gateAside, otlpSignals, phoenixAway, ports, tlsFiles, tunnelSeconds } from './catalog';
import { bracketed, checksPath, type Door, doorView, literally } from './door';
import { renderFile } from './template';

export const configDir = '/etc/gate';

/** Holds an empty file for each key that may only send, named by the middle part of the key, which is its number in Phoenix. */
export const ingestDir = '/etc/gate-ingest';

export const tlsDir = '/etc/gate-tls';

export const configFile = `${configDir}/nginx.conf`;

/** The sender's credentials for a store, and the address that they are for. */
export const senderFile = `${configDir}/sender.conf`;

/** While this file exists, no request is let through. */
export const closedFile = '/tmp/closed';

/**
 * Refusals that are returned to Alloy unchanged. The first four say that the data is bad: sent again, it would block
 * the queue forever. The others are those that Alloy retries by itself.
 */
export const passedCodes: readonly number[] = [400, 413, 415, 422, 429, 502, 503, 504];

/** Means that samples are older than others of their series; returned by Thanos. */
const conflict = 409;

/** Differences between protocols: the refusals that reach Alloy, and whether the endpoint is the whole URL. */
export const protocols: Readonly<Record<Protocol, { readonly passed: readonly number[]; readonly isWhole: boolean }>> = {
  otlphttp: { passed: passedCodes, isWhole: false },
  'remote-write': { passed: [...passedCodes, conflict], isWhole: true },
};

/** Refusals that are never caused by the content of a request: they concern the sender, the path, the method or the time. */
const ofTheWay: readonly number[] = [401, 404, 405, 408];

/** Whether the request's content may be the cause of a refusal: for example, a firewall's 403. */
const mayBeForContent = (code: number): boolean => code >= 400 && code <= 500 && !ofTheWay.includes(code);

/** How many refusals, over three minutes in all, until a request is put aside. */
const refusedTimes = 30;

/** nginx's own code for a client that hung up; nginx does not start with a rule for it. */
const hungUp = 499;

export interface GateConfig {
  /** Base URL of the backend. */
  readonly backend: string;
  /** Default: `otlphttp`. */
  readonly protocol?: Protocol;
  readonly tunnelled?: boolean | undefined;
  readonly journal?: string | undefined;
  readonly door?: Door | undefined;
  /** Ports on which it accepts connections for an Egress. Default: none. */
  readonly egressPorts?: readonly number[];
  /** Whether the door also accepts TLS, on separate ports. */
  readonly tls?: boolean;
  /** Names under which people reach the backend's page through it, and a regular expression of the paths that are not served. Default: the page is not published. */
  readonly page?: { readonly names: readonly string[]; readonly closed: string } | undefined;
  /** Whether it adds the sender's credentials, from `senderConfig`. Default: Alloy does. */
  readonly sender?: boolean;
}

/**
 * nginx's configuration for a gate. (From a backend, 408 and 444 end as a closed connection,
 * whatever the rules are: Alloy retries those, too.)
 */
export function gateConfig({ backend, protocol: takes = 'otlphttp', tunnelled = false, journal, door, egressPorts = [], tls = false, sender = false, page }: GateConfig): string {
  const { protocol, origin, pathname, hostname, host } = new URL(backend);
  const rows = Array.from({ length: 30 }, (_, row) => Array.from({ length: 10 }, (_, column) => 300 + row * 10 + column));
  const isHere = hostname === dockerHost;
  // In nginx a $ begins the name of a variable.
  const path = pathname.replace(/\/$/, '').replaceAll('$', '%24');
  const upstream = isHere ? `${protocol}//${dockerHostInGate}${path}` : `${origin}${path}`;
  const { passed } = protocols[takes];
  const rowsOf = (wanted: (code: number) => boolean): string[] =>
    rows.map((row) => row.filter((code) => code !== hungUp && !passed.includes(code) && wanted(code)).join(' ')).filter(Boolean);
  const { directHttp, directGrpc, ui, tlsUi, tlsHttp, tlsGrpc } = ports.gate;
  const listening = (plain: number, encrypted: number): object[] => [{ port: plain, ssl: false }, ...(tls ? [{ port: encrypted, ssl: true }] : [])];
  return renderFile('gate/nginx.conf.mustache', {
    port: ports.gate.otlpHttp,
    healthPort: ports.gate.health,
    closedFile,
    upstream,
    spansTo: journal ?? upstream,
    here: isHere ? { name: dockerHostInGate, host, hostname, server: host === hostname ? `${host}:${protocol === 'https:' ? 443 : 80}` : host } : false,
    tls: protocol === 'https:',
    sender: sender && { file: senderFile },
    ownPage: page !== undefined && { origin, names: page.names.map(bracketed).join(' '), originPattern: page.names.map(literally).join('|'), closed: page.closed },
    pagePort: ports.gate.page,
    // Longer than Alloy waits: Alloy's timeout is the one that counts.
    seconds: 5 + (tunnelled ? tunnelSeconds : 30),
    egress: egressPorts.length === 0 ? false : { to: aliases.egress, on: egressPorts },
    later: rowsOf((code) => !tunnelled || !mayBeForContent(code)),
    aside: tunnelled && { directory: gateAside, hostname, refusals: rowsOf(mayBeForContent), refusedTimes, signals: otlpSignals },
    door: door === undefined ? false : {
      ...doorView(door),
      away: phoenixAway,
      ingestDir,
      // Base64 of the beginning of an API key's middle part, independent of the rest.
      keyBegins: Buffer.from('{"jti":"ApiKey:').toString('base64url'),
      checksPath,
      secured: tls ? tlsFiles(tlsDir) : false,
      grpcPorts: listening(directGrpc, tlsGrpc),
      grpc: `${hostname}:${ports.phoenix.otlpGrpc}`,
      // HTTP/2 only for gRPC: elsewhere a request states the length of its body.
      strangers: [{ ports: [...listening(ui, tlsUi), ...listening(directHttp, tlsHttp)], http2: false }, { ports: listening(directGrpc, tlsGrpc), http2: true }],
      doors: [
        { what: "The page and the REST API. Phoenix's own clients send OTLP over HTTP there, too.", ports: listening(ui, tlsUi), page: true },
        { what: 'OTLP over HTTP, past Alloy.', ports: listening(directHttp, tlsHttp), page: false },
      ],
    },
  });
}

export const isSecret = ({ password, token }: SenderArgs): boolean => password !== undefined || token !== undefined;

/** The part of the configuration with the sender's credentials for a store. An empty header is not sent. */
export const senderConfig = (sender: Sender): string =>
  renderFile('gate/sender.conf.mustache', { authorization: authorizationOf(sender), tenant: sender.tenant ?? '' });
