/**
 * Runs a piece of the program under Pulumi's mocks and records every registration as the engine would
 * receive it: inputs, and the options that mocks alone do not see.
 */
import * as pulumi from '@pulumi/pulumi';
import { MockMonitor } from '@pulumi/pulumi/runtime/mocks';

/** A resource as the program asked for it. Names stand for URNs: they are unique in this program. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly parent: string;
  /** A secret one as `secret` of it. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Explicit dependencies and those that follow from outputs in the inputs, sorted. */
  readonly dependsOn: readonly string[];
  readonly deleteBeforeReplace: boolean;
  readonly replaceOnChanges: readonly string[];
  readonly retainOnDelete: boolean;
  readonly protect: boolean;
  readonly additionalSecretOutputs: readonly string[];
}

export interface Deployment<T> {
  /** By name, in the order of the names. */
  readonly resources: ReadonlyMap<string, Registered>;
  /** Names in the order in which they were registered. */
  readonly order: readonly string[];
  /** Names of the providers that resources are to be made by, by the names of these; those that Pulumi makes by itself are not there. */
  readonly providers: ReadonlyMap<string, string>;
  /** Outputs of components by their names. */
  readonly outputs: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly result: T;
}

export interface Stage {
  /** Default: 'dev'. */
  readonly stack?: string;
  /** Default: not a preview. */
  readonly preview?: boolean;
  /** State that the provider adds to a resource, by its name. */
  readonly state?: Readonly<Record<string, object>>;
  /** Outputs of other stacks, by the name they are asked for. */
  readonly outputs?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Internal to the SDK. */
const { setStackResource } = require('@pulumi/pulumi/runtime/state') as { setStackResource(resource: object): void };

export const project = 'llm-observability';

const nameOf = (urn: string): string => urn.split('::').pop() ?? '';

/** What a provider would fill in. A secret output is not marked: that it stays secret is the program's own doing. */
function computed(type: string, name: string, inputs: Record<string, unknown>): object {
  switch (type) {
    case 'docker:index/network:Network':
      return { ipamConfigs: [{ subnet: '172.20.0.0/16', gateway: '172.20.0.1' }] };
    case 'docker:index/remoteImage:RemoteImage':
      return { imageId: 'sha256:1d', repoDigest: `${String(inputs['name']).split(':')[0]}@sha256:d1` };
    case 'docker:index/container:Container':
      return inputs['attach'] ? { exitCode: 0, containerLogs: 'done\n' } : {};
    case 'random:index/randomPassword:RandomPassword':
      return { result: `drawn-${name}` };
    case 'random:index/randomBytes:RandomBytes':
      return { base64: `drawn-${name}` };
    case 'cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken':
      return { clientId: `client-of-${name}`, clientSecret: `minted-${name}`, expiresAt: '2999-11-21T08:00:00Z' };
    case 'observability:index:CloudflareAccount':
      return { zoneId: 'zone-1d' };
    case 'observability:index:ApiKey':
      return inputs['auth'] ? { key: `minted-${name}`, keyId: `id-of-${name}`, expiresAt: inputs['hours'] ? '2999-11-21T08:00:00.000Z' : '' } : { key: '', keyId: '', expiresAt: '' };
    default:
      return {};
  }
}

/** @throws Error as the SDK takes it from the engine, for a stack that is not there */
function outputsOf(stacks: NonNullable<Stage['outputs']>, { name }: Record<string, unknown>): Readonly<Record<string, unknown>> {
  const outputs = stacks[String(name)];
  if (!outputs) {
    throw Object.assign(new Error(), { details: `invocation of pulumi:pulumi:readStackOutputs returned an error: unknown stack "${String(name)}"` });
  }
  return outputs;
}

/** Runs `program` and waits until everything it asked for is registered. */
export async function deploy<T>(program: () => T | Promise<T>, stage: Stage = {}): Promise<Deployment<T>> {
  const { stack = 'dev', preview = false, state = {}, outputs = {} } = stage;
  const resources: Registered[] = [];
  const providers = new Map<string, string>();
  await pulumi.runtime.setMocks(
    {
      call: ({ token, inputs }) => {
        if (token !== 'pulumi:pulumi:readStackOutputs') {
          throw new Error(`no call of ${token} was expected`);
        }
        return { outputs: outputsOf(outputs, inputs) };
      },
      newResource: ({ type, name, inputs }) => ({
        id: `${name}-id`,
        state: {
          ...inputs,
          ...(type === 'pulumi:pulumi:StackReference' ? { outputs: outputsOf(outputs, inputs), secretOutputNames: [] } : computed(type, name, inputs)),
          ...state[name],
        },
      }),
    },
    project,
    stack,
    preview,
  );
  // The language host makes it before the program runs. It has no URN here, so that what is below it has no parent.
  setStackResource({ urn: pulumi.output(''), __providers: {}, getProvider: () => undefined });
  const original = MockMonitor.prototype.registerResource;
  const spy = jest.spyOn(MockMonitor.prototype, 'registerResource').mockImplementation(function (this: MockMonitor, request, callback) {
    resources.push({
      type: request.getType(),
      name: request.getName(),
      parent: nameOf(request.getParent()),
      // As sent: the SDK's reader moves the mark of a secret in a list to the whole list.
      inputs: (request.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>,
      dependsOn: [...new Set<string>(request.getDependenciesList().map(nameOf))].sort(),
      deleteBeforeReplace: request.getDeletebeforereplace(),
      replaceOnChanges: request.getReplaceonchangesList(),
      retainOnDelete: request.getRetainondelete() ?? false,
      protect: request.getProtect() ?? false,
      additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    });
    // A reference is the URN and the ID.
    const provider = request.getProvider().split('::').at(-2);
    if (provider !== undefined) {
      providers.set(request.getName(), provider);
    }
    return original.call(this, request, callback);
  });
  const componentOutputs = new Map<string, Record<string, unknown>>();
  const originalOutputs = MockMonitor.prototype.registerResourceOutputs;
  const outputsSpy = jest.spyOn(MockMonitor.prototype, 'registerResourceOutputs').mockImplementation(function (this: MockMonitor, request, callback) {
    componentOutputs.set(nameOf(request.getUrn()), (request.getOutputs()?.toJavaScript() ?? {}) as Record<string, unknown>);
    return originalOutputs.call(this, request, callback);
  });
  // The SDK reads the stack of every promise it makes; with source maps that is most of the time of a test.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 1;
  try {
    const result = await program();
    await pulumi.runtime.disconnect();
    const order = resources.map(({ name }) => name);
    resources.sort((a, b) => (a.name < b.name ? -1 : 1));
    return { resources: new Map(resources.map((resource) => [resource.name, resource])), order, providers, outputs: componentOutputs, result };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    spy.mockRestore();
    outputsSpy.mockRestore();
  }
}

/** The value of an output, or the error with which it failed. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return (output as unknown as { promise(): Promise<T> }).promise();
}

/** How the protocol marks a secret; see sdk/proto in Pulumi's sources. */
export const secretMark = '4dabf18193072939515e22adb298388d';
export const secret = (value: unknown): object => ({ [secretMark]: '1b47061264138c4ac30d75fd1eb44270', value });

/** Outputs, and what holds some, as the engine would receive them. */
export function sent(outputs: object): Promise<Record<string, unknown>> {
  return pulumi.runtime.serializeProperties('outputs', outputs as pulumi.Inputs);
}
