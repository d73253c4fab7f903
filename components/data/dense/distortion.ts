import type { Random } from '../../nn/random.ts';
import type { Workspace } from '../views/simd/kernels.ts';
import type { Distortion } from './distortion-config.ts';

/** One change of colours: x * factor + plus of each byte or of the saturation, or a turn of the hue in halves of degrees. */
export type Change =
  | { readonly kind: 'bytes'; readonly factor: number; readonly plus: number }
  | { readonly kind: 'saturation'; readonly factor: number }
  | { readonly kind: 'hue'; readonly turn: number };

/**
 * The changes of a picture in their order, as PhotoMetricDistortion of mmsegmentation (datasets/pipelines/transforms.py) draws
 * them: brightness, contrast, saturation, hue, or with contrast last. Each happens or not, and so does that order, with
 * probability one half. All is drawn whatever happens, so that no change depends on the others.
 */
export function drawDistortion(
  { brightness, contrast, saturation, hue }: Distortion,
  random: Random,
): Change[] {
  const coin = () => random.uniform() < 0.5;
  const between = ([from, to]: readonly [number, number]) => from + (to - from) * random.uniform();
  const changes = {
    brightness: { happens: coin(), value: between([-brightness, brightness]) },
    contrast: { happens: coin(), value: between(contrast) },
    saturation: { happens: coin(), value: between(saturation) },
    // Below `hue`, as numpy's integers.
    hue: { happens: coin(), value: hue === 0 ? 0 : random.int(2 * hue) - hue },
  };
  const isContrastFirst = coin();
  const order = isContrastFirst
    ? (['brightness', 'contrast', 'saturation', 'hue'] as const)
    : (['brightness', 'saturation', 'hue', 'contrast'] as const);
  return order
    .filter((kind) => changes[kind].happens)
    .map((kind): Change => {
      const { value } = changes[kind];
      if (kind === 'hue') return { kind, turn: value };
      if (kind === 'saturation') return { kind, factor: value };
      return kind === 'brightness'
        ? { kind: 'bytes', factor: 1, plus: value }
        : { kind: 'bytes', factor: value, plus: 0 };
    });
}

/**
 * A picture [..., 3] with these changes one after the other: each in float32, clipped and cut off to bytes, as numpy and OpenCV 4
 * do on x86 (OpenCV rounds the last pixels of a row). The kernel is assembly/distort.ts.
 */
export function distort(space: Workspace, picture: Uint8Array, changes: readonly Change[]): Uint8Array {
  if (changes.length === 0) return picture;
  const words = new Int32Array(changes.length * 3);
  const floats = new Float32Array(words.buffer);
  for (const [n, change] of changes.entries()) {
    words[n * 3] = KINDS.indexOf(change.kind);
    floats[n * 3 + 1] = change.kind === 'hue' ? change.turn : change.factor;
    floats[n * 3 + 2] = change.kind === 'bytes' ? change.plus : 0;
  }
  const source = space.put(picture);
  const out = space.take(picture.length);
  space.kernels.distort(source, picture.length / 3, out, space.put(words), changes.length);
  return space.get(out, picture.length);
}

/** In the order of their numbers in the kernel. */
const KINDS = ['bytes', 'saturation', 'hue'];
