import type * as docker from '@pulumi/docker';
import type * as pulumi from '@pulumi/pulumi';
import type { Engine } from '../engine';
import { Alloy } from '../components/alloy';
import type { Backend } from '../components/backend';
import type { Gate } from '../components/gate';
import type { HostFacts } from './preflight';
import type { Settings } from '../settings/keys';
import { urlForContainers } from '../components/tls';
import { redactionOf } from '../settings/redact';
import { tlsOn } from './tls';
import { tokenOn } from './token';

/** What every part of a stack is built from. */
export interface Host {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on every resource. */
  readonly owner: string;
  /** Network with access to the outside, for everything that sends or receives. */
  readonly network: docker.Network;
  /** Checks that must pass before anything is created. */
  readonly checked: pulumi.Resource[];
  readonly settings: Settings;
  readonly facts: HostFacts;
  /** The Docker Engine of the stack as an input of resources, its address, and the provider for that engine. */
  readonly engine: pulumi.Input<Engine>;
  readonly dockerHost: string;
  readonly provider: docker.Provider;
  /** Prints a warning, which stops nothing. */
  readonly warn: (warning: string) => Promise<void>;
}

/** Where applications in containers send; null if they reach none of the addresses. */
export const forContainers = ({ settings, facts }: Pick<Host, 'settings' | 'facts'>): string | null =>
  urlForContainers(facts.bind, settings['alloy:otlpHttpPort'], tlsOn(settings, facts.bind, facts.bridge), facts.bridge);

/** The secret header value for senders, and the addresses on which they need it; empty if Alloy requires no token. */
export const tokenOutputs = ({ settings, facts }: Pick<Host, 'settings' | 'facts'>, { token }: Pick<Alloy, 'token'>): { readonly otlpToken?: pulumi.Output<string>; readonly otlpTokenOn?: readonly string[] } =>
  (token ? { otlpToken: token, otlpTokenOn: tokenOn(settings, facts.bridge) } : {});

/**
 * The Alloy that every stack has, according to its settings.
 * @param requestMiB largest request, if not derived from its memory
 */
export function alloyOn({ stack, owner, network, settings, facts, provider }: Host, backends: readonly Backend[], gates: readonly Gate[], requestMiB?: number): Alloy {
  return new Alloy('alloy', {
    stack,
    owner,
    network,
    image: settings['alloy:image'],
    backends,
    bind: facts.bind,
    tls: tlsOn(settings, facts.bind, facts.bridge),
    tokenOn: tokenOn(settings, facts.bridge),
    origins: settings['alloy:cors'] ?? [],
    llmMetrics: settings['alloy:llmMetrics'],
    ownMetrics: settings['alloy:ownMetrics'],
    redaction: redactionOf(settings),
    sampledPercent: settings['sampling:percent'],
    serviceAsProject: settings['alloy:serviceAsProject'],
    listed: facts.listed,
    otlpGrpcPort: settings['alloy:otlpGrpcPort'],
    otlpHttpPort: settings['alloy:otlpHttpPort'],
    uiPort: settings['alloy:uiPort'],
    memoryMiB: settings['alloy:memory'],
    queueMiB: settings['alloy:queue'],
    ...(requestMiB === undefined ? {} : { requestMiB }),
    cpus: settings['alloy:cpus'],
    limits: facts.limits,
    protectData: settings['data:protect'],
  }, { dependsOn: [...gates], providers: { docker: provider } });
}
