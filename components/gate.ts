import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { Backend } from './backend';
import { aliases, gateAside, ports, sendAgainFile, users } from './catalog';
import { portsOf } from './egress';
import { fileVolume } from './file-volume';
import { configDir, configFile, gateConfig, ingestDir, isSecret, protocols, senderConfig, senderFile, tlsDir } from './gate-config';
import { hostName, stackLabel } from './names';
import { chowned } from './owned-volume';
import { checkDoor, endpointsOf, type DoorEndpoints, type PublishedDoor } from './published-door';
import { renderFile } from './template';
import { published, tlsLabel, tlsVolume } from './tls';
import { configLabel } from './config-label';
import { transforming, type Transforms } from './transform';
import * as workload from './workload';

/** A page that a gate publishes for the Docker host. */
export interface OwnPage {
  /** Host port, on loopback. */
  readonly port: number;
  /** Paths that it does not serve, as a regular expression in nginx's form. */
  readonly closed: string;
  /**
   * Port mappings that the engine lists for running containers.
   * @default nothing
   */
  readonly listed?: workload.ListedPorts;
}

export interface GateArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on every resource created here. */
  readonly owner: string;
  /** Network on which the gate is `<backend>-gate`. */
  readonly network: docker.Network;
  /** Reference of an nginx image with a version. */
  readonly image: pulumi.Input<string>;
  /** The backend behind it. */
  readonly backend: Backend;
  /**
   * Base URL of a service that receives `POST /v1/traces` instead.
   * @default none
   */
  readonly journal?: pulumi.Input<string> | undefined;
  /**
   * Whether the backend is on the Docker host itself, as `host.docker.internal`.
   * @default false
   */
  readonly reachesHost?: boolean;
  /**
   * What is published of Phoenix, and what it reaches, if Phoenix is the backend.
   * @default only Alloy uses the gate
   */
  readonly door?: PublishedDoor;
  /**
   * The backend's own page, published on loopback at this host port.
   * @default not published
   */
  readonly page?: OwnPage | undefined;
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

/**
 * nginx between Alloy and a backend, which turns a refusal into "later": Alloy drops a batch that is answered
 * with 401, 403, 500, 507 or a tunnel's 530, and takes the page at the end of a redirect for success. The gate returns 503 for
 * all of these, so Alloy keeps the batch on disk and retries until somebody has fixed the cause. Behind a tunnel, a request that
 * is refused repeatedly, while an empty one from the same sender is accepted, is put aside: it would keep one of Alloy's
 * senders busy forever.
 */
export class Gate extends pulumi.ComponentResource {
  /** The same backend at the gate's address. */
  readonly backend: Backend;
  /** Base URL on the private network. */
  readonly internal: string;
  /** Base URL of the page there, if it has a door. */
  readonly page: string;
  /** Addresses on the Docker host, if it has a door. */
  readonly endpoints: DoorEndpoints | undefined;
  /** Name of the container on the Docker host; each refusal is a line of its log. */
  readonly containerName: pulumi.Output<string>;
  readonly image: docker.RemoteImage;
  /** ID of the container; it changes when the container is replaced. */
  readonly server: pulumi.Output<string>;

