import { StageError } from '../../framework/stage/stage-error.ts';
import { byteCount, type TensorType, TYPE_SIZES } from './raw.ts';

/** The header of a safetensors file, checked by the rules of the format's reference implementation and its text. */

/** Where the bytes of a tensor lie, counted from the end of the header. */
export interface HeaderEntry {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of the data. */
  readonly entries: readonly HeaderEntry[];
  readonly metadata: { readonly [name: string]: string };
  /** Bytes in front of the data: the length and the header itself. */
  readonly size: number;
}

/** The name that the format keeps for what is no tensor. */
export const METADATA = '__metadata__';

/** The reference implementation's own limit, against files that ask for all memory. */
const MOST_BYTES = 100_000_000;

/**
 * How many bytes of a file the header takes, with its length in front.
 *
 * @param head the first 8 bytes of the file, or all of a shorter one
 * @param length of the whole file in bytes
 */
export function headerSize(head: Buffer, length: number, file: string): number {
  if (head.length < 8) throw new StageError(`${file}: is truncated: ${length} bytes are no safetensors file`);
  const size = head.readBigUInt64LE(0);
  if (size > BigInt(length - 8)) {
    throw new StageError(
      `${file}: is truncated, or no safetensors file: header of ${size} bytes in ${length}`,
    );
  }
  if (size > BigInt(MOST_BYTES))
    throw new StageError(
      `${file}: its header of ${size} bytes is larger than the ${MOST_BYTES} that the format allows`,
    );
  return 8 + Number(size);
}

/**
 * @param bytes of the file, at least as many as `headerSize` says
 * @param length of the whole file in bytes
 * @param file named in errors
 * @throws Error that names the file, and the tensor if it is about one
 */
export function parseHeader(bytes: Buffer, length: number, file: string): SafetensorsHeader {
  const size = headerSize(bytes.subarray(0, 8), length, file);
  const text = readText(bytes.subarray(8, size), file);
  const header = parseObject(text, file);
  const metadata = Object.hasOwn(header, METADATA) ? checkMetadata(header[METADATA], file) : {};
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => checkEntry(entry, name, file))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkSpans(entries, length - size, file);
  return { entries, metadata, size };
}

function readText(bytes: Buffer, file: string): string {
  try {
    // A byte order mark stays in the text, where it is no JSON, as for the reference implementation.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new StageError(`${file}: is no safetensors file: its header isn't UTF-8`, { cause });
  }
}

function parseObject(text: string, file: string): { readonly [name: string]: unknown } {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw new StageError(`${file}: is no safetensors file: its header isn't JSON`, { cause });
  }
  if (!isObject(header) || !text.startsWith('{'))
    throw new StageError(`${file}: is no safetensors file: its header isn't a JSON object`);
  const twice = findRepeatedKey(text);
  if (twice !== undefined) {
    const [key, owner] = twice;
    const what = owner === undefined ? `tensor "${key}"` : `"${key}" of "${owner}"`;
    throw new StageError(
      `${file}: ${key === METADATA && owner === undefined ? METADATA : what} is in the header twice`,
    );
  }
  return header;
}

/** The first key that an object of a valid JSON text has twice, with the member of the outermost object it is in. */
function findRepeatedKey(text: string): readonly [key: string, owner: string | undefined] | undefined {
  const open: (Set<string> | undefined)[] = []; // undefined: a list
  let owner: string | undefined;
  let last = '""';
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/gs)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token !== ':') last = token;
    else {
      const key = JSON.parse(last) as string;
      const keys = open[open.length - 1];
      if (keys?.has(key)) return [key, open.length > 1 ? owner : undefined];
      keys?.add(key);
      if (open.length === 1) owner = key;
    }
  }
  return undefined;
}

function checkMetadata(value: unknown, file: string): { readonly [name: string]: string } {
  if (!isObject(value)) throw new StageError(`${file}: ${METADATA} isn't an object of strings`);
  const odd = Object.entries(value).find(([, text]) => typeof text !== 'string');
  if (odd) throw new StageError(`${file}: ${METADATA} has "${odd[0]}", which isn't a string`);
  return value as { readonly [name: string]: string };
}

function checkEntry(entry: unknown, name: string, file: string): HeaderEntry {
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  if (typeof dtype !== 'string' || !isNaturals(shape) || !isNaturals(offsets) || offsets.length !== 2) {
    throw new StageError(
      `${file}: tensor "${name}" needs dtype, shape and data_offsets in the header, with whole numbers from 0 up`,
    );
  }
  if (!Object.hasOwn(TYPE_SIZES, dtype)) {
    throw new StageError(
      `${file}: tensor "${name}" has dtype ${dtype}; known are ${Object.keys(TYPE_SIZES).join(', ')}`,
    );
  }
  const type = dtype as TensorType;
  const [begin, end] = offsets as readonly [number, number];
  const length = byteCount(type, shape);
  if (end - begin !== length) {
    const needed = Number.isSafeInteger(length) ? String(length) : 'more than any file can have';
    throw new StageError(
      `${file}: tensor "${name}" of ${type} [${shape.join(', ')}] has ${end - begin} bytes, not ${needed}`,
    );
  }
  return { name, type, shape, begin, end };
}

/** Tensors must fill the data without overlaps or holes, as the reference implementation demands. */
function checkSpans(sorted: readonly HeaderEntry[], length: number, file: string): void {
  let reached = 0;
  let before = '';
  for (const { name, begin, end } of sorted) {
    if (begin < reached) throw new StageError(`${file}: tensors "${before}" and "${name}" overlap`);
    if (begin > reached)
      throw new StageError(`${file}: ${begin - reached} unused bytes in front of tensor "${name}"`);
    if (end > length)
      throw new StageError(`${file}: is truncated: tensor "${name}" ends at byte ${end} of ${length}`);
    reached = end;
    before = name;
  }
  if (reached !== length) throw new StageError(`${file}: ${length - reached} unused bytes at the end`);
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNaturals(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
