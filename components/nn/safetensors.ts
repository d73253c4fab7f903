import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { HostTensor } from '../engine/types.ts';
import { describeNonFinite } from './finite.ts';
import { type HostTree, leaves, type TreeOf } from './tree.ts';

/**
 * The format of weights on disk: https://huggingface.co/docs/safetensors (an 8-byte little-endian header length,
 * a JSON header, then the values). Written as the reference implementation writes it: larger types first, then by
 * name, header padded with spaces to a multiple of 8; so every tensor is aligned and the same values are the same bytes.
 */
const SIZES = { F32: 4, I32: 4, F16: 2, BF16: 2, BOOL: 1, U8: 1 } as const;

export type SafetensorsType = keyof typeof SIZES;

/** A tensor as the file has it: little-endian bytes, row-major. */
export interface RawTensor {
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export type Metadata = { readonly [name: string]: string };

export interface SafetensorsFile {
  readonly tensors: { readonly [name: string]: RawTensor };
  readonly metadata: Metadata;
}

/** The bytes of a safetensors file. */
export function formatSafetensors({ tensors, metadata }: SafetensorsFile): Uint8Array {
  const names = Object.keys(tensors).sort((a, b) => {
    return SIZES[tensors[b].type] - SIZES[tensors[a].type] || compare(a, b);
  });
  const header: { [name: string]: unknown } = {};
  if (Object.keys(metadata).length > 0) {
    header.__metadata__ = Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => compare(a, b)));
  }
  let offset = 0;
  for (const name of names) {
    const { type, shape, bytes } = tensors[name];
    header[name] = { dtype: type, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...names.map((name) => tensors[name].bytes)]);
}

/**
 * @param file named in errors
 * @throws Error that names the file and the tensor, if the bytes aren't a sound safetensors file or if it has
 * tensors of another type than F32, I32, F16, BF16, BOOL and U8
 */
export function parseSafetensors(bytes: Uint8Array, file: string): SafetensorsFile {
  const { header, data } = splitHeader(bytes, file);
  const tensors: { [name: string]: RawTensor } = {};
  const spans: { name: string; begin: number; end: number }[] = [];
  let metadata: Metadata = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = entry as Metadata;
      continue;
    }
    const { type, shape, begin, end } = checkEntry(entry, name, file);
    if (end > data.length) {
      throw new Error(`${file}: is truncated: tensor "${name}" ends at byte ${end} of ${data.length}`);
    }
    tensors[name] = { type, shape, bytes: data.subarray(begin, end) };
    spans.push({ name, begin, end });
  }
  checkSpans(spans, data.length, file);
  return { tensors, metadata };
}

