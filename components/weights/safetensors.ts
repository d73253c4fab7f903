import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { StageError } from '../../framework/stage/stage-error.ts';
import type { HostTensor } from '../engine/types.ts';
import { describeNonFinite } from '../nn/finite.ts';
import { type HostTree, leaves, type TreeOf } from '../nn/tree.ts';
import { byteCount, type RawTensor, TYPE_SIZES, toHost } from './raw.ts';
import { METADATA, parseHeader } from './safetensors-header.ts';

export type Metadata = { readonly [name: string]: string };

/** Names are own properties, whatever they are called: `__proto__` too. */
export interface SafetensorsFile {
  readonly tensors: { readonly [name: string]: RawTensor };
  readonly metadata: Metadata;
}

/**
 * The bytes of a safetensors file, https://huggingface.co/docs/safetensors: an 8-byte little-endian header length, a
 * JSON header, then the values. Written as the reference implementation writes it: larger types first, then by name,
 * header padded with spaces to a multiple of 8; so every tensor is aligned and the same values are the same bytes.
 *
 * @throws Error that names the tensor, for one that no reader could read back
 */
export function formatSafetensors({ tensors, metadata }: SafetensorsFile): Uint8Array {
  const sorted = Object.entries(tensors).sort(([a, one], [b, other]) => {
    return TYPE_SIZES[other.type] - TYPE_SIZES[one.type] || compare(a, b);
  });
  const members: [name: string, value: unknown][] = [];
  const texts = Object.entries(metadata).sort(([a], [b]) => compare(a, b));
  for (const [name, text] of texts) checkText(text, `metadata "${name}"`);
  // A text, not an object: objects sort names such as "7" to the front, and `__proto__` is more than a name to them.
  if (texts.length > 0) members.push([METADATA, Object.fromEntries(texts)]);
  let offset = 0;
  for (const [name, { type, shape, bytes }] of sorted) {
    checkText(name, 'a tensor');
    if (name === METADATA) throw new StageError(`a tensor can't be called ${METADATA}`);
    if (bytes.length !== byteCount(type, shape))
      throw new StageError(`tensor "${name}" of ${type} [${shape.join(', ')}] has ${bytes.length} bytes`);
    members.push([name, { dtype: type, shape, data_offsets: [offset, offset + bytes.length] }]);
    offset += bytes.length;
  }
  const text = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
  const json = Buffer.from(`{${text}}`);
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...sorted.map(([, { bytes }]) => bytes)]);
}

/** UTF-8 has no half of a surrogate pair. */
function checkText(text: unknown, what: string): void {
  if (typeof text !== 'string') throw new StageError(`${what} is ${typeof text}, not a string`);
  if (/\p{Surrogate}/u.test(text))
    throw new StageError(`${what} ${JSON.stringify(text)} isn't well-formed text`);
}

/**
 * @param file named in errors
 * @throws Error that names the file and the tensor, if the bytes aren't a sound safetensors file or if it has
 * tensors of another type than those of `TYPE_SIZES`
 */
export function parseSafetensors(bytes: Uint8Array, file: string): SafetensorsFile {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { entries, metadata, size } = parseHeader(buffer, buffer.length, file);
  const tensors = entries.map(({ name, type, shape, begin, end }): [string, RawTensor] => {
    return [name, { type, shape, bytes: buffer.subarray(size + begin, size + end) }];
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}

/** Host tensor to bytes: float32 as F32, int32 as I32, bool as BOOL. */
export function toRaw({ dtype, shape, data }: HostTensor): RawTensor {
  const type = dtype === 'float32' ? 'F32' : dtype === 'int32' ? 'I32' : 'BOOL';
  return { type, shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

/** Tensors by their path joined with '/': `{ encoder: { weight } }` -> `{ 'encoder/weight' }`. Empty branches vanish. */
export function flatten(tree: HostTree): { [name: string]: HostTensor } {
  return Object.fromEntries(
    leaves<HostTensor>(tree).map(({ path, leaf }) => {
      const odd = path.length === 0 ? '' : path.find((name) => name === '' || name.includes('/'));
      if (odd !== undefined) throw new StageError(`"${odd}" can't be part of a tensor's name`);
      return [path.join('/'), leaf];
    }),
  );
}

/** The inverse of `flatten`. Branches have own properties only, so that a name such as `__proto__` is one like others. */
export function unflatten<T = HostTensor>(tensors: { readonly [name: string]: T }): TreeOf<T> {
  type Branch = Map<string, Branch | { readonly leaf: T }>;
  const root: Branch = new Map();
  for (const [name, leaf] of Object.entries(tensors)) {
    const path = name.split('/');
    if (path.includes('')) throw new StageError(`the name "${name}" has an empty part`);
    const last = path.pop()!;
    let branch = root;
    for (const part of path) {
      const next = branch.get(part) ?? new Map();
      if (!(next instanceof Map)) throw new StageError(`"${name}" lies below another tensor`);
      branch.set(part, next);
      branch = next;
    }
    if (branch.has(last)) throw new StageError(`"${name}" has other tensors below it`);
    branch.set(last, { leaf });
  }
  const build = (branch: Branch): TreeOf<T> =>
    Object.fromEntries([...branch].map(([part, one]) => [part, one instanceof Map ? build(one) : one.leaf]));
  return build(root);
}

/**
 * Writes a tree of tensors as a safetensors file, in one piece or not at all.
 *
 * @throws StageError that names the tensor, if a number in it isn't finite: what trained such weights has failed; and for names
 * or sizes that the file can't hold
 */
export function saveTree(file: string, tree: unknown, metadata: Metadata = {}): void {
  const bad = describeNonFinite(tree);
  if (bad) {
    throw new StageError(`${basename(file)} is not written: ${bad}`, {
      hint: 'the training diverged: lower the learning rate, or clip gradients more',
    });
  }
  const bytes = namingFile(file, () => {
    const flat = flatten(tree as HostTree);
    const tensors = Object.fromEntries(Object.entries(flat).map(([name, tensor]) => [name, toRaw(tensor)]));
    return formatSafetensors({ tensors, metadata });
  });
  const partial = `${file}.partial`;
  writeFileSync(partial, bytes);
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
  return namingFile(file, () => unflatten(host)) as T;
}

function namingFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new StageError(`${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** By the bytes of UTF-8, as Rust compares strings; never by locale. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
