import type { Backend, Sender } from '../components/backend';
import { senderOf, type StoreSettings } from '../settings/store';
import { logsEndpoint, writeEndpoint, type Store } from '../settings/store-parse';

/** A backend that has the namespace of its settings as its name. */
export type ExternalBackend = Backend & { readonly name: Store; readonly endpoint: string; readonly sender: Sender };

/** Stores of metrics and logs that somebody else runs. */
export function externalBackends(settings: StoreSettings): ExternalBackend[] {
  const [prometheus, loki] = [settings['prometheus:url'], settings['loki:url']];
  return [
    ...(prometheus
      ? [{ name: 'prometheus', signals: ['metrics'], protocol: 'remote-write', endpoint: writeEndpoint(prometheus), sender: senderOf(settings, 'prometheus') } as const]
      : []),
    ...(loki
      ? [{ name: 'loki', signals: ['logs'], protocol: 'otlphttp', endpoint: logsEndpoint(loki), sender: senderOf(settings, 'loki') } as const]
      : []),
  ];
}
