import type { Random } from '../../nn/random.ts';
import type { Distortion } from './distortion-config.ts';
import { changeHsv } from './hsv.ts';

const { fround } = Math;

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
 * Changes a picture [..., 3] in place: each in float32, clipped and cut off to bytes, as numpy and OpenCV 4 do. Changes of bytes
 * are one look-up, together with that of hues and saturations before or after them.
 */
export function distort(picture: Uint8Array, changes: readonly Change[]): void {
  let table: Uint8Array | undefined;
  for (let next = 0; next < changes.length; ) {
    const change = changes[next]!;
    if (change.kind === 'bytes') {
      table = compose(table, byTable(change.factor, change.plus));
      next++;
      continue;
    }
    const second = changes[next + 1];
    const both = change.kind === 'saturation' && second?.kind === 'hue';
    const turn = both ? second.turn : change.kind === 'hue' ? change.turn : undefined;
    const saturations = change.kind === 'saturation' ? byTable(change.factor, 0) : undefined;
    changeHsv(picture, { before: table, saturations, turn });
    table = undefined;
    next += both ? 2 : 1;
  }
  if (table) for (let at = 0; at < picture.length; at++) picture[at] = table[picture[at]!]!;
}

function compose(first: Uint8Array | undefined, second: Uint8Array): Uint8Array {
  return first ? first.map((byte) => second[byte]!) : second;
}

/** What becomes of each byte: `convert` of PhotoMetricDistortion. */
function byTable(factor: number, plus: number): Uint8Array {
  const table = new Uint8Array(256);
  const [by, and] = [fround(factor), fround(plus)];
  for (let byte = 0; byte < 256; byte++)
    table[byte] = Math.min(255, Math.max(0, fround(fround(byte * by) + and)));
  return table;
}
