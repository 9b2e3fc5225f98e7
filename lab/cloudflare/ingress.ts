/** A rule of a tunnel's configuration; without hostname and path it matches everything. */
export interface IngressRule {
  readonly hostname?: string;
  /** Regular expression that may match anywhere in the path, as in cloudflared. */
  readonly path?: string;
  readonly service: string;
}

/** The first rule that matches: cloudflared checks them in order, against the decoded path without its query. */
export function ruleFor(rules: readonly IngressRule[], hostname: string, path: string): IngressRule | undefined {
  const decoded = decode(path.replace(/\?.*/, ''));
  return rules.find((rule) => fits(rule.hostname, hostname) && (!rule.path || new RegExp(rule.path).test(decoded)));
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function fits(wanted: string | undefined, hostname: string): boolean {
  return !wanted || wanted === '*' || wanted === hostname || (wanted.startsWith('*.') && hostname.endsWith(wanted.slice(1)));
}

/** What is wrong with a list of rules as a whole, in the API's words. */
export function misfit(rules: readonly IngressRule[]): string | undefined {
  if (rules.length === 0) {
    return undefined;
  }
  const catchesAll = (rule: IngressRule) => (!rule.hostname || rule.hostname === '*') && !rule.path;
  const early = rules.findIndex((rule, i) => i < rules.length - 1 && catchesAll(rule));
  if (early >= 0) {
    return `Rule #${early + 1} is matching the hostname '${rules[early]?.hostname ?? ''}', but this will match every hostname, meaning the rules which follow it will never be triggered.`;
  }
  if (!catchesAll(rules.at(-1) as IngressRule)) {
    return 'The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)';
  }
  for (const [i, { path, service }] of rules.entries()) {
    if (path && !compiles(path)) {
      return `Rule #${i + 1} has an invalid regex`;
    }
    const wrong = wrongService(service);
    if (wrong) {
      return `${service} is an invalid address, ${wrong}`;
    }
  }
  return undefined;
}

function wrongService(service: string): string | undefined {
  const status = /^http_status:(\d+)$/.exec(service)?.[1];
  if (status !== undefined) {
    return Number(status) >= 100 && Number(status) <= 999 ? undefined : 'HTTP status codes are between 100 and 999';
  }
  if (/^(unix(\+tls)?:\/|hello[_-]world$|socks-proxy$|bastion$)/.test(service)) {
    return undefined;
  }
  const [, rest] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+(\/)?)/i.exec(service) ?? [];
  return rest === undefined
    ? 'please make sure it has a scheme and a hostname'
    : rest.endsWith('/') ? "ingress rules don't support proxying to a different path on the origin service. The path will be the same as the eyeball request's path" : undefined;
}

function compiles(pattern: string): boolean {
  try {
    return !!new RegExp(pattern);
  } catch {
    return false;
  }
}
