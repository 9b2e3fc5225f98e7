/**
 * The local Pulumi provider `observability`: what has to be done inside a running stack, as resources of it.
 * Pulumi.yaml names the folder; the CLI starts `pulumi-resource-observability` in it.
 */
import { main, type Provider } from '@pulumi/pulumi/provider';
import { apiKey } from './api-key';
import { cloudflareAccount } from './cloudflare-account';
import { deliveryCheck } from './delivery-check';
import { intake } from './intake';
import { engineCheck } from './engine-check';
import { endWithParent } from './parent';
import { phoenixReady } from './phoenix-ready';
import { phoenixSettings } from './phoenix-settings';
import { speakTo } from './progress';
import { providing } from './providing';

/** Ctrl-C: what only waits ends at once. */
const stop = new AbortController();

const observability: Provider = { ...providing({
  'observability:index:ApiKey': apiKey(),
  'observability:index:CloudflareAccount': cloudflareAccount(),
  'observability:index:EngineCheck': engineCheck(),
  'observability:index:DeliveryCheck': deliveryCheck(),
  'observability:index:Intake': intake(),
  'observability:index:PhoenixReady': phoenixReady(undefined, undefined, undefined, stop.signal),
  'observability:index:PhoenixSettings': phoenixSettings(),
}), cancel: () => Promise.resolve(stop.abort()) };

const args = process.argv.slice(2);
endWithParent();
speakTo(args);
void main(observability, args);
