import * as cloudflare from '@pulumi/cloudflare';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import * as random from '@pulumi/random';
import { dockerHost, ports, users } from './catalog';
import { fileVolume } from './file-volume';
import { hostName, maxConnectors, stackLabel } from './names';
import { ingressRules, type Audience, type Route } from './route';
import { transforming, type Transforms } from './transform';
import { configLabel } from './config-label';
import * as workload from './workload';
import { wrongInput } from './wrong-input';

export interface CloudflareTunnelArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on every resource created here. */
  readonly owner: string;
  /** Private network of the services. */
  readonly network: docker.Network;
  /** Reference of a cloudflared image with a version. */
  readonly image: pulumi.Input<string>;
  readonly accountId: pulumi.Input<string>;
  /** Zone of the hostnames. */
  readonly zoneId: pulumi.Input<string>;
  /** Name of the tunnel in the account. */
  readonly name: pulumi.Input<string>;
  readonly routes: readonly Route[];
  /** The people whom Access lets in to the routes for people. */
  readonly people: Readonly<Record<'emails' | 'domains' | 'groups', readonly pulumi.Input<string>[]>>;
  /** Names of the service tokens for the routes for machines. */
  readonly serviceTokens: readonly string[];
  /** Hours (`8760h`), or `forever`. */
  readonly tokenDuration: string;
  /** Containers that hold the tunnel open. */
  readonly connectors: number;
  /**
   * What the engine's kernel can limit.
   * @default everything
   */
  readonly limits?: workload.Limits | undefined;
  /**
   * Overrides for each child.
   * @default none
   */
  readonly transform?: Transforms;
}

/** What the machines that use a service token need to know. */
export interface ServiceToken {
  readonly clientId: pulumi.Output<string>;
  /** Secret. */
  readonly clientSecret: pulumi.Output<string>;
  /** ISO 8601; far in the future for one that never expires. */
  readonly expiresAt: pulumi.Output<string>;
}

const secretsDir = '/etc/cloudflared-secrets';
const tokenFile = `${secretsDir}/token`;

/** How long people stay logged in. If it is omitted, the provider shows a change in every preview. */
const sessionDuration = '24h';

/** Seconds that requests in progress have to finish when a connector is stopped. */
const graceSeconds = 30;

/**
 * A Cloudflare tunnel: hostnames that lead to services on the private network, with no open port on the host. Each is
 * protected by Cloudflare Access, or the service authenticates its clients itself.
 */
export class CloudflareTunnel extends pulumi.ComponentResource {
  readonly tunnelId: pulumi.Output<string>;
  readonly image: docker.RemoteImage;
  /** Names of the connectors' containers on the Docker host. */
  readonly containerNames: readonly pulumi.Output<string>[];
  readonly serviceTokens: Readonly<Record<string, ServiceToken>>;

  constructor(name: string, args: CloudflareTunnelArgs, opts?: pulumi.ComponentResourceOptions) {
    check(args);
    super('llm-observability:index:CloudflareTunnel', name, {}, transforming(args.transform, opts));
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
      [token, new cloudflare.ZeroTrustAccessServiceToken(`${name}-token-${token}`, { accountId, name: pulumi.interpolate`${args.name} ${token}`, duration: args.tokenDuration }, child)] as const);
    this.serviceTokens = Object.fromEntries(tokens.map(([token, { clientId, clientSecret, expiresAt }]) => [token, { clientId, clientSecret: pulumi.secret(clientSecret), expiresAt }]));

    const policy = (audience: 'people' | 'machines', policyArgs: Omit<cloudflare.ZeroTrustAccessPolicyArgs, 'accountId' | 'name'>): cloudflare.ZeroTrustAccessPolicy[] =>
      forAudience(audience).length === 0
        ? []
        : [new cloudflare.ZeroTrustAccessPolicy(`${name}-${audience}`, { accountId, name: pulumi.interpolate`${args.name} ${audience}`, sessionDuration, ...policyArgs }, child)];
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
      // A redirect to a login page ends in a 200, which an exporter takes for success.
      machines: { serviceAuth401Redirect: true },
      everybody: {},
    };
    const applications = routes.filter(({ audience }) => audience !== 'everybody').map((route) =>
      new cloudflare.ZeroTrustAccessApplication(
        `${name}-access-${route.name}`,
        {
          accountId,
          name: pulumi.interpolate`${args.name} ${route.name}`,
          domain: route.hostname,
          type: 'self_hosted',
          sessionDuration,
          policies: policies[route.audience].map(({ id }) => ({ id, precedence: 1 })),
          ...answers[route.audience],
        },
        child,
      ));

    // Last: until then nobody can resolve a hostname that is not protected yet.
    for (const route of routes) {
      new cloudflare.DnsRecord(
        `${name}-dns-${route.name}`,
        {
          zoneId: args.zoneId,
          name: route.hostname,
          type: 'CNAME',
          content: pulumi.interpolate`${tunnel.id}.cfargotunnel.com`,
          proxied: true,
          // A proxied record accepts only this value: automatic.
          ttl: 1,
          comment: `Pulumi stack ${args.owner}`,
        },
        { ...child, dependsOn: [config, ...applications] },
      );
    }

    // Created here, not queried: Cloudflare would return exactly this.
    const token = pulumi.all([accountId, tunnel.id, secret]).apply(([a, t, s]) => Buffer.from(JSON.stringify({ a, t, s })).toString('base64'));
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
          // The token is read once: a new one replaces the container.
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
        },
        // One after the other: while one is replaced, another keeps the tunnel open. Only after the rules exist, so that
        // the first request is routed.
        { ...child, dependsOn: [shown.written, config, ...connectors.slice(-1)] },
      ));
    }

    this.tunnelId = tunnel.id;
    this.containerNames = connectors.map((container) => container.name);
    this.registerOutputs({ tunnelId: this.tunnelId, containerNames: this.containerNames });
  }
}

/** @throws InputPropertyError for routes that would let nobody in, and for a number of connectors that Cloudflare refuses */
function check({ routes, people, serviceTokens, connectors }: CloudflareTunnelArgs): void {
  const forSome = (audience: Audience): boolean => routes.some((route) => route.audience === audience);
  if (forSome('people') && Object.values(people).every((some) => some.length === 0)) {
    throw wrongInput('people', 'routes for people need someone whom Access lets in');
  }
  if (forSome('machines') && serviceTokens.length === 0) {
    throw wrongInput('serviceTokens', 'routes for machines need a service token');
  }
  if (!Number.isInteger(connectors) || connectors < 1 || connectors > maxConnectors) {
    throw wrongInput('connectors', `a tunnel has 1 to ${maxConnectors} of them`);
  }
}
