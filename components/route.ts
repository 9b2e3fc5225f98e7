/**
 * Where a tunnel leads: hostnames, the services behind them, and who has access.
 */
import type * as pulumi from '@pulumi/pulumi';
import { whyNoTunnelOrigin } from './tunnel-origin';
import { wrongInput } from './wrong-input';

/** Who has access to a hostname: people who log in at Access, machines that send a service token, or everybody. */
export type Audience = 'people' | 'machines' | 'everybody';

/** A hostname and where it leads. */
export interface Route {
  /** Part of its resources' names: changing it changes them. */
  readonly name: string;
  readonly hostname: pulumi.Input<string>;
  /** The first matching rule handles a request; a request that matches none gets 404. */
  readonly rules: readonly {
    /**
     * Regular expression for the path.
     * @default every path
     */
    readonly path?: string;
    /** `http://host:port` or `https://host:port` as the connectors reach it. Public hostnames do not support gRPC. */
    readonly service: string;
  }[];
  readonly audience: Audience;
}

/**
 * The rules of the tunnel, the catch-all last.
 * @throws InputPropertyError for a service that no public hostname can lead to
 */
export function ingressRules(routes: readonly Route[]): { hostname?: pulumi.Input<string>; path?: string; service: string }[] {
  return [
    ...routes.flatMap(({ hostname, rules }, index) => rules.map(({ path, service }, rule) => ({ hostname, ...(path === undefined ? {} : { path }), service: origin(`routes[${index}].rules[${rule}].service`, service) }))),
    { service: 'http_status:404' },
  ];
}

function origin(property: string, service: string): string {
  const broken = whyNoTunnelOrigin(service);
  if (broken !== undefined) {
    throw wrongInput(property, `it is '${service}': ${broken}`);
  }
  return new URL(service).origin;
}
