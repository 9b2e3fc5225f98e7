import * as grpc from '@grpc/grpc-js';
import { PluginInfo } from '@pulumi/pulumi/proto/plugin_pb';
import { ResourceProviderService } from '@pulumi/pulumi/proto/provider_grpc_pb';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';

export type Props = Record<string, unknown>;

/** What the engine needs from a provider. Properties are as in the protocol, with marks for secret and unknown values. */
export interface Provider {
  readonly version: string;
  check(urn: string, olds: Props, news: Props): Promise<{ readonly inputs: Props; readonly failures?: readonly { readonly property: string; readonly reason: string }[] }>;
  diff(id: string, urn: string, olds: Props, news: Props): Promise<{ readonly changes: boolean; readonly replaces: readonly string[] }>;
  /** @param preview whether nothing may be changed, and the result is what is known beforehand */
  create(urn: string, inputs: Props, preview: boolean): Promise<{ readonly id: string; readonly outs: Props }>;
  update(id: string, urn: string, olds: Props, news: Props, preview: boolean): Promise<{ readonly outs: Props }>;
  read(id: string, urn: string, props: Props): Promise<{ readonly id: string; readonly props: Props }>;
  delete(id: string, urn: string, props: Props): Promise<void>;
  /** Cancels what is under way. */
  cancel(): void;
}

/**
 * Serves a provider on a free port of loopback and prints that port, as the engine expects of a plugin. The SDK's own `main`
 * does not tell the provider whether a call is a preview.
 */
export async function serve(provider: Provider): Promise<void> {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  server.addService(ResourceProviderService as unknown as grpc.ServiceDefinition, methods(provider));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));
  process.stdout.write(`${port}\n`);
}

/** The methods of the protocol; a test calls them without a port. */
export function methods(provider: Provider): grpc.UntypedServiceImplementation {
  return {
    getPluginInfo: unary(() => {
      const info = new PluginInfo();
      info.setVersion(provider.version);
      return info;
    }),
    attach: unary(() => new Empty()),
    cancel: unary(() => {
      provider.cancel();
      return new Empty();
    }),
    getSchema: unary(() => {
      const response = new proto.GetSchemaResponse();
      response.setSchema('{}');
      return response;
    }),
    configure: unary(() => {
      const response = new proto.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setAcceptresources(true);
      response.setAcceptoutputs(true);
      response.setSupportspreview(true);
      return response;
    }),
    check: unary(async (request: proto.CheckRequest) => {
      const { inputs, failures = [] } = await provider.check(request.getUrn(), props(request.getOlds()), props(request.getNews()));
      const response = new proto.CheckResponse();
      response.setInputs(struct(inputs));
      response.setFailuresList(failures.map(({ property, reason }) => {
        const failure = new proto.CheckFailure();
        failure.setProperty(property);
        failure.setReason(reason);
        return failure;
      }));
      return response;
    }),
    diff: unary(async (request: proto.DiffRequest) => {
      const { changes, replaces } = await provider.diff(request.getId(), request.getUrn(), props(request.getOlds()), props(request.getNews()));
      const response = new proto.DiffResponse();
      response.setChanges(changes ? proto.DiffResponse.DiffChanges.DIFF_SOME : proto.DiffResponse.DiffChanges.DIFF_NONE);
      response.setReplacesList([...replaces]);
      return response;
    }),
    create: unary(async (request: proto.CreateRequest) => {
      const preview = request.getPreview();
      const { id, outs } = await provider.create(request.getUrn(), props(request.getProperties()), preview);
      const response = new proto.CreateResponse();
      response.setId(preview ? '' : id);
      response.setProperties(struct(outs));
      return response;
    }),
    read: unary(async (request: proto.ReadRequest) => {
      const found = await provider.read(request.getId(), request.getUrn(), props(request.getProperties()));
      const response = new proto.ReadResponse();
      response.setId(found.id);
      response.setProperties(struct(found.props));
      return response;
    }),
    update: unary(async (request: proto.UpdateRequest) => {
      const { outs } = await provider.update(request.getId(), request.getUrn(), props(request.getOlds()), props(request.getNews()), request.getPreview());
      const response = new proto.UpdateResponse();
      response.setProperties(struct(outs));
      return response;
    }),
    delete: unary(async (request: proto.DeleteRequest) => {
      await provider.delete(request.getId(), request.getUrn(), props(request.getProperties()));
      return new Empty();
    }),
  };
}

function unary<Request, Answer>(handle: (request: Request) => Promise<Answer> | Answer): grpc.handleUnaryCall<Request, Answer> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handle(call.request))
      .then((answer) => callback(null, answer), (error: Error) => callback({ code: grpc.status.UNKNOWN, details: error.message }));
  };
}

const props = (given: Struct | undefined): Props => (given?.toJavaScript() ?? {}) as Props;
const struct = (given: Props): Struct => Struct.fromJavaScript(given as Parameters<typeof Struct.fromJavaScript>[0]);
