import * as grpc from '@grpc/grpc-js';
import { endWithParent } from '../../provider/parent';

/** Serves on a free port of the loopback and prints that port, as the engine expects of a plugin. Ends with the engine. */
export async function listen(service: unknown, methods: grpc.UntypedServiceImplementation): Promise<void> {
  endWithParent();
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  server.addService(service as grpc.ServiceDefinition, methods);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));
  process.stdout.write(`${port}\n`);
}

/** A method that responds once; an exception is the error of the call. */
export function unary<Q, A>(handler: (request: Q) => Promise<A> | A): grpc.handleUnaryCall<Q, A> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handler(call.request))
      .then((answer) => callback(null, answer))
      .catch((error: Error & Partial<grpc.ServiceError>) =>
        callback({ code: error.code && error.details ? error.code : grpc.status.UNKNOWN, details: error.details ?? error.message, ...(error.metadata ? { metadata: error.metadata } : {}) }));
  };
}
