import { closest, distance } from 'fastest-levenshtein';
import { StageError } from '../../framework/stage/stage-error.ts';
import { printable } from '../../framework/stage/text.ts';
import type { HostTensor } from '../engine/types.ts';
import { describeNonFinite } from '../nn/finite.ts';
import { permute } from './permute.ts';
import { toHost } from './raw.ts';
import type { TensorFile } from './tensors.ts';

/** A tensor of a file, and what becomes of it here. */
export interface Wanted {
  /** Its name there. */
  readonly from: string;
  /** Its shape there. */
  readonly shape: readonly number[];
  /**
   * `dense`: PyTorch's [out, in] becomes [in, out]. `conv`: OIHW becomes HWIO. A function gets the tensor as it is there.
   * Absent: as it is.
   */
  readonly transform?: 'dense' | 'conv' | ((tensor: HostTensor) => HostTensor);
}

/** How a file's names are read. */
export interface PickOptions {
  /** What the tensors make, for messages: `torchvision's VGG16`. */
  readonly what: string;
  /**
   * What names may have in front of them, such as `module.`. The first of those below which most of the names are found is
   * taken, and what isn't below it is left aside. Absent: nothing.
   */
  readonly prefixes?: readonly string[];
  /** Tensors that are left aside knowingly, by their names without the prefix; all others that nothing asks for are an error. */
  readonly ignored?: RegExp;
}

/**
 * Tensors of a file by our names, as float32.
 *
 * @throws StageError that lists all that is missing, of another shape or type, or left over; or that names a tensor with a
 * number that isn't finite
 */
export async function pick<Name extends string>(
  file: TensorFile,
  wanted: { readonly [ours in Name]: Wanted },
  { what, prefixes = [''], ignored }: PickOptions,
): Promise<{ [ours in Name]: HostTensor }> {
  const entries = Object.entries(wanted) as [Name, Wanted][];
  const prefix = bestPrefix(file, entries, prefixes);
  const names = [...file.tensors.keys()]
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
  const asked = new Set(entries.map(([, { from }]) => from));
  const left = names.filter((name) => !asked.has(name) && !ignored?.test(name));
  const faults = [
    tell('missing', findMissing(file, entries, prefix, left)),
    tell('of another shape', findMisshapen(file, entries, prefix)),
    tell('not used', left),
  ].filter((fault) => fault !== undefined);
  if (faults.length > 0) {
    const hint = hintFor(file, entries, prefix);
    throw new StageError(
      `${file.file}: is not ${what}: ${faults.join('; ')}`,
      hint === undefined ? {} : { hint },
    );
  }
  const picked: [Name, HostTensor][] = [];
  for (const [ours, { from, transform }] of entries) {
    const tensor = toHost(await file.read(`${prefix}${from}`));
    checkFinite(tensor, from, file);
    picked.push([ours, change(tensor, transform)]);
  }
  return Object.fromEntries(picked) as { [ours in Name]: HostTensor };
}

function bestPrefix(
  { tensors }: TensorFile,
  entries: readonly (readonly [string, Wanted])[],
  prefixes: readonly string[],
): string {
  let [best = ''] = prefixes;
  let most = -1;
  for (const prefix of prefixes) {
    const found = entries.filter(([, { from }]) => tensors.has(`${prefix}${from}`)).length;
    if (found > most) [best, most] = [prefix, found];
  }
  // If it has none of them, the error lists what it has instead.
  return most === 0 ? '' : best;
}

function findMissing(
  { tensors }: TensorFile,
  entries: readonly (readonly [string, Wanted])[],
  prefix: string,
  left: readonly string[],
): string[] {
  const froms = new Set(entries.map(([, { from }]) => from));
  // A file may have any number of names of any length.
  const candidates = left.filter(({ length }) => length <= LONGEST).slice(0, MOST_COMPARED);
  return [...froms].flatMap((from) => {
    if (tensors.has(`${prefix}${from}`)) return [];
    const near = candidates.length === 0 ? undefined : closest(from, candidates);
    const isNear = near !== undefined && distance(from, near) <= Math.max(2, Math.floor(from.length / 3));
    return [isNear ? `${from} (there is ${near})` : from];
  });
}

/** Where the names are there, behind something else: another layout is meant. */
function hintFor(
  { tensors }: TensorFile,
  entries: readonly (readonly [string, Wanted])[],
  prefix: string,
): string | undefined {
  const lost = entries.find(([, { from }]) => !tensors.has(`${prefix}${from}`));
  if (!lost) return undefined;
  const [, { from }] = lost;
  const behind = [...tensors.keys()].find((name) => name.endsWith(`.${from}`));
  if (behind === undefined) return undefined;
  return `its names begin with "${shorten(printable(behind.slice(0, -from.length)))}": is it a file of another layout?`;
}

const FLOATS: readonly string[] = ['F64', 'F32', 'F16', 'BF16'];

function findMisshapen(
  { tensors }: TensorFile,
  entries: readonly (readonly [string, Wanted])[],
  prefix: string,
): string[] {
  return entries.flatMap(([, { from, shape }]) => {
    const found = tensors.get(`${prefix}${from}`);
    if (!found) return [];
    if (found.shape.join() !== shape.join())
      return [`${from} is [${found.shape.join(', ')}] instead of [${shape.join(', ')}]`];
    return FLOATS.includes(found.type) ? [] : [`${from} is ${found.type} instead of floats`];
  });
}

const MOST_TOLD = 8;
const MOST_COMPARED = 1000;
const LONGEST = 100;

function tell(what: string, items: readonly string[]): string | undefined {
  if (items.length === 0) return undefined;
  const shown = items.slice(0, MOST_TOLD).map((item) => shorten(printable(item)));
  const more = items.length > MOST_TOLD ? ` and ${items.length - MOST_TOLD} more` : '';
  return `${items.length} ${what}: ${shown.join(', ')}${more}`;
}

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

function checkFinite(tensor: HostTensor, name: string, { file }: TensorFile): void {
  if (describeNonFinite({ [name]: tensor }))
    throw new StageError(`${file}: the tensor "${shorten(printable(name))}" has a number that isn't finite`);
}

function change(tensor: HostTensor, transform: Wanted['transform']): HostTensor {
  if (transform === undefined) return tensor;
  if (transform === 'dense') return permute(tensor, [1, 0]);
  return transform === 'conv' ? permute(tensor, [2, 3, 1, 0]) : transform(tensor);
}
