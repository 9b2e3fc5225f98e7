/**
 * Our own requests to web sites, through the proxy of this machine and with its certificate authorities.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Dispatcher, Response } from 'undici';
import { authorities } from './authorities';
import { httpsProxy, proxyFor } from './proxy';

/** A proxy of a kind that the client does not support, such as SOCKS. */
export class UnknownProxy extends Error {}

/** GET of a page, redirects followed. The client is loaded at the first request: most runs make none. */
export async function get(url: string, signal?: AbortSignal): Promise<Response> {
  const { fetch } = await import('undici');
  return fetch(url, { dispatcher: await dispatcher(url), signal });
}

async function dispatcher(url: string): Promise<Dispatcher> {
  const { Agent, ProxyAgent } = await import('undici');
  const ca = authorities();
  const proxy = proxyFor(url);
  if (!proxy) {
    return new Agent({ connect: { ca } });
  }
  if (!/^https?:\/\//.test(proxy.url) || !URL.canParse(proxy.url)) {
    throw new UnknownProxy();
  }
  return new ProxyAgent({ uri: proxy.url, requestTls: { ca }, proxyTls: { ca } });
}

/**
 * Variables with which curl and the Pulumi CLI (Go) download through the same proxy.
 * @param folder where the authorities are written for them
 */
export function sameWay(folder: string): Record<string, string> {
  const bundle = path.join(folder, 'authorities.pem');
  fs.writeFileSync(bundle, `${authorities().join('\n')}\n`);
  const proxy = httpsProxy();
  return {
    CURL_CA_BUNDLE: bundle,
    SSL_CERT_FILE: bundle,
    // curl reads the one first and Go the other, and Go does not read ALL_PROXY.
    ...(proxy ? { https_proxy: proxy.url, HTTPS_PROXY: proxy.url } : {}),
  };
}
