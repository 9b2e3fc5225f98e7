/**
 * The local Pulumi provider `observability`: operations inside a running stack, as resources of it.
 * Pulumi.yaml names the folder; the CLI starts `pulumi-resource-observability` in it.
 */
import { apiKey } from './api-key';
import { apiKeyList } from './api-key-list';
import { cloudflareAccount } from './cloudflare-account';
import { deliveryCheck } from './delivery-check';
import { intake } from './intake';
import { engineCheck } from './engine-check';
import { endWithParent } from './parent';
import { phoenixReady } from './phoenix-ready';
import { phoenixSettings } from './phoenix-settings';
import { speakTo } from './progress';
import { providing } from './providing';
import { serve } from './serve';

const observability = providing({
  'observability:index:ApiKey': apiKey(),
  'observability:index:ApiKeyList': apiKeyList(),
  'observability:index:CloudflareAccount': cloudflareAccount(),
  'observability:index:EngineCheck': engineCheck(),
  'observability:index:DeliveryCheck': deliveryCheck(),
  'observability:index:Intake': intake(),
  'observability:index:PhoenixReady': phoenixReady(),
  'observability:index:PhoenixSettings': phoenixSettings(),
});

const args = process.argv.slice(2);
endWithParent();
speakTo(args);
void serve(observability);