  constructor(name: string, args: GateArgs, opts?: pulumi.ComponentResourceOptions) {
    if (args.door) {
      checkDoor(args.door);
    }
    super('llm-observability:index:Gate', name, {}, transforming(args.transform, opts));
    const child = { parent: this };
    const labels = { [stackLabel]: args.owner };
    const role = args.backend.name;
    const alias = `${role}-gate`;
    const { door } = args;
    const egressPorts = portsOf(door?.destinations ?? []);
    const { sender, ...backend } = args.backend;
    const { protocol } = backend;
    const { isWhole } = protocols[protocol];
    const config = pulumi.all([args.backend.endpoint, args.journal, door?.rules]).apply(([endpoint, journal, rules]) =>
      gateConfig({ backend: isWhole ? new URL(endpoint).origin : endpoint, protocol, tunnelled: args.backend.tunnelled, journal, door: rules, egressPorts, tls: door?.tls !== undefined, sender: sender !== undefined, page: args.page && { names: pageNames, closed: args.page.closed } }));

    const said = pulumi.output(sender ?? {}).apply((known) => senderConfig(known));

    this.image = workload.image(`${name}-image`, args.image, child);
    const configured = fileVolume(
      { volume: `${name}-config`, files: `${name}-config-files` },
      {
        volumeName: hostName(role, args.stack, 'gate-config'),
        containerName: hostName(role, args.stack, 'gate-config-files'),
        image: this.image,
        owner: args.owner,
        path: configDir,
        files: {
          [configFile]: config,
          ...(args.backend.tunnelled ? { [sendAgainFile]: renderFile('gate/send-again.sh.mustache', { directory: gateAside, alloy: aliases.alloy, port: ports.alloy.otlpHttp }) } : {}),
          ...(sender ? { [senderFile]: isSecret(sender) ? pulumi.secret(said) : said } : {}),
        },
        ...(sender ? { reader: users.gate, giver: 'chown' } as const : {}),
      },
      child,
    );
    const written = sender ? workload.mustSucceed(configured.written, 'The gate cannot read who sends to the store') : configured.written;

    const aside = args.backend.tunnelled ? this.asideVolume(name, args) : undefined;
    const ingest = door && this.ingestKeys(name, args, door);
    const certified = door?.tls && tlsVolume(`${name}-tls`, door.tls, {
      volumeName: hostName(role, args.stack, 'gate-tls'),
      containerName: hostName(role, args.stack, 'gate-tls-files'),
      image: this.image,
      owner: args.owner,
      directory: tlsDir,
      reader: users.gate,
    }, child);

    const container = workload.service(
      `${name}-server`,
      {
        containerName: hostName(role, args.stack, 'gate'),
        image: this.image,
        // nginx reads its configuration and its certificate only once: a change replaces the container.
        labels: { ...labels, ...configLabel(sender ? pulumi.interpolate`${config}${configured.written.id}` : config), ...(door?.tls ? tlsLabel(door.tls) : {}) },
        user: users.gate,
        networks: [
          { network: args.network, aliases: [alias, ...(door ? [role] : [])] },
          ...(door ? [{ network: door.store, aliases: [...new Set(door.destinations.map(({ host }) => host))] }] : []),
        ],
        reachesHost: args.reachesHost ?? false,
        mounts: [configured.mount, ...(aside ? [aside.mount] : []), ...(ingest ? [ingest] : []), ...(certified ? [certified.mount] : [])],
        // The image's entry point writes below /etc/nginx.
        entrypoint: ['nginx'],
        command: ['-c', configFile, '-g', 'daemon off;'],
        lowPorts: egressPorts.length > 0,
        ports: door ? [
          ...published({ plain: ports.gate.ui, others: ports.gate.tlsUi }, door.uiPort, door.bind, door.tls?.addresses ?? []),
          ...published({ plain: ports.gate.directGrpc, others: ports.gate.tlsGrpc }, door.otlpGrpcPort, door.bind, door.tls?.addresses ?? []),
          ...published({ plain: ports.gate.directHttp, others: ports.gate.tlsHttp }, door.otlpHttpPort, door.bind, door.tls?.addresses ?? []),
        ] : args.page ? [{ internal: ports.gate.page, external: args.page.port, addresses: ['127.0.0.1'] }] : [],
        listed: (door ?? args.page)?.listed ?? {},
        healthCheck: {
          // Every Debian-based image has bash. The backend is not asked: the gate has most to do while it is down.
          command: workload.httpProbe(ports.gate.health, '/healthz', 204),
          interval: '2s',
          timeout: '5s',
          startPeriod: '10s',
          retries: 15,
          waitSeconds: 60,
        },
        // All connections with headers of the maximum length, twice: received and sent. TLS adds 45 KB for each.
        memoryMiB: door?.tls ? 512 : 256,
        cpus: '1.0',
        limits: args.limits,
        // The image's stop signal lets requests finish, which take at most the 30 s that Alloy waits; one through a
        // tunnel may take longer, and is then sent again.
        stopSeconds: 35,
      },
      { ...child, dependsOn: [written, ...(aside ? [aside.ready] : []), ...(door ? [door.after] : []), ...(certified ? [certified.written] : [])] },
    );

    this.containerName = container.name;
    this.internal = `http://${alias}:${ports.gate.otlpHttp}`;
    this.page = `http://${role}:${ports.gate.ui}`;
    this.endpoints = door && endpointsOf(door);
    this.backend = { ...backend, endpoint: isWhole ? pulumi.output(args.backend.endpoint).apply((endpoint) => `${this.internal}${endpoint.slice(new URL(endpoint).origin.length)}`) : this.internal };
    this.server = container.id;
    this.registerOutputs({ containerName: this.containerName, internal: this.internal, ...(door ? { page: this.page, endpoints: this.endpoints } : {}) });
  }

