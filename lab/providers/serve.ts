import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import * as plugin from '@pulumi/pulumi/proto/plugin_pb';
import { ResourceProviderService } from '@pulumi/pulumi/proto/provider_grpc_pb';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';
import { autoname, fixedName } from './autoname';
import { check, type Failure } from './check';
import type { Change } from './detail';
import { difference } from './difference';
import { explain, halfway, occurred } from './errors';
import { equal, isEmpty, isRecord, unknown, type Props, type Shape, type Value } from './fields';
import { present } from './framework';
import { listen, unary } from './listen';
import { plan, settle } from './plan';
import { refreshedInputs } from './refresh';
import { Halfway, type Provider, type Resource } from './resource';

/** Serves a provider as a plugin of the engine. */
export const serve = (provider: Provider): Promise<void> => listen(ResourceProviderService, methods(provider));

const secretMark = { '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270' };

const kinds = proto.PropertyDiff.Kind;
const kindOf: Record<Change['kind'], [plain: proto.PropertyDiff.Kind, replace: proto.PropertyDiff.Kind]> = {
  add: [kinds.ADD, kinds.ADD_REPLACE],
  delete: [kinds.DELETE, kinds.DELETE_REPLACE],
  update: [kinds.UPDATE, kinds.UPDATE_REPLACE],
};

