/**
 * Providers that start while the program is still being loaded.
 *
 * The engine starts a provider when it is first asked for, and one after the other; each takes a tenth of a second
 * and more. Loading the SDK takes longer than all of them, on another core. Nothing here may load much by itself.
 */
import * as resource from '@pulumi/pulumi/proto/resource_pb';
import { getMonitor } from '@pulumi/pulumi/runtime/settings';
import { version as randomVersion } from '@pulumi/random/package.json';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';

/** Versions as the SDKs ask for them: with another one the engine would start one more. */
const providers: Readonly<Record<string, string>> = { random: randomVersion, observability: '' };

/** No provider has this function. They answer that, after they were started. */
const nothing = 'index:start';

/** Asks for the providers that every stack needs, but for docker: that one is made for one engine, by the program. @returns when the questions are sent */
export async function startProviders(): Promise<void> {
  const monitor = getMonitor();
  if (!monitor) {
    return;
  }
  for (const [name, version] of Object.entries(providers)) {
    const request = new resource.ResourceInvokeRequest();
    request.setTok(`${name}:${nothing}`);
    request.setArgs(Struct.fromJavaScript({}));
    request.setVersion(version);
    // One that does not start is told of by the first resource that needs it.
    monitor.invoke(request, () => undefined);
  }
  // Loading blocks what has not been sent; an answer to a later question says that these were.
  const question = new resource.SupportsFeatureRequest();
  question.setId('secrets');
  await new Promise<void>((resolve) => monitor.supportsFeature(question, () => resolve()));
}
