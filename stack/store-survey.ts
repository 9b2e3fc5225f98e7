/**
 * Asks the stores of metrics and logs whether they accept what Alloy will send, before anything is deployed: with the
 * credentials, and an empty request. Prometheus, Mimir, Thanos and VictoriaMetrics store nothing of it; Loki
 * answers 422. A store that does not answer may be down temporarily.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import { authorizationOf } from '../components/backend';
import { dockerHost } from '../components/catalog';
import { externalBackends, type ExternalBackend } from './external-backends';
import { unknownSecret } from '../settings/setting';
import { isOwnAddress } from '../engine/host-ports';
import type { Problem } from '../settings/problem';
import type { Settings } from '../settings/keys';
import { refusalOf } from '../settings/store-refusal';
import { shown } from '../settings/store';
import { isPublic } from '../settings/store-parse';

export interface StoreFindings {
  readonly problems: readonly Problem[];
  /** Findings that stop nothing. */
  readonly warnings: readonly string[];
}

/** The place from which a store is asked. */
export interface Asker {
  /** Whether containers of the engine reach what this machine reaches, because the engine runs here. */
  readonly local: boolean;
  /** Gateway of Docker's bridge, which containers know as `host.docker.internal`; none if it is unknown. */
  readonly bridge: readonly string[];
  readonly isSecret: (key: string) => boolean;
}

/**
 * @param told keys that have a problem already: their store's answer would not be about what was set
 * @param timeoutMs time limit for each answer
 */
export async function surveyStores(settings: Settings, { local, bridge, isSecret }: Asker, told: ReadonlySet<string>, timeoutMs = 2000): Promise<StoreFindings> {
  const found = await Promise.all(externalBackends(settings).map(async (backend): Promise<StoreFindings> => {
    const { name, sender, endpoint } = backend;
    const url = new URL(endpoint);
    const isTold = [...told].some((key) => key.startsWith(`${name}:`));
    const address = isTold || [sender.password, sender.token].includes(unknownSecret) ? undefined : await addressOf(url, local, bridge);
    if (address === undefined) {
      return nothing;
    }
    const key = `${name}:url` as const;
    try {
      const { status, says } = await ask(backend, address, timeoutMs);
      const refusal = refusalOf(name, status);
      return refusal === undefined ? nothing
        : { problems: [{ key, ...shown(settings[key] ?? url, isSecret(key)), rule: `the store answers ${status}${says === '' ? '' : ` (${says})`}: ${refusal.means}`, mend: refusal.mend }], warnings: [] };
    } catch (error) {
      const { code = '', name: kind, message } = error as NodeJS.ErrnoException;
      // The engine may know a name that this machine does not.
      const unknown = ['ENOTFOUND', 'EAI_AGAIN'].includes(code) && !isPublic(url);
      const reason = kind === 'AbortError' || kind === 'TimeoutError' ? `no answer within ${timeoutMs / 1000} s` : code || message;
      return unknown ? nothing : { problems: [], warnings: [`the store of ${backend.signals.join()} (${key}) does not answer this machine (${reason}); until it answers, Alloy keeps its data`] };
    }
  }));
  return { problems: found.flatMap(({ problems }) => problems), warnings: found.flatMap(({ warnings }) => warnings) };
}

const nothing: StoreFindings = { problems: [], warnings: [] };

/**
 * What this machine has to ask to reach the server that a container would reach: a host name or an IP address; undefined if
 * this is unknown, as with names of other containers.
 */
async function addressOf(url: URL, local: boolean, bridge: readonly string[]): Promise<string | undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isPublic(url)) {
    return host;
  }
  if (host === dockerHost) {
    const [gateway] = bridge;
    return local && gateway !== undefined && (await isOwnAddress(gateway)) ? gateway : undefined;
  }
  const isOfContainers = isIP(host) === 0 && (!host.includes('.') || /\.(docker|containers)\.internal$/.test(host));
  return local && !isOfContainers ? host : undefined;
}

/** An empty request: an empty protobuf message has no bytes; compressed with Snappy it is just its length, 0. */
const empty = {
  'remote-write': { path: '', headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' }, body: Buffer.of(0) },
  otlphttp: { path: '/v1/logs', headers: { 'content-type': 'application/x-protobuf' }, body: Buffer.alloc(0) },
} as const;

/** @returns status of the answer, and its text if that is one line */
async function ask({ endpoint, protocol, sender }: ExternalBackend, address: string, timeoutMs: number): Promise<{ readonly status: number; readonly says: string }> {
  const { path, headers, body } = empty[protocol];
  const url = new URL(`${endpoint}${path}`);
  const authorization = authorizationOf(sender);
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    // The certificate must be valid for the name in the URL, whatever address is asked.
    const lookup: LookupFunction = (_, options, found) => (options.all ? found(null, [{ address, family: isIP(address) }]) : found(null, address, isIP(address)));
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method: 'POST', agent: false, signal: AbortSignal.timeout(timeoutMs), ...(isIP(address) === 0 ? {} : { lookup }),
      headers: { ...headers, 'content-length': body.length, ...(authorization === '' ? {} : { authorization }), ...(sender.tenant === undefined ? {} : { 'x-scope-orgid': sender.tenant }) },
    });
    request.on('response', resolve).on('error', reject).end(body);
  });
  const isText = answer.headers['content-type']?.startsWith('text/plain') === true && Number(answer.headers['content-length']) <= 1024;
  const [line = ''] = isText ? (await text(answer).catch(() => '')).split('\n') : [];
  answer.destroy();
  return { status: answer.statusCode ?? 0, says: line.replace(/[^\x20-\x7e]/g, '').trim().slice(0, 200) };
}
