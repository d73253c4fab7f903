import type { Window } from '../types.ts';
import type { Workspace } from './simd/kernels.ts';
import { Source } from './simd/source.ts';

/** A change of colours that blends each pixel with a plainer one: black, the mean grey of the image, its own grey. */
export interface Blend {
  readonly kind: 'brightness' | 'contrast' | 'saturation';
  readonly factor: number;
}

/** Pixels whose greys are summed at once: a sum fits 32 bits. */
const MANY = 2 ** 22;

/** `jitterByTables` of three channels: the same bytes, four pixels at once. */
export function blendPart(source: Source, part: Window, blends: readonly Blend[]): Source {
  const { space } = source;
  const { top, left, height, width } = part;
  const contrast = blends.findIndex(({ kind }) => kind === 'contrast');
  const mean = contrast < 0 ? 0 : meanGrey(source, blends.slice(0, contrast));
  const steps = putSteps(space, blends, mean);
  const out = space.take(height * width * 3);
  const first = source.addressOf(top, left);
  space.kernels.blend(first, source.width * 3, height, width, out, steps, blends.length);
  return Source.at(space, out, { height, width, channels: 3 });
}

/** Mean of the grey image after changes, as ImageEnhance.Contrast rounds it. */
function meanGrey(source: Source, blends: readonly Blend[]): number {
  const { space } = source;
  const steps = putSteps(space, blends, 0);
  const pixels = source.height * source.width;
  let sum = 0;
  for (let done = 0; done < pixels; done += MANY) {
    const some = Math.min(MANY, pixels - done);
    // For JavaScript, WebAssembly's numbers have a sign.
    sum += space.kernels.blend(source.address + done * 3, 0, 1, some, 0, steps, blends.length) >>> 0;
  }
  return Math.trunc(sum / pixels + 0.5);
}

/** As assembly/blend.ts reads them: whether a pixel is blended with its own grey, else with which byte, and the factor. */
function putSteps(space: Workspace, blends: readonly Blend[], mean: number): number {
  const words = new Int32Array(blends.length * 3);
  const floats = new Float32Array(words.buffer);
  for (const [n, { kind, factor }] of blends.entries()) {
    words[n * 3] = kind === 'saturation' ? 1 : 0;
    floats[n * 3 + 1] = kind === 'contrast' ? mean : 0;
    floats[n * 3 + 2] = factor;
  }
  return space.put(words);
}
