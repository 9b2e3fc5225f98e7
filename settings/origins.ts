/** Origins of websites, as browsers write them and as Alloy's receiver compares them. */
import { BrokenRule } from './broken-rule';
import { distinct, parts } from './parse';
import { isLoopback } from '../components/address';

/** Stands in for a `*` where a URL is parsed. */
const label = 'wildcard-label';
const port = '1';

/** The part before dots at the end of a host. */
const dotted = /^(https?:\/\/[^/?#@:]*?)\.+(?=[/?#:]|$)/i;

/** `https://app.example.com`, with a `*` for what comes before a domain or for any port, separated by commas. */
export function origins(raw: string): readonly string[] {
  const list = parts(raw);
  const rule = list.map(broken).find((one) => one !== undefined);
  if (rule !== undefined) {
    throw new BrokenRule(rule, list.map((one) => meant(one) ?? one).join(','));
  }
  return distinct(list, 'an origin');
}

function broken(text: string): string | undefined {
  if (text === '*') {
    return 'with * every website opened on this machine can send; name origins, such as https://app.example.com or https://*.example.com';
  }
  if (text.toLowerCase() === 'null') {
    return 'null is sent by pages without an origin, such as a file, and any website can open one; serve the page, and name its origin';
  }
  if (!/^https?:\/\//i.test(text)) {
    return 'an origin begins with http:// or https://';
  }
  if (dotted.test(text)) {
    return 'the host of an origin has no dot at its end';
  }
  if (text.includes('*')) {
    const domain = /^https?:\/\/\*\.([^/:?#@*]+)/i.exec(text)?.[1];
    const anyPort = /^https?:\/\/[^/?#@*]+:\*(?=[/?#]|$)/i.test(text);
    if ((domain === undefined && !anyPort) || text.split('*').length > 2) {
      return 'one * matches what comes before a domain, as in https://*.example.com, or for any port, as in http://localhost:*';
    }
    if (domain !== undefined && !domain.includes('.') && !isLoopback(domain)) {
      return 'a * in front of a top-level domain accepts the websites of everyone; name a domain, as in https://*.example.com';
    }
  }
  const written = inBrowser(text);
  if (written === undefined) {
    return 'it is not an origin; write http://host:port or https://host';
  }
  return text === written ? undefined : 'a browser sends the scheme, the host in small letters and a port other than that of the scheme, and nothing after it';
}

/** As a browser writes it in the header `Origin`; undefined if that is not clear. */
function inBrowser(text: string): string | undefined {
  const named = text.replace(dotted, '$1').replace(/^(https?:\/\/)\*\./i, `$1${label}.`);
  const filled = named.replace(/^(https?:\/\/[^/?#*]+):\*(?=[/?#]|$)/i, `$1:${port}`);
  if (filled.includes('*')) {
    return undefined;
  }
  try {
    const origin = new URL(filled).origin.replace(`//${label}.`, '//*.');
    return filled === named ? origin : origin.replace(new RegExp(`:${port}$`), ':*');
  } catch {
    return undefined;
  }
}

/** A name or address without a scheme: those of this machine use http. */
function meant(text: string): string | undefined {
  if (/^(null|\*)$/i.test(text)) {
    return undefined;
  }
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/i.exec(text) ?? [];
  if (scheme !== '' && !/^https?:/i.test(scheme)) {
    return undefined;
  }
  const host = /^(\[[^\]]*\]|[^/:?#]*)/.exec(rest)?.[0] ?? '';
  const isLocal = isLoopback(host.replace(/^\*\./, '')) || /^[\d.]+$/.test(host);
  return inBrowser(scheme === '' ? `${isLocal ? 'http' : 'https'}://${rest}` : text);
}