function splitHeader(
  bytes: Uint8Array,
  file: string,
): { header: { [name: string]: unknown }; data: Uint8Array } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 8)
    throw new Error(`${file}: is truncated: ${buffer.length} bytes are no safetensors file`);
  const length = buffer.readBigUInt64LE(0);
  if (length > BigInt(buffer.length - 8)) {
    throw new Error(
      `${file}: is truncated, or no safetensors file: header of ${length} bytes in ${buffer.length}`,
    );
  }
  const end = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(buffer.toString('utf8', 8, end));
  } catch (cause) {
    throw new Error(`${file}: is no safetensors file: its header isn't JSON`, { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new Error(`${file}: is no safetensors file: its header isn't a JSON object`);
  }
  return { header: header as { [name: string]: unknown }, data: buffer.subarray(end) };
}

interface Entry {
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function checkEntry(entry: unknown, name: string, file: string): Entry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as { [field: string]: unknown };
  if (typeof dtype !== 'string' || !isNaturals(shape) || !isNaturals(offsets) || offsets.length !== 2) {
    throw new Error(`${file}: tensor "${name}" needs dtype, shape and data_offsets in the header`);
  }
  if (!Object.hasOwn(SIZES, dtype)) {
    throw new Error(
      `${file}: tensor "${name}" has dtype ${dtype}; known are ${Object.keys(SIZES).join(', ')}`,
    );
  }
  const type = dtype as SafetensorsType;
  const [begin, end] = offsets;
  const length = shape.reduce((product, extent) => product * extent, SIZES[type]);
  if (end - begin !== length) {
    throw new Error(
      `${file}: tensor "${name}" of ${type} [${shape.join(', ')}] has ${end - begin} bytes, not ${length}`,
    );
  }
  return { type, shape, begin, end };
}

/** Tensors must fill the data without overlaps or holes, as the reference implementation demands. */
function checkSpans(
  spans: { name: string; begin: number; end: number }[],
  length: number,
  file: string,
): void {
  const sorted = spans.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  let reached = 0;
  let before = '';
  for (const { name, begin, end } of sorted) {
    if (begin < reached) throw new Error(`${file}: tensors "${before}" and "${name}" overlap`);
    if (begin > reached)
      throw new Error(`${file}: ${begin - reached} unused bytes in front of tensor "${name}"`);
    reached = end;
    before = name;
  }
  if (reached !== length) throw new Error(`${file}: ${length - reached} unused bytes at the end`);
}

/** Host tensor to bytes: float32 as F32, int32 as I32, bool as BOOL. */
export function toRaw({ dtype, shape, data }: HostTensor): RawTensor {
  const type = dtype === 'float32' ? 'F32' : dtype === 'int32' ? 'I32' : 'BOOL';
  return { type, shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

/** Bytes to a host tensor: F16 and BF16 become float32, U8 becomes int32. Copies, so the file's bytes can go. */
export function toHost({ type, shape, bytes }: RawTensor): HostTensor {
  const copy = new Uint8Array(bytes); // not slice(): a Buffer has its own, which copies nothing
  switch (type) {
    case 'F32':
      return { dtype: 'float32', shape, data: new Float32Array(copy.buffer) };
    case 'I32':
      return { dtype: 'int32', shape, data: new Int32Array(copy.buffer) };
    case 'BOOL':
      return { dtype: 'bool', shape, data: copy };
    case 'U8':
      return { dtype: 'int32', shape, data: Int32Array.from(copy) };
    case 'BF16': {
      // bfloat16 is the upper half of a float32.
      const words = Uint32Array.from(new Uint16Array(copy.buffer), (half) => half << 16);
      return { dtype: 'float32', shape, data: new Float32Array(words.buffer) };
    }
    case 'F16':
      return { dtype: 'float32', shape, data: Float32Array.from(new Uint16Array(copy.buffer), halfToNumber) };
  }
}

/** IEEE 754 binary16. */
function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Tensors by their path joined with '/': `{ encoder: { weight } }` -> `{ 'encoder/weight' }`. Empty branches vanish. */
export function flatten(tree: HostTree): { [name: string]: HostTensor } {
  return Object.fromEntries(
    leaves<HostTensor>(tree).map(({ path, leaf }) => {
      const odd = path.length === 0 ? '' : path.find((name) => name === '' || name.includes('/'));
      if (odd !== undefined) throw new Error(`"${odd}" can't be part of a tensor's name`);
      return [path.join('/'), leaf];
    }),
  );
}

/** The inverse of `flatten`. */
export function unflatten<T = HostTensor>(tensors: { readonly [name: string]: T }): TreeOf<T> {
  interface Branch {
    [name: string]: Branch | T;
  }
  const root: Branch = {};
  const branches = new Set<unknown>([root]);
  for (const [name, tensor] of Object.entries(tensors)) {
    const path = name.split('/');
    let branch = root;
    for (const part of path.slice(0, -1)) {
      if (!Object.hasOwn(branch, part)) {
        branch[part] = {};
        branches.add(branch[part]);
      }
      if (!branches.has(branch[part])) throw new Error(`"${name}" lies below another tensor`);
      branch = branch[part] as Branch;
    }
    const last = path[path.length - 1];
    if (Object.hasOwn(branch, last)) throw new Error(`"${name}" has other tensors below it`);
    branch[last] = tensor;
  }
  return root;
}

/**
 * Writes a tree of tensors as a safetensors file, in one piece or not at all.
 *
 * @throws Error that names the tensor, if a number in it isn't finite: what trained such weights has failed
 */
export function saveTree(file: string, tree: unknown, metadata: Metadata = {}): void {
  const bad = describeNonFinite(tree);
  if (bad) {
    throw new Error(
      `${basename(file)} is not written: ${bad}. The training diverged: lower the learning rate or clip.`,
    );
  }
  const flat = flatten(tree as HostTree);
  const tensors = Object.fromEntries(Object.entries(flat).map(([name, tensor]) => [name, toRaw(tensor)]));
  const partial = `${file}.partial`;
  writeFileSync(partial, formatSafetensors({ tensors, metadata }));
  renameSync(partial, file);
}

/**
 * Reads what `saveTree` wrote, or any other safetensors file. The type is the caller's claim.
 *
 * @throws Error that names the file
 */
export function loadTree<T = HostTree>(file: string): T {
  const { tensors } = parseSafetensors(readFileSync(file), file);
  const host = Object.fromEntries(Object.entries(tensors).map(([name, raw]) => [name, toHost(raw)]));
  return unflatten(host) as T;
}

function isNaturals(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** By code units, like Rust's order of ASCII names; never by locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
