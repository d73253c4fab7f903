import protobuf from 'protobufjs/light.js';
import { printable } from '../../stage/text.ts';

/** A number of an event file. */
export interface ScalarEvent {
  readonly step: number;
  readonly tag: string;
  readonly value: number;
}

/** The part of TensorFlow's schema (event.proto, summary.proto) that scalars need. */
const eventType = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wallTime: { id: 1, type: 'double' },
        step: { id: 2, type: 'int64' },
        fileVersion: { id: 3, type: 'string' },
        summary: { id: 5, type: 'Summary' },
      },
    },
    Summary: { fields: { value: { id: 1, rule: 'repeated', type: 'Value' } } },
    Value: { fields: { tag: { id: 1, type: 'string' }, simpleValue: { id: 2, type: 'float' } } },
  },
}).lookupType('Event');

/**
 * An event file as TensorFlow's `EventsWriter` makes it: records of protobuf events, the first of which says the version.
 *
 * @param wallTime of all events, in seconds since 1970
 */
export function formatEvents(events: readonly ScalarEvent[], wallTime: number): Uint8Array {
  const messages = [
    { wallTime, fileVersion: 'brain.Event:2' },
    ...events.map(({ step, tag, value }) => ({
      // As all that write this schema do: 0 is what isn't there.
      ...(step === 0 ? { wallTime } : { wallTime, step }),
      summary: { value: [{ tag: printable(tag), simpleValue: value }] },
    })),
  ];
  return Buffer.concat(messages.map((message) => recordOf(eventType.encode(message).finish())));
}

/** A TFRecord: length as uint64, its checksum, the bytes, their checksum; all little-endian. */
function recordOf(bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(bytes.length));
  head.writeUInt32LE(maskedChecksum(head.subarray(0, 8)), 8);
  const foot = Buffer.alloc(4);
  foot.writeUInt32LE(maskedChecksum(bytes));
  return Buffer.concat([head, bytes, foot]);
}

/** Rotated right by 15 bits, plus a constant: so that a checksum of bytes with checksums in them is none of itself. */
function maskedChecksum(bytes: Uint8Array): number {
  const checksum = crc32c(bytes);
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32 by Castagnoli's polynomial (RFC 3720, B.4), reflected; zlib's is another one. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
}

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});
