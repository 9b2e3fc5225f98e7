import * as grpc from '@grpc/grpc-js';
import { EngineService } from '@pulumi/pulumi/proto/engine_grpc_pb';
import type { LogRequest } from '@pulumi/pulumi/proto/engine_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { speakTo, tell } from '../../provider/progress';

/** The engine of a CLI, as far as it takes lines of its plugins. */
let server: grpc.Server;
let address: string;
let heard: (request: LogRequest.AsObject) => void;
const next = (): Promise<LogRequest.AsObject> => new Promise((resolve) => (heard = resolve));

beforeAll(async () => {
  server = new grpc.Server();
  const log = (call: { request: LogRequest }, done: (error: null, answer: Empty) => void): void => {
    heard(call.request.toObject());
    done(null, new Empty());
  };
  const none = (_: unknown, done: (error: Error) => void): void => done(new Error('not asked for'));
  server.addService(EngineService as never, { log, getRootResource: none, setRootResource: none, startDebugging: none, requirePulumiVersion: none } as never);
  const port = await new Promise<number>((resolve, reject) => server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));
  address = `127.0.0.1:${port}`;
});
afterAll(() => server.forceShutdown());

// As the CLI starts a plugin, with and without its own flags.
test.each<[string, (at: string) => string[]]>([
  ['nothing more', (at) => [at]],
  ['how much it is to log', (at) => ['--logtostderr', '-v=9', '--tracing', 'file:///tmp/trace', at]],
])('a line reaches the engine that the CLI has named, and is said once: %s', async (_, args) => {
  speakTo(args(address));
  const line = next();
  tell('Phoenix is starting');
  expect(await line).toEqual({ severity: 1, message: 'Phoenix is starting', urn: '', streamid: 0, ephemeral: true });
});