/** The gRPC methods of a provider; exported so that tests can call them without a port. */
export function methods(provider: Provider): UntypedServiceImplementation {
  let acceptSecrets = false;
  const resource = (urn: string): Resource => {
    const type = urn.split('::')[2]?.split('$').pop() ?? '';
    const found = provider.resources[type];
    if (!found) {
      throw new Error(`this stand-in of the provider has no resource ${type}, only ${Object.keys(provider.resources).join(', ')}`);
    }
    return found;
  };
  const encode = (shape: Shape, props: Props): Struct =>
    Struct.fromJavaScript(Object.fromEntries(Object.entries(props).map(([key, value]): [string, Value] =>
      [key, shape[key]?.secret && acceptSecrets ? { ...secretMark, value } : value])));
  const state = (of: Resource, id: string, values: Props): Struct => {
    const all: Props = of.framework ? present(values) : { ...values, id };
    return encode(of.shape, of.meta ? { ...all, __meta: of.meta } : all);
  };
  /** Providers of the first kind use the ID among the properties; the engine's own is for resources without one. */
  const idOf = (of: Resource, request: { getId(): string }, before: Props): string =>
    of.framework || isEmpty(before['id']) ? request.getId() : (before['id'] as string);
  const recorded = (of: Resource, id: string, base: Props, read: Props): Struct =>
    state(of, id, of.plan ? read : settle(of.shape, base, read, false));
  const wanted = (of: Resource, struct: Struct | undefined): Props => of.derive?.(props(struct)) ?? props(struct);
  const differing = (of: Resource, olds: Props, news: Props, ignored: string[]) => {
    const kept = Object.fromEntries(ignored.map((key): [string, Value] => [key, olds[key] ?? null]));
    return difference(of.shape, olds, news, ignored, of.plan?.(olds, { ...news, ...kept }));
  };

  return {
    getPluginInfo: unary(() => {
      const info = new plugin.PluginInfo();
      info.setVersion(provider.version);
      return info;
    }),
    attach: unary(() => new Empty()),
    cancel: unary(() => new Empty()),
    checkConfig: unary((request: proto.CheckRequest) => {
      const response = new proto.CheckResponse();
      response.setInputs(request.getNews());
      return response;
    }),
    diffConfig: unary((request: proto.DiffRequest) => {
      const response = new proto.DiffResponse();
      const same = equal(props(request.getOlds()), props(request.getNews()));
      response.setChanges(same ? proto.DiffResponse.DiffChanges.DIFF_NONE : proto.DiffResponse.DiffChanges.DIFF_SOME);
      return response;
    }),
    configure: unary(async (request: proto.ConfigureRequest) => {
      acceptSecrets = request.getAcceptsecrets();
      // Settings are marked as secret whether or not a provider supports that.
      await provider.configure?.(Object.fromEntries(Object.entries(props(request.getArgs())).map(([key, value]) => [key, plain(value)])));
      const response = new proto.ConfigureResponse();
      response.setSupportspreview(true);
      return response;
    }),
    invoke: unary(async (request: proto.InvokeRequest) => {
      const run = provider.invokes?.[request.getTok()];
      if (!run) {
        throw new Error(`this stand-in of the provider has no function ${request.getTok()}`);
      }
      const response = new proto.InvokeResponse();
      response.setReturn(Struct.fromJavaScript(await run(props(request.getArgs())).catch(explain(`invoking ${request.getTok()}: `))));
      return response;
    }),
    check: unary((request: proto.CheckRequest) => {
      const of = resource(request.getUrn());
      const olds = props(request.getOlds());
      const news = props(request.getNews());
      const name = request.getUrn().split('::').pop() ?? '';
      const named = of.autoname && isEmpty(news['name']);
      const given = named ? { ...news, name: autoname(name, olds, request) } : news;
      const { inputs, failures } = check(of.shape, given, name, !of.framework);
      if (named) {
        inputs['__defaults'] = [...(inputs['__defaults'] as string[]), 'name'].sort();
      }
      const response = new proto.CheckResponse();
      response.setInputs(encode(of.shape, inputs));
      const more = failures.length === 0 ? Object.entries(of.validate?.(inputs) ?? {}) : [];
      const told = more.map(([key, reason]): Failure => ({ property: '', reason: `${reason}. Examine values at '${name}.${key}'.` }));
      response.setFailuresList([...failures, ...told].map(({ property, reason }) => {
        const failure = new proto.CheckFailure();
        failure.setProperty(property);
        failure.setReason(reason);
        return failure;
      }));
      return response;
    }),
    diff: unary((request: proto.DiffRequest) => {
      const of = resource(request.getUrn());
      const found = differing(of, props(request.getOlds()), wanted(of, request.getNews()), request.getIgnorechangesList());
      const response = new proto.DiffResponse();
      response.setChanges(found.changed ? proto.DiffResponse.DiffChanges.DIFF_SOME : proto.DiffResponse.DiffChanges.DIFF_NONE);
      const top = (paths: string[]) => [...new Set(paths.map((path) => path.split(/[.[]/)[0] as string))].sort();
      const replaces = found.replaces ? top(Object.keys(found.detail).filter((path) => found.detail[path]?.replace)) : [];
      response.setReplacesList(replaces);
      response.setDiffsList(of.plan ? [...found.keys].sort() : top(Object.keys(found.detail)));
      response.setStablesList(Object.keys(of.shape).filter((key) => of.shape[key]?.replaces && !replaces.includes(key)).sort());
      response.setDeletebeforereplace(replaces.length > 0 && (!!of.deleteBeforeReplace || fixedName(of, props(request.getNews()))));
      response.setHasdetaileddiff(!of.framework);
      for (const [path, change] of of.framework ? [] : Object.entries(found.detail)) {
        const entry = new proto.PropertyDiff();
        entry.setKind(kindOf[change.kind][change.replace ? 1 : 0] as 0);
        response.getDetaileddiffMap().set(path, entry);
      }
      return response;
    }),
    create: unary(async (request: proto.CreateRequest) => {
      const of = resource(request.getUrn());
      const inputs = wanted(of, request.getProperties());
      const planned = of.plan?.(null, inputs) ?? plan(of.shape, null, inputs);
      const response = new proto.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(state(of, unknown, planned));
        return response;
      }
      try {
        const made = await of.create(planned);
        response.setId(made.id);
        response.setProperties(recorded(of, made.id, planned, made.state));
      } catch (error) {
        if (error instanceof Halfway) {
          halfway(error.id, recorded(of, error.id, planned, {}), `creating ${request.getUrn()}: ${occurred(error)}`);
        }
        throw of.plan ? error : new Error(occurred(error));
      }
      return response;
    }),
    read: unary(async (request: proto.ReadRequest) => {
      const of = resource(request.getUrn());
      const before = props(request.getProperties());
      const found = await of.read(idOf(of, request, before), before).catch(explain(`refreshing ${request.getUrn()}: `));
      const response = new proto.ReadResponse();
      if (found) {
        const next = of.plan ? present(found.state) : settle(of.shape, before, found.state, true);
        const inputs = Object.keys(before).length > 0
          ? refreshedInputs(of.shape, props(request.getInputs()), next)
          : Object.fromEntries(Object.entries(next).filter(([key, value]) => !of.shape[key]?.output && !isEmpty(value)));
        response.setId(found.id);
        response.setProperties(state(of, found.id, next));
        response.setInputs(encode(of.shape, inputs));
      }
      return response;
    }),
    update: unary(async (request: proto.UpdateRequest) => {
      const of = resource(request.getUrn());
      const old = props(request.getOlds());
      const { planned } = differing(of, old, wanted(of, request.getNews()), request.getIgnorechangesList());
      const response = new proto.UpdateResponse();
      if (request.getPreview()) {
        response.setProperties(state(of, request.getId(), planned));
        return response;
      }
      try {
        response.setProperties(recorded(of, request.getId(), planned, (await of.update?.(idOf(of, request, old), old, planned)) ?? {}));
      } catch (error) {
        if (of.plan) {
          // Nothing is recorded: the state stays unchanged.
          throw error;
        }
        halfway(request.getId(), recorded(of, request.getId(), planned, {}), `updating ${request.getUrn()}: ${occurred(error)}`);
      }
      return response;
    }),
    delete: unary(async (request: proto.DeleteRequest) => {
      const of = resource(request.getUrn());
      const before = props(request.getProperties());
      await of.delete(idOf(of, request, before), before).catch(explain(`deleting ${request.getUrn()}: `));
      return new Empty();
    }),
  };
}

function props(struct: Struct | undefined): Props {
  return (struct?.toJavaScript() ?? {}) as Props;
}

function plain(value: Value): Value {
  return isRecord(value) && Object.entries(secretMark).every(([key, mark]) => value[key] === mark) ? value['value'] ?? null : value;
}
