import fs from 'node:fs';
import { type ListedPart, statWidth } from './folder-list.ts';
import { isClean } from './racy.ts';

// The clock as it is: experiment files are evaluated a second time under another one.
const now = Date.now;

// Imports next to nothing: the quick path of the command line uses it.

/** What was in a folder somewhere below the remembered one when its files were hashed. Columns, as those of a list. */
export interface MemoryPart extends Pick<ListedPart, 'dir' | 'names' | 'count' | 'stats'> {
  /** When hashing of each file began, by the clock of its file system, or earlier; in milliseconds since 1970; 0 for one that isn't hashed yet. */
  readonly at: Float64Array;
  /** sha256 of each file, 32 bytes. */
  readonly sha256: Uint8Array;
  /** Of its manifest; empty as long as that isn't known, and where nothing is in it. */
  readonly digest: string;
}

export interface FolderMemory {
  /** Of the manifest of the whole; empty as long as files are still to be hashed. */
  readonly digest: string;
  /** Sorted by path. */
  readonly parts: readonly MemoryPart[];
}

/** What a memory says of itself at the beginning of its file. */
interface Head {
  readonly digest: string;
  readonly parts: readonly {
    readonly dir: string;
    readonly count: number;
    /** Bytes of the names. */
    readonly names: number;
    readonly digest: string;
  }[];
}

// Counts up when the layout changes: "peco" and a number.
const magic = 0x70_65_63_33;
/** Magic, length of the head, checksum of all that follows, nothing. */
const prologue = 16;
/** Columns of numbers begin at multiples of so many bytes. */
const unit = 8;

/**
 * The bytes of a memory's file: 16 bytes, a head in JSON, and for each part its columns. So a million files are read in
 * a tenth of a second, and no text is longer than Node allows.
 */
export function packFolderMemory({ digest, parts }: FolderMemory): Uint8Array[] {
  const names = parts.map((part) => padded(Buffer.from(part.names)));
  const lengths = parts.map((part) => Buffer.byteLength(part.names));
  const head: Head = {
    digest,
    parts: parts.map((part, n) => ({
      dir: part.dir,
      count: part.count,
      names: lengths[n]!,
      digest: part.digest,
    })),
  };
  const text = padded(Buffer.from(JSON.stringify(head)), 0x20);
  const body = [
    text,
    ...parts.flatMap(({ stats, at, sha256 }, n) => [bytesOf(stats), bytesOf(at), sha256, names[n]!]),
  ];
  let sum = checksumStart;
  for (const bytes of body) sum = checksum(bytes, sum);
  const first = Buffer.alloc(prologue);
  for (const [place, word] of [magic, text.length, sum >>> 0].entries()) first.writeUInt32LE(word, 4 * place);
  return [first, ...body];
}

/** Undefined for a memory that is missing or broken: it is made again. */
export function readFolderMemory(file: string): FolderMemory | undefined {
  try {
    return unpack(fs.readFileSync(file));
  } catch {
    return undefined;
  }
}

function unpack(bytes: Buffer): FolderMemory | undefined {
  // Columns are read where they lie.
  const whole = bytes.byteOffset % unit === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer);
  const length = whole.readUInt32LE(4);
  if (whole.readUInt32LE(0) !== magic || whole.length % unit !== 0) return undefined;
  if (checksum(whole.subarray(prologue), checksumStart) >>> 0 !== whole.readUInt32LE(8)) return undefined;
  const head = JSON.parse(whole.toString('utf8', prologue, prologue + length)) as Head;
  let from = prologue + length;
  const take = (size: number): number => {
    const start = from;
    from += Math.ceil(size / unit) * unit;
    return whole.byteOffset + start;
  };
  const parts = head.parts.map(({ dir, count, names, digest }): MemoryPart => {
    const stats = new Float64Array(whole.buffer, take(8 * statWidth * count), statWidth * count);
    const at = new Float64Array(whole.buffer, take(8 * count), count);
    const sha256 = new Uint8Array(whole.buffer, take(32 * count), 32 * count);
    const start = take(names) - whole.byteOffset;
    return { dir, count, stats, at, sha256, digest, names: whole.toString('utf8', start, start + names) };
  });
  return { digest: head.digest, parts };
}

/** True if the files are those of the memory, by their stat alone. */
export function isUnchanged(memory: FolderMemory, listed: readonly ListedPart[]): boolean {
  return (
    memory.digest !== '' &&
    listed.length === memory.parts.length &&
    listed.every((part, n) => isSamePart(memory.parts[n]!, part))
  );
}

/** The same of what is directly in one folder. */
export function isSamePart(memory: MemoryPart, part: ListedPart): boolean {
  if (memory.dir !== part.dir || memory.names !== part.names || memory.count !== part.count) return false;
  const time = now();
  for (let file = 0; file < part.count; file++)
    if (!isTrusted(memory, file, part.stats, file, time)) return false;
  return true;
}

/** True if a file is the one at a place of the memory, and was hashed long enough after its last change. */
export function isTrusted(
  { stats, at }: Pick<MemoryPart, 'stats' | 'at'>,
  place: number,
  found: Float64Array,
  file: number,
  time: number,
): boolean {
  const [a, b] = [statWidth * place, statWidth * file];
  for (let field = 0; field < statWidth; field++) if (stats[a + field] !== found[b + field]) return false;
  return (
    isClean({ mtimeMs: stats[a + 1]!, ctimeMs: stats[a + 2]! }, at[place]!) && at[place]! <= time // else the clock was set back since, and says nothing
  );
}

function bytesOf(numbers: Float64Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function padded(bytes: Buffer, filler = 0): Buffer {
  const over = bytes.length % unit;
  return over === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(unit - over, filler)]);
}

const checksumStart = 0x811c9dc5;

/** FNV-1a by words of 32 bits: it notices damage, and loading node:crypto takes longer. */
function checksum(bytes: Uint8Array, start: number): number {
  const whole = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const words = new Uint32Array(whole.buffer, whole.byteOffset, whole.length / 4);
  let sum = start;
  for (let place = 0; place < words.length; place++) sum = Math.imul(sum ^ words[place]!, 0x01000193);
  return sum;
}
