/** A rule of an Access policy: one key, which is its kind. */
export type AccessRule = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface Policy {
  readonly id: string;
  readonly decision: string;
  readonly include: readonly AccessRule[];
  readonly exclude: readonly AccessRule[];
  readonly require: readonly AccessRule[];
}

export interface Application {
  readonly id: string;
  /** Hostnames, each with a path prefix if it is not for all paths. */
  readonly self_hosted_domains: readonly string[];
  readonly policies: readonly { readonly id: string; readonly precedence: number }[];
  readonly service_auth_401_redirect: boolean;
}

/** The application that covers an address: an exact hostname before a wildcard, then the longest path. */
export function covering<A extends Application>(applications: readonly A[], hostname: string, path: string): A | undefined {
  const covers = applications.flatMap((application) => application.self_hosted_domains.map((domain) => {
    const slash = domain.indexOf('/');
    const [host, prefix] = slash < 0 ? [domain, ''] : [domain.slice(0, slash), domain.slice(slash).replace(/\/\*?$/, '')];
    return { application, host, prefix };
  })).filter(({ host, prefix }) =>
    (host === hostname || (host.startsWith('*.') && hostname.endsWith(host.slice(1)))) && (path === prefix || path.startsWith(`${prefix}/`) || prefix === ''));
  const rank = ({ host, prefix }: { host: string; prefix: string }) => (host.startsWith('*') ? 0 : 1e6) + prefix.length;
  return covers.sort((a, b) => rank(b) - rank(a))[0]?.application;
}

/** Whether one of the policies admits a client without identity: with this service token (its ID), or with nothing at all. */
export function lets(policies: readonly Policy[], serviceToken: string | undefined): boolean {
  const fits = (rule: AccessRule): boolean =>
    'everyone' in rule || (serviceToken !== undefined && ('any_valid_service_token' in rule || rule['service_token']?.['token_id'] === serviceToken));
  return policies.some(({ decision, include, exclude, require }) =>
    (decision === 'bypass' || (decision === 'non_identity' && serviceToken !== undefined)) &&
    include.some(fits) && !exclude.some(fits) && require.every(fits));
}
