/** Luma of 8 bits as Pillow has it (colour.ts). Of three bytes all sums stay below 2 ** 24: float32 has them exactly. */
const RED: f32 = 19595;
const GREEN: f32 = 38470;
const BLUE: f32 = 7471;
const ROUND: f32 = 0x8000;
const SHARE: f32 = 1.0 / 65536;

/** Added to a whole number below 2 ** 23, the number's bits are the lowest of the sum. */
const BITS: f32 = 8388608;

/** Bytes of a step: `ownGrey` (i32), `plain` (f32), `factor` (f32). */
const STEP: usize = 12;

/** The grey of four pixels. */
function greys(red: v128, green: v128, blue: v128): v128 {
  const colours = f32x4.add(
    f32x4.mul(red, f32x4.splat(RED)),
    f32x4.add(f32x4.mul(green, f32x4.splat(GREEN)), f32x4.mul(blue, f32x4.splat(BLUE))),
  );
  return f32x4.trunc(f32x4.mul(f32x4.add(colours, f32x4.splat(ROUND)), f32x4.splat(SHARE)));
}

/** plain + factor * (x - plain), cut off to whole numbers from 0 to 255. */
function blended(x: v128, plain: v128, factor: v128): v128 {
  const moved = f32x4.add(plain, f32x4.mul(factor, f32x4.sub(x, plain)));
  return f32x4.trunc(f32x4.pmin(f32x4.pmax(moved, f32x4.splat(0)), f32x4.splat(255)));
}

/**
 * A part of an image whose pixels went through steps: each blends them with a byte, or with their own grey. Without `out`
 * nothing is written. Writes up to 13 bytes past the end, and reads as many.
 *
 * @returns the sum of their greys, of fewer than 2 ** 24 pixels
 */
export function blend(
  source: usize,
  stride: usize,
  height: i32,
  width: i32,
  out: usize,
  steps: usize,
  count: usize,
): u32 {
  const none = i32x4.splat(0);
  const end = steps + count * STEP;
  let sums = none;
  for (let y = 0; y < height; y++, source += stride) {
    let from = source;
    for (let left = width; left > 0; left -= 4, from += 12) {
      // Four pixels, a channel in each.
      const bytes = v128.load(from);
      let red = f32x4.convert_i32x4_s(
        i8x16.shuffle(bytes, none, 0, 16, 16, 16, 3, 16, 16, 16, 6, 16, 16, 16, 9, 16, 16, 16),
      );
      let green = f32x4.convert_i32x4_s(
        i8x16.shuffle(bytes, none, 1, 16, 16, 16, 4, 16, 16, 16, 7, 16, 16, 16, 10, 16, 16, 16),
      );
      let blue = f32x4.convert_i32x4_s(
        i8x16.shuffle(bytes, none, 2, 16, 16, 16, 5, 16, 16, 16, 8, 16, 16, 16, 11, 16, 16, 16),
      );
      for (let step = steps; step < end; step += STEP) {
        const plain = load<i32>(step) ? greys(red, green, blue) : v128.load32_splat(step, 4);
        const factor = v128.load32_splat(step, 8);
        red = blended(red, plain, factor);
        green = blended(green, plain, factor);
        blue = blended(blue, plain, factor);
      }
      if (out) {
        const bits = f32x4.splat(BITS);
        const r = f32x4.add(red, bits);
        const g = f32x4.add(green, bits);
        const b = f32x4.add(blue, bits);
        const rg = i8x16.shuffle(r, g, 0, 16, 0, 4, 20, 0, 8, 24, 0, 12, 28, 0, 0, 0, 0, 0);
        v128.store(out, i8x16.shuffle(rg, b, 0, 1, 16, 3, 4, 20, 6, 7, 24, 9, 10, 28, 0, 0, 0, 0));
        out += left < 4 ? 3 * left : 12;
      } else {
        const own = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(left));
        const grey = f32x4.add(greys(red, green, blue), f32x4.splat(BITS));
        sums = i32x4.add(sums, v128.and(grey, v128.and(own, i32x4.splat(0xff))));
      }
    }
  }
  return (
    i32x4.extract_lane(sums, 0) +
    i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) +
    i32x4.extract_lane(sums, 3)
  );
}
