import { spriteSize } from './sprite.ts';
import type { Thing } from './thing.ts';

/** Which object each pixel shows, row by row. */
export interface Owners {
  readonly size: number;
  readonly pixels: Uint8Array;
}

/** Colours of the darkest and the brightest grey, RGB in [0, 255]. */
export interface Ramp {
  readonly dark: readonly [number, number, number];
  readonly bright: readonly [number, number, number];
}

export interface Surface {
  /** Pixels that a thing covers by half or more become `owner`. */
  readonly owners?: Owners;
  readonly owner?: number;
  /** RGB, row by row, `[size, size, 3]`: painted over in the colours of `ramp`. */
  readonly colours?: Float32Array;
  readonly ramp?: Ramp;
}

/**
 * Paints a thing over what is there. Sprites are sampled bilinearly at the middle of each pixel, so edges are soft: how
 * much of a pixel is covered is the share of the mask in the sample.
 */
export function paint(thing: Thing, surface: Surface & { readonly size?: number }): void {
  const { sprite, x, y, scale, angle, mirrored } = thing;
  const { grey, mask, middle, height, width } = sprite;
  const { owners, owner = 0, colours, ramp } = surface;
  const size = owners?.size ?? surface.size!;
  const pixels = owners?.pixels;
  // Half of the box around the turned box, and the pixel that soft edges reach beyond.
  const [turnedX, turnedY] = [Math.abs(Math.cos(angle)) * scale, Math.abs(Math.sin(angle)) * scale];
  const across = (width * turnedX + height * turnedY) / 2 + scale;
  const along = (width * turnedY + height * turnedX) / 2 + scale;
  const [left, right] = [Math.max(0, Math.floor(x - across)), Math.min(size - 1, Math.ceil(x + across))];
  const [top, bottom] = [Math.max(0, Math.floor(y - along)), Math.min(size - 1, Math.ceil(y + along))];
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const [ux, uy] = mirrored ? [-cos, -sin] : [cos, sin];
  const { dark = [0, 0, 0], bright = [0, 0, 0] } = ramp ?? {};
  const [d0, d1, d2] = dark;
  const [r0, r1, r2] = [(bright[0] - d0) / 255, (bright[1] - d1) / 255, (bright[2] - d2) / 255];
  const last = spriteSize - 1;
  for (let row = top; row <= bottom; row++) {
    const dy = row + 0.5 - y;
    let u = (left + 0.5 - x) * ux + dy * uy + middle[0] - 0.5;
    let v = (left + 0.5 - x) * -sin + dy * cos + middle[1] - 0.5;
    let at = row * size + left;
    for (let column = left; column <= right; column++, at++, u += ux, v -= sin) {
      if (u < 0 || v < 0 || u >= last || v >= last) continue;
      const iu = u | 0;
      const iv = v | 0;
      const fu = u - iu;
      const fv = v - iv;
      const from = iv * spriteSize + iu;
      const below = from + spriteSize;
      const w00 = (1 - fu) * (1 - fv) * mask[from]!;
      const w01 = fu * (1 - fv) * mask[from + 1]!;
      const w10 = (1 - fu) * fv * mask[below]!;
      const w11 = fu * fv * mask[below + 1]!;
      const covered = w00 + w01 + w10 + w11;
      if (covered <= 0) continue;
      if (pixels && covered >= 0.5) pixels[at] = owner;
      if (!colours) continue;
      // The mean grey of what is there: pixels beside the mask don't darken the edge.
      const sum = w00 * grey[from]! + w01 * grey[from + 1]! + w10 * grey[below]! + w11 * grey[below + 1]!;
      const value = sum / covered;
      const to = at * 3;
      colours[to]! += covered * (d0 + r0 * value - colours[to]!);
      colours[to + 1]! += covered * (d1 + r1 * value - colours[to + 1]!);
      colours[to + 2]! += covered * (d2 + r2 * value - colours[to + 2]!);
    }
  }
}
