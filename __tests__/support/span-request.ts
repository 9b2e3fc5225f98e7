import { randomBytes } from 'node:crypto';

/** A field of a protobuf message that has a length: text, bytes or a message. */
function field(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 0x80) {
      return Buffer.from([...bytes, left]);
    }
    bytes.push((left & 0x7f) | 0x80);
  }
}

function time(number: number, ms: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (number << 3) | 1;
  bytes.writeBigUInt64LE(BigInt(ms) * 1_000_000n, 1);
  return bytes;
}

/**
 * An OTLP request in protobuf with one span of a project (opentelemetry/proto/collector/trace/v1).
 * @param name of the span; bytes that are no UTF-8 are what Alloy takes and Phoenix refuses
 */
export function spanRequest(project: string, name: Buffer | string = 'span'): Buffer {
  const attribute = Buffer.concat([field(1, 'openinference.project.name'), field(2, field(1, project))]);
  const span = Buffer.concat([field(1, randomBytes(16)), field(2, randomBytes(8)), field(5, name), time(7, Date.now() - 1), time(8, Date.now())]);
  return field(1, Buffer.concat([field(1, field(1, attribute)), field(2, field(2, span))]));
}
