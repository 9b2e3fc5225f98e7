/**
 * What a tunnel leads to: hostnames, the services behind them, and who gets through.
 */
import type * as pulumi from '@pulumi/pulumi';
import { whyNoTunnelOrigin } from './tunnel-origin';
import { wrongInput } from './wrong-input';

/** Who gets through to a hostname: people who log in at Access, machines that show a service token, or everybody. */
export type Audience = 'people' | 'machines' | 'everybody';

/** A hostname and what it leads to. */
export interface Route {
  /** Part of its resources' names: with another one they are others. */
  readonly name: string;
  readonly hostname: pulumi.Input<string>;
  /** The first that fits a request takes it; what fits none is answered with 404. */
  readonly rules: readonly {
    /**
     * Regular expression for the path.
     * @default every path
     */
    readonly path?: string;
    /** `http://host:port` or `https://host:port` as the connectors reach it. gRPC does not pass a public hostname. */
    readonly service: string;
  }[];
  readonly audience: Audience;
}

/**
 * The rules of the tunnel, the catch-all last.
 * @throws InputPropertyError for a service that no public hostname leads to
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
