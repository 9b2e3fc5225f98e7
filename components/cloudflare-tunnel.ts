import * as cloudflare from '@pulumi/cloudflare';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import * as random from '@pulumi/random';
import { dockerHost, ports, users } from './catalog';
import { fileVolume } from './file-volume';
import { hostName, stackLabel } from './names';
import { whyNoTunnelOrigin } from './tunnel-origin';
import { configLabel } from './config-label';
import * as workload from './workload';

/** Who gets through to a hostname: people who log in at Access, machines that show a service token, or everybody. */
export type Audience = 'people' | 'machines' | 'everybody';

/** A hostname and what it leads to. */
export interface Route {
  /** Part of its resources' names: with another one they are others. */
  readonly name: string;
  readonly hostname: string;
  /** The first that fits a request takes it; what fits none is answered with 404. */
  readonly rules: readonly {
    /** Regular expression for the path. Default: every path. */
    readonly path?: string;
    /** `http://host:port` or `https://host:port` as the connectors reach it. gRPC does not pass a public hostname. */
    readonly service: string;
  }[];
  readonly audience: Audience;
}

export interface CloudflareTunnelArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on everything made here. */
  readonly owner: string;
  /** Private network of the services. */
  readonly network: docker.Network;
  /** Reference of a cloudflared image with a version. */
  readonly image: string;
  readonly accountId: string;
  /** Zone of the hostnames. */
  readonly zoneId: pulumi.Input<string>;
  /** Name of the tunnel in the account. */
  readonly name: string;
  readonly routes: readonly Route[];
  /** Whom Access lets in to the routes for people. */
  readonly people: { readonly emails: readonly string[]; readonly domains: readonly string[]; readonly groups: readonly string[] };
  /** Names of the service tokens for the routes for machines. */
  readonly serviceTokens: readonly string[];
  /** Hours (`8760h`), or `forever`. */
  readonly tokenDuration: string;
  /** Containers that hold the tunnel open. */
  readonly connectors: number;
  /** What the engine's kernel can limit. Default: everything. */
  readonly limits?: workload.Limits | undefined;
  readonly transform?: { readonly container?: workload.Transform<docker.ContainerArgs> };
}

/** A service token as the machines that show it need to know it. */
export interface ServiceToken {
  readonly clientId: pulumi.Output<string>;
  /** Secret. */
  readonly clientSecret: pulumi.Output<string>;
  /** ISO 8601; far in the future for one that is good for ever. */
  readonly expiresAt: pulumi.Output<string>;
}

const secretsDir = '/etc/cloudflared-secrets';
const tokenFile = `${secretsDir}/token`;

/** How long a login of people lasts. Left out, the provider shows a change in every preview. */
const sessionDuration = '24h';

/** Seconds for which requests under way may go on when a connector is stopped. */
const graceSeconds = 30;

/**
 * A Cloudflare tunnel: hostnames that lead to services on the private network, with nothing open on the host. In front
 * of each stands Cloudflare Access, or the service asks by itself who comes.
 */
export class CloudflareTunnel extends pulumi.ComponentResource {
  readonly tunnelId: pulumi.Output<string>;
  readonly image: docker.RemoteImage;
  /** Names of the connectors' containers on the Docker host. */
  readonly containerNames: readonly pulumi.Output<string>[];
  readonly serviceTokens: Readonly<Record<string, ServiceToken>>;

