import type * as docker from '@pulumi/docker';
import type { Alloy } from '../components/alloy';
import { ExampleService } from '../components/example-service';
import type { Host } from './host';

/**
 * The AI service to try the stack with; undefined if it is not enabled.
 * @param image Phoenix's
 */
export function exampleOn({ stack, owner, network, settings, facts, provider }: Host, image: docker.RemoteImage, alloy: Alloy): ExampleService | undefined {
  const [url, name] = [settings['example:model'], settings['example:modelName']];
  return settings['example:enabled']
    ? new ExampleService('example', {
        stack,
        owner,
        network,
        image,
        otlpHttp: alloy.internal.otlpHttp,
        port: settings['example:port'],
        model: url === undefined || name === undefined ? undefined : { url: url.href.replace(/\/$/, ''), name, key: settings['example:modelKey'] },
        listed: facts.listed,
        limits: facts.limits,
      }, { dependsOn: alloy, providers: { docker: provider } })
    : undefined;
}
