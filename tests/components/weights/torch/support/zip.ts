import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of a zip file, and in what it may lie. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly compressed?: boolean;
  /** Instead of the right one. */
  readonly crc?: number;
  /** What the central directory says of its size, instead of the truth. */
  readonly size?: number;
  readonly flags?: number;
  /** What the central directory says of its place. */
  readonly offset?: number;
}

/** A zip file, truthful or not. */
export function zipOf(entries: readonly ZipEntry[], { count = entries.length } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const {
    name,
    bytes,
    compressed = false,
    crc = crc32(bytes),
    size = bytes.length,
    flags = 0,
    offset,
  } of entries) {
    const data = compressed ? deflateRawSync(bytes) : Buffer.from(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(compressed ? 8 : 0, 4);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(compressed ? data.length : size, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset ?? position, 10);
    const made = Buffer.from([20, 0]);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), made, common, tail, Buffer.from(name)]),
    );
    parts.push(local);
    position += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(position, 16);
  return Buffer.concat([...parts, central, end]);
}