  constructor(name: string, args: CloudflareTunnelArgs, opts?: pulumi.ComponentResourceOptions) {
    super('llm-observability:index:CloudflareTunnel', name, {}, opts);
    const child = { parent: this };
    const labels = { [stackLabel]: args.owner };
    const { accountId, routes } = args;
    const forAudience = (audience: Audience): readonly Route[] => routes.filter((route) => route.audience === audience);

    const secret = pulumi.secret(new random.RandomBytes(`${name}-secret`, { length: 32 }, child).base64);
    const tunnel = new cloudflare.ZeroTrustTunnelCloudflared(
      `${name}-tunnel`,
      { accountId, name: args.name, configSrc: 'cloudflare', tunnelSecret: secret },
      child,
    );
    const config = new cloudflare.ZeroTrustTunnelCloudflaredConfig(
      `${name}-config`,
      { accountId, tunnelId: tunnel.id, config: { ingresses: ingressRules(routes) } },
      child,
    );

    const tokens = forAudience('machines').length === 0 ? [] : args.serviceTokens.map((token) =>
      [token, new cloudflare.ZeroTrustAccessServiceToken(`${name}-token-${token}`, { accountId, name: `${args.name} ${token}`, duration: args.tokenDuration }, child)] as const);
    this.serviceTokens = Object.fromEntries(tokens.map(([token, { clientId, clientSecret, expiresAt }]) => [token, { clientId, clientSecret: pulumi.secret(clientSecret), expiresAt }]));

    const policy = (audience: 'people' | 'machines', policyArgs: Omit<cloudflare.ZeroTrustAccessPolicyArgs, 'accountId' | 'name'>): cloudflare.ZeroTrustAccessPolicy[] =>
      forAudience(audience).length === 0
        ? []
        : [new cloudflare.ZeroTrustAccessPolicy(`${name}-${audience}`, { accountId, name: `${args.name} ${audience}`, sessionDuration, ...policyArgs }, child)];
    const policies = {
      people: policy('people', { decision: 'allow', includes: [
        ...args.people.emails.map((email) => ({ email: { email } })),
        ...args.people.domains.map((domain) => ({ emailDomain: { domain } })),
        ...args.people.groups.map((id) => ({ group: { id } })),
      ] }),
      machines: policy('machines', { decision: 'non_identity', includes: tokens.map(([, { id }]) => ({ serviceToken: { tokenId: id } })) }),
      everybody: [],
    };
    const answers = {
      people: { httpOnlyCookieAttribute: true },
      // A redirect to a login page ends in a 200, which an exporter takes for a success.
      machines: { serviceAuth401Redirect: true },
      everybody: {},
    };
    const applications = routes.filter(({ audience }) => audience !== 'everybody').map((route) =>
      new cloudflare.ZeroTrustAccessApplication(
        `${name}-access-${route.name}`,
        {
          accountId,
          name: `${args.name} ${route.name}`,
          domain: route.hostname,
          type: 'self_hosted',
          sessionDuration,
          policies: policies[route.audience].map(({ id }) => ({ id, precedence: 1 })),
          ...answers[route.audience],
        },
        child,
      ));

    // Last of all: until then nobody finds what is not guarded yet.
    for (const route of routes) {
      new cloudflare.DnsRecord(
        `${name}-dns-${route.name}`,
        {
          zoneId: args.zoneId,
          name: route.hostname,
          type: 'CNAME',
          content: pulumi.interpolate`${tunnel.id}.cfargotunnel.com`,
          proxied: true,
          // The only one that a proxied record takes: automatic.
          ttl: 1,
          comment: `Pulumi stack ${args.owner}`,
        },
        { ...child, dependsOn: [config, ...applications] },
      );
    }

    // Made here and not asked for: what Cloudflare would tell is just this.
    const token = pulumi.all([tunnel.id, secret]).apply(([t, s]) => Buffer.from(JSON.stringify({ a: accountId, t, s })).toString('base64'));
    this.image = workload.image(`${name}-image`, args.image, child);
    const shown = fileVolume(
      { volume: `${name}-secrets`, files: `${name}-secret-files` },
      {
        volumeName: hostName('tunnel', args.stack, 'secrets'),
        containerName: hostName('tunnel', args.stack, 'secret-files'),
        image: this.image,
        owner: args.owner,
        path: secretsDir,
        files: { [tokenFile]: pulumi.secret(token) },
      },
      child,
    );

    const reachesHost = routes.some(({ rules }) => rules.some(({ service }) => new URL(service).hostname === dockerHost));
    const connectors: docker.Container[] = [];
    for (let number = 1; number <= args.connectors; number += 1) {
      connectors.push(workload.service(
        `${name}-connector-${number}`,
        {
          containerName: hostName('tunnel', args.stack, String(number)),
          image: this.image,
          // The token is read once: another one is another container.
          labels: { ...labels, ...configLabel(token) },
          user: users.tunnel,
          networks: [{ network: args.network, aliases: [`tunnel-${number}`] }],
          reachesHost,
          mounts: [shown.mount],
          env: {
            TUNNEL_TOKEN_FILE: tokenFile,
            TUNNEL_METRICS: `0.0.0.0:${ports.tunnel.metrics}`,
            TUNNEL_GRACE_PERIOD: `${graceSeconds}s`,
            NO_AUTOUPDATE: 'true',
          },
          command: ['tunnel', 'run'],
          ports: [],
          listed: {},
          healthCheck: {
            command: ['cloudflared', 'tunnel', '--metrics', `localhost:${ports.tunnel.metrics}`, 'ready'],
            interval: '2s',
            timeout: '5s',
            startPeriod: '30s',
            retries: 15,
            waitSeconds: 60,
          },
          memoryMiB: 256,
          cpus: '1.0',
          limits: args.limits,
          stopSeconds: graceSeconds + 5,
          ...(args.transform?.container ? { transform: args.transform.container } : {}),
        },
        // One after the other: while one is replaced another holds the tunnel open. With the rules in place, so that
        // the first request finds its way.
        { ...child, dependsOn: [shown.written, config, ...connectors.slice(-1)] },
      ));
    }

    this.tunnelId = tunnel.id;
    this.containerNames = connectors.map((container) => container.name);
    this.registerOutputs({ tunnelId: this.tunnelId, containerNames: this.containerNames });
  }
}

/**
 * The rules of the tunnel, the catch-all last.
 * @throws RunError for a service that no public hostname leads to
 */
export function ingressRules(routes: readonly Route[]): { hostname?: string; path?: string; service: string }[] {
  return [
    ...routes.flatMap(({ hostname, rules }) => rules.map(({ path, service }) => ({ hostname, ...(path === undefined ? {} : { path }), service: origin(hostname, service) }))),
    { service: 'http_status:404' },
  ];
}

function origin(hostname: string, service: string): string {
  const rule = whyNoTunnelOrigin(service);
  if (rule !== undefined) {
    throw new pulumi.RunError(`The route ${hostname} leads to '${service}': ${rule}.`);
  }
  return new URL(service).origin;
}
