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
        sessionLog: { id: 7, type: 'SessionLog' },
      },
    },
    Summary: { fields: { value: { id: 1, rule: 'repeated', type: 'Value' } } },
    Value: {
      fields: { tag: { id: 1, type: 'string' }, simpleValue: { id: 2, type: 'float' } },
      // One of several kinds of values, so that a 0 is written, too.
      oneofs: { value: { oneof: ['simpleValue'] } },
    },
    SessionLog: { fields: { status: { id: 1, type: 'int32' } } },
  },
}).lookupType('Event');

/** `SessionLog.START`. */
const start = 1;

/** A number as an event: the bytes of a protobuf message. `wallTime` is in seconds since 1970. */
export function encodeScalar({ step, tag, value }: ScalarEvent, wallTime: number): Uint8Array {
  const message = {
    // As all that write this schema do: 0 is what isn't there.
    ...(step === 0 ? { wallTime } : { wallTime, step }),
    summary: { value: [{ tag: printable(tag), simpleValue: value }] },
  };
  return eventType.encode(message).finish();
}

/**
 * What an event file begins with: its version. In one that `restarts`, TensorBoard also forgets what it read of the same
 * run in files before: it takes the first start of a session that it reads of a run for its beginning, and purges at the
 * next ones (`plugin_event_accumulator.py`). So there are two.
 */
export function encodeHead(wallTime: number, restarts: boolean): readonly Uint8Array[] {
  const version = eventType.encode({ wallTime, fileVersion: 'brain.Event:2' }).finish();
  const restart = eventType.encode({ wallTime, sessionLog: { status: start } }).finish();
  return restarts ? [version, restart, restart] : [version];
}

/** The wall time as every event begins with it: its field and type in a byte, then a double. 0 is left out. */
const timeBytes = 9;
const timeField = (1 << 3) | 1;

/** When an encoded event was written, in seconds since 1970. */
export function wallTimeOf(event: Uint8Array): number {
  if (event[0] !== timeField) return 0;
  return new DataView(event.buffer, event.byteOffset).getFloat64(1, true);
}

/** Whether two encoded events say the same, at whatever time they were written. */
export function isSameEvent(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(withoutTime(one), withoutTime(other)) === 0;
}

function withoutTime(event: Uint8Array): Uint8Array {
  return event[0] === timeField ? event.subarray(timeBytes) : event;
}

/** An event file as TensorFlow's `EventsWriter` makes it, or a part of one: a record for each encoded event. */
export function formatRecords(events: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(events.map(recordOf));
}

/**
 * The events of a file after its head, encoded. `whole` is false if it doesn't begin with a head, or if bytes after the
 * last event are none: those of a process that was killed while it wrote.
 */
export function parseRecords(bytes: Uint8Array): {
  readonly events: readonly Uint8Array[];
  readonly whole: boolean;
} {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const all: Uint8Array[] = [];
  let at = 0;
  while (at + headBytes <= view.length) {
    if (view.readUInt32LE(at + 8) !== maskedChecksum(view.subarray(at, at + 8))) break;
    const end = at + headBytes + Number(view.readBigUInt64LE(at));
    if (end + footBytes > view.length) break;
    const event = view.subarray(at + headBytes, end);
    if (view.readUInt32LE(end) !== maskedChecksum(event)) break;
    all.push(event);
    at = end + footBytes;
  }
  const [version, ...restart] = encodeHead(0, true);
  const isOurs = all[0] !== undefined && isSameEvent(all[0], version!);
  const restarts = restart.every((event, index) => all[index + 1] && isSameEvent(all[index + 1]!, event));
  const head = !isOurs ? 0 : restarts ? 1 + restart.length : 1;
  return { events: all.slice(head), whole: isOurs && at === view.length };
}

const headBytes = 12;
const footBytes = 4;

/** A TFRecord: length as uint64, its checksum, the bytes, their checksum; all little-endian. */
function recordOf(bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(headBytes);
  head.writeBigUInt64LE(BigInt(bytes.length));
  head.writeUInt32LE(maskedChecksum(head.subarray(0, 8)), 8);
  const foot = Buffer.alloc(footBytes);
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
