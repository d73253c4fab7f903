import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { imagesAt } from '../../data/loader.ts';
import { type Canvas, encodePng, gridOf } from '../../data/picture/canvas.ts';
import type { Dataset } from '../../data/types.ts';
import { type StillView, sizeOf } from '../../data/views/view.ts';
import { tokensOf } from '../config.ts';

/** Codes of the picture, and patches of each. */
const most = { codes: 16, patches: 12 };
/** Pixels between patches and around all of them, white. */
const gap = 1;

/** What `codebook.json` says of a tokenizer. */
export interface CodebookUse {
  /** Test images whose codes were counted. */
  readonly images: number;
  /** How many tokens take each code; 0: a dead one. */
  readonly counts: readonly number[];
  /** The most used codes, one a row of `codes.png`: the patches of the first images that have it, one an image. */
  readonly shown: readonly number[];
  /** Side of a patch, and what lies between two, in pixels. */
  readonly patch: number;
  readonly gap: number;
}

interface Coded {
  /** int32 [images * tokens]. */
  readonly codes: Int32Array;
  readonly counts: ArrayLike<number>;
  readonly stride: number;
  readonly view: StillView;
}

/** Writes `codebook.json` and `codes.png`. */
export async function writeCodebookUse(
  dir: string,
  images: Dataset,
  { codes, counts, stride, view }: Coded,
): Promise<void> {
  const size = sizeOf(view, images);
  const tokens = tokensOf(size, stride);
  const shown = mostUsed(counts, most.codes);
  const places = shown.map((code) => firstPlaces(codes, code, tokens, most.patches));
  const numbers = [...new Set(places.flatMap((row) => row.map(({ image }) => image)))].sort((a, b) => a - b);
  const pixels = (await imagesAt(images, numbers, view)).data as Uint8Array;
  const rows = places.map((row) =>
    row.map(({ image, token }) => {
      const picture = pixels.subarray(numbers.indexOf(image) * size ** 2 * 3);
      return patchOf(picture, token, { size, stride });
    }),
  );
  const use: CodebookUse = {
    images: codes.length / tokens,
    counts: Array.from(counts),
    shown,
    patch: stride,
    gap,
  };
  await writeFile(path.join(dir, 'codebook.json'), `${JSON.stringify(use)}\n`);
  await writeFile(path.join(dir, 'codes.png'), encodePng(gridOf(rows, gap)));
}

/** The codes that most tokens take, the most used first; of equals the smaller number. Codes that none takes are left out. */
export function mostUsed(counts: ArrayLike<number>, count: number): number[] {
  const used = [...Array.from(counts).keys()].filter((code) => counts[code] > 0);
  return used.sort((a, b) => counts[b] - counts[a] || a - b).slice(0, count);
}

interface Place {
  readonly image: number;
  readonly token: number;
}

/** The first token that takes a code, of the first so many images that have it. */
export function firstPlaces(codes: Int32Array, code: number, tokens: number, count: number): Place[] {
  const places: Place[] = [];
  for (let at = codes.indexOf(code); at >= 0 && places.length < count; ) {
    const image = Math.floor(at / tokens);
    places.push({ image, token: at % tokens });
    at = codes.indexOf(code, (image + 1) * tokens);
  }
  return places;
}

/** The square of pixels of a token. */
function patchOf(
  picture: Uint8Array,
  token: number,
  { size, stride }: { readonly size: number; readonly stride: number },
): Canvas {
  const across = size / stride;
  const [top, left] = [Math.floor(token / across) * stride, (token % across) * stride];
  const bytes = new Uint8Array(stride ** 2 * 3);
  for (let y = 0; y < stride; y++) {
    const from = ((top + y) * size + left) * 3;
    bytes.set(picture.subarray(from, from + stride * 3), y * stride * 3);
  }
  return { bytes, height: stride, width: stride, channels: 3 };
}
