/**
 * What it means when a store of metrics or logs refuses the credentials or the address: that lasts until somebody changes a
 * setting.
 */
import type { Store } from './store-parse';

const stores: Readonly<Record<Store, { readonly what: string; readonly takes: string }>> = {
  prometheus: { what: 'metrics', takes: 'remote write' },
  loki: { what: 'logs', takes: 'OTLP, which Loki does from 3.0 on; any other OTLP endpoint ends with /v1/logs' },
};

/** The command that changes the address. */
export const addressCommand = (store: Store): string => `pulumi config get ${store}:url   # then set the one that takes ${stores[store].takes}`;

/**
 * @param answer status of the store's answer
 * @returns what it means and the commands that help; undefined if it is not about the settings
 */
export function refusalOf(store: Store, answer: number): { readonly means: string; readonly mend: readonly string[] } | undefined {
  if (answer === 401 || answer === 403) {
    return {
      means: 'it rejects the credentials',
      mend: [`pulumi config set --secret ${store}:password   # of ${store}:username`, `pulumi config set --secret ${store}:token   # instead of the two`, `pulumi config set ${store}:tenant team-a   # where it has tenants`],
    };
  }
  if (answer === 404 || answer === 405 || (answer >= 300 && answer < 400)) {
    return { means: answer < 400 ? 'it redirects, for example to a login' : `nothing takes ${stores[store].what} there`, mend: [addressCommand(store)] };
  }
  return undefined;
}
