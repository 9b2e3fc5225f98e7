/**
 * Names of a stack's objects on the Docker host. Each contains the stack, so that one host can have several stacks.
 */

/** Label every container, volume and network of a stack carries, with `project/stack` as its value. */
export const stackLabel = 'llm-observability.stack';

/** Label of Phoenix's container that names its database; without it the database is SQLite on its volume. */
export const databaseLabel = `${stackLabel}.database`;

/**
 * Name of a container, network or volume on the Docker host. It contains the stack,
 * so that one host can have several stacks.
 */
export function hostName(role: string, stack: string, part?: string): string {
  return [role, stack, part].filter(Boolean).join('-');
}

/** `prod` of `organization/project/prod`, or of a shorter form. */
export const shortName = (stack: string): string => stack.split('/').at(-1) ?? stack;

/** Volume that exists while a stack is taking over from an earlier setup. */
export const takingOver = (stack: string): string => hostName('adoption', stack, 'switching');

/** Cloudflare allows 25 connectors per tunnel. */
export const maxConnectors = 25;

/**
 * Every name that a stack may use on its Docker host. Some are used only with some settings; a test compares the list
 * with what the program creates.
 * @param atEdge whether it is a stack at the edge, which has no Phoenix and no tunnel
 */
export function hostNames(stack: string, atEdge: boolean): { readonly container: readonly string[]; readonly volume: readonly string[]; readonly network: readonly string[] } {
  const gated = atEdge ? 'central' : 'phoenix';
  const stores = ['prometheus', 'loki', 'victorialogs'];
  const here = <T>(names: T[]): T[] => (atEdge ? [] : names);
  return {
    container: [
      ...here([hostName('phoenix', stack), hostName('phoenix', stack, 'data-owner'), hostName('phoenix', stack, 'secret-files'), hostName('tunnel', stack, 'secret-files')]),
      ...here([hostName('journal', stack), hostName('journal', stack, 'data-owner'), hostName('journal', stack, 'secret-files')]),
      ...here(Array.from({ length: maxConnectors }, (_, index) => hostName('tunnel', stack, String(index + 1)))),
      ...[gated, ...stores].flatMap((role) => [hostName(role, stack, 'gate'), hostName(role, stack, 'gate-config-files')]),
      ...(atEdge ? [hostName(gated, stack, 'gate-data-owner')] : []),
      ...here([hostName('phoenix', stack, 'gate-ingest-keys'), hostName('phoenix', stack, 'gate-tls-files'), ...['egress', 'egress-config-files', 'database', 'database-config-files', 'database-check'].map((part) => hostName('phoenix', stack, part))]),
      ...[undefined, 'data-owner', 'config-files', 'config-check'].map((part) => hostName('prometheus', stack, part)),
      hostName('victorialogs', stack), hostName('victorialogs', stack, 'data-owner'),
      ...here([hostName('grafana', stack), hostName('grafana', stack, 'config-files'), hostName('grafana', stack, 'secret-files')]),
      hostName('alloy', stack), hostName('alloy', stack, 'config-files'), hostName('alloy', stack, 'secret-files'), hostName('alloy', stack, 'tls-files'),
      ...here([hostName('example', stack), hostName('example', stack, 'program-files'), hostName('example', stack, 'secret-files')]),
    ],
    volume: [
      ...here([hostName('phoenix', stack, 'data'), hostName('phoenix', stack, 'secrets'), hostName('tunnel', stack, 'secrets')]),
      ...here([hostName('journal', stack, 'data'), hostName('journal', stack, 'secrets')]),
      ...[gated, ...stores].map((role) => hostName(role, stack, 'gate-config')), ...here([hostName('phoenix', stack, 'gate-ingest'), hostName('phoenix', stack, 'gate-tls'), hostName('phoenix', stack, 'egress-config'), hostName('phoenix', stack, 'database-config')]),
      ...(atEdge ? [hostName(gated, stack, 'gate-data')] : []),
      hostName('prometheus', stack, 'data'), hostName('prometheus', stack, 'config'), hostName('victorialogs', stack, 'data'),
      ...here([hostName('grafana', stack, 'data'), hostName('grafana', stack, 'config'), hostName('grafana', stack, 'secrets')]),
      hostName('alloy', stack, 'data'), hostName('alloy', stack, 'config'), hostName('alloy', stack, 'secrets'), hostName('alloy', stack, 'tls'),
      ...here([hostName('example', stack, 'program'), hostName('example', stack, 'secrets')]),
    ],
    network: [hostName('observability', stack), ...here([hostName('observability', stack, 'store')])],
  };
}

/** Whether a container with this restart policy runs forever. Older stacks have `unless-stopped`. */
export const runsForEver = (restart: unknown): boolean => restart === 'always' || restart === 'unless-stopped';

/** The rule for stack names, as the rest of a sentence that begins with the name. */
export const stackNameRule = "containers, volumes and networks carry the name of the stack, so it takes letters, digits, '.', '_' and '-', begins with a letter or digit, and has at most 41 characters";

export const isStackName = (name: string): boolean => /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,40}$/.test(name);
