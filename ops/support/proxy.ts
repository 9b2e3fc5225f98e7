/**
 * The proxy for a request, from the variables that curl, npm and Go read.
 */

export interface Proxy {
  readonly url: string;
  /** The variable that names it. */
  readonly variable: string;
}

/** The proxy of this machine for https. */
export function httpsProxy(env: NodeJS.ProcessEnv = process.env): Proxy | undefined {
  const variable = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'].find((name) => env[name]);
  const value = variable && env[variable];
  // `proxy.example:3128` is a common form, which curl and Go treat as http.
  return value ? { url: /^\w+:\/\//.test(value) ? value : `http://${value}`, variable } : undefined;
}

/** The proxy for a request to `url`; undefined for a direct connection. */
export function proxyFor(url: string, env: NodeJS.ProcessEnv = process.env): Proxy | undefined {
  const { protocol, hostname, port } = new URL(url);
  const exempt = protocol !== 'https:' || isExempt(hostname, port || '443', env['no_proxy'] ?? env['NO_PROXY'] ?? '');
  return exempt ? undefined : httpsProxy(env);
}

/** A proxy as a message may show it: without the user and password in its URL. */
export function shownProxy(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'it is not a URL';
}

/** NO_PROXY: hosts, their domains, with a port or without, or `*`. */
function isExempt(host: string, port: string, list: string): boolean {
  return list.split(/[\s,]+/).filter(Boolean).some((entry) => {
    const [, name = '', only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry) ?? [];
    const domain = name.toLowerCase();
    return entry === '*' || ((only === undefined || only === port) && domain !== '' && (host === domain || host.endsWith(`.${domain}`)));
  });
}