  /** The volume with requests that the other end refuses because of their content; kept when the stack is removed. */
  private asideVolume(name: string, { stack, owner, backend }: GateArgs): { readonly mount: workload.Mount; readonly ready: pulumi.Input<pulumi.Resource> } {
    const labels = { [stackLabel]: owner };
    const volume = new docker.Volume(
      `${name}-data`,
      { name: hostName(backend.name, stack, 'gate-data'), labels: [{ label: stackLabel, value: owner }] },
      { parent: this, retainOnDelete: true },
    );
    const mount = { volume: volume.name, path: gateAside };
    const owned = chowned(users.gate, `${name}-data-owner`, { containerName: hostName(backend.name, stack, 'gate-data-owner'), image: this.image, labels, mounts: [mount], path: gateAside }, { parent: this });
    return { mount, ready: workload.mustSucceed(owned, 'The gate was not given the volume for what is put aside') };
  }

  /** The volume that lists the send-only keys: nginx checks it for each request, so a new key does not replace the gate. */
  private ingestKeys(name: string, { stack, owner, backend }: GateArgs, { ingestKeys }: PublishedDoor): workload.Mount {
    const labels = { [stackLabel]: owner };
    const volumeName = hostName(backend.name, stack, 'gate-ingest');
    const volume = new docker.Volume(`${name}-ingest`, { name: volumeName, labels: [{ label: stackLabel, value: owner }] }, { parent: this });
    const mount = { volume: volume.name, path: ingestDir };
    // The number of a key is not secret; the rest of the key stays here.
    const numbers = pulumi.unsecret(pulumi.all([...ingestKeys]).apply((keys) => keys.flatMap((key) => key.split('.')[1] ?? [])));
    const written = workload.job(
      `${name}-ingest-keys`,
      {
        containerName: hostName(backend.name, stack, 'gate-ingest-keys'),
        image: this.image,
        labels,
        user: '0:0',
        mounts: [mount],
        entrypoint: ['bash', '-c', markKeys],
        command: numbers.apply((all) => ['keys', ...all]),
      },
      { parent: this },
    );
    workload.mustSucceed(written, 'The gate was not told which keys may only send');
    return { ...mount, readOnly: true };
  }
}

/** Names of loopback: the page is published there and nowhere else. */
const pageNames = ['localhost', '127.0.0.1', '::1'];

/** New ones first: in between, no key may do more than it should. */
const markKeys = `cd ${ingestDir} || exit; for key; do : > "$key" || exit; done; for old in *; do [[ " $* " == *" $old "* ]] || rm -f -- "$old" || exit; done; echo "$# keys send spans and do nothing else"`;
