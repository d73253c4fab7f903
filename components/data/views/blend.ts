import type { Pixels, Window } from '../types.ts';
import { Workspace } from './simd/kernels.ts';

/** A change of colours that blends each pixel with a plainer one: black, the mean grey of the image, its own grey. */
export interface Blend {
  readonly kind: 'brightness' | 'contrast' | 'saturation';
  readonly factor: number;
}

/** Pixels whose greys are summed at once: a sum fits 32 bits. */
const MANY = 2 ** 22;

/** `jitterByTables` of three channels: the same bytes, four pixels at once. */
export function blendPart(source: Pixels, part: Window, blends: readonly Blend[]): Pixels {
  const { height, width } = part;
  const length = height * width * 3;
  const stride = source.width * 3;
  const bytes = Workspace.use((space) => {
    const whole = space.put(source.bytes);
    const contrast = blends.findIndex(({ kind }) => kind === 'contrast');
    const mean = contrast < 0 ? 0 : meanGrey(space, whole, source, blends.slice(0, contrast));
    const steps = putSteps(space, blends, mean);
    const out = space.take(length);
    const first = whole + part.top * stride + part.left * 3;
    space.kernels.blend(first, stride, height, width, out, steps, blends.length);
    return space.get(out, length);
  });
  return { bytes, height, width, channels: 3 };
}

/** Mean of the grey image after changes, as ImageEnhance.Contrast rounds it. */
function meanGrey(
  space: Workspace,
  whole: number,
  { height, width }: Pixels,
  blends: readonly Blend[],
): number {
  const steps = putSteps(space, blends, 0);
  const pixels = height * width;
  let sum = 0;
  for (let done = 0; done < pixels; done += MANY) {
    const some = Math.min(MANY, pixels - done);
    // For JavaScript, WebAssembly's numbers have a sign.
    sum += space.kernels.blend(whole + done * 3, 0, 1, some, 0, steps, blends.length) >>> 0;
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
