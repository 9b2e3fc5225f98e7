import * as grpc from '@grpc/grpc-js';
import { ErrorResourceInitFailed } from '@pulumi/pulumi/proto/provider_pb';
import { Status } from '@pulumi/pulumi/proto/status_pb';
import { Any } from 'google-protobuf/google/protobuf/any_pb';
import type { Struct } from 'google-protobuf/google/protobuf/struct_pb';

/** The format of the published providers' errors. */
export function occurred(error: unknown): string {
  return `1 error occurred:\n\t* ${error instanceof Error ? error.message : String(error)}\n\n`;
}

export function explain(prefix: string): (error: unknown) => never {
  return (error) => {
    throw new Error(prefix + occurred(error));
  };
}

/** The thing exists and is not as it should be: the state reached is recorded with the reason. */
export function halfway(id: string, reached: Struct, reason: string): never {
  const failed = new ErrorResourceInitFailed();
  failed.setId(id);
  failed.setProperties(reached);
  failed.setReasonsList([reason]);
  const packed = new Any();
  packed.pack(failed.serializeBinary(), 'pulumirpc.ErrorResourceInitFailed');
  const answer = new Status();
  answer.setCode(grpc.status.UNKNOWN);
  answer.setMessage(reason);
  answer.addDetails(packed);
  const metadata = new grpc.Metadata();
  metadata.add('grpc-status-details-bin', Buffer.from(answer.serializeBinary()));
  throw Object.assign(new Error(reason), { code: grpc.status.UNKNOWN, details: reason, metadata });
}
