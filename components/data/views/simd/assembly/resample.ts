/** Weights are whole numbers of 2 ** -22 (resample.ts). */
const PRECISION: i32 = 22;
const HALF: i32 = 1 << (PRECISION - 1);

/**
 * Each row made as long as there are weights; three channels. `first` and `count` say for each place of a row which pixels
 * it is made of, `weights` has `most` for each. Writes up to a byte past the end, reads up to 16.
 */
export function rowsOfColours(
  source: usize,
  stride: usize,
  height: i32,
  out: usize,
  width: i32,
  first: usize,
  count: usize,
  weights: usize,
  most: usize,
): void {
  const none = i32x4.splat(0);
  for (let y = 0; y < height; y++, source += stride) {
    let weightsHere = weights;
    for (let x: usize = 0; x < <usize>width; x++, out += 3, weightsHere += most << 2) {
      let from = source + <usize>load<i32>(first + (x << 2)) * 3;
      let weight = weightsHere;
      let left = load<i32>(count + (x << 2));
      let sum = i32x4.splat(HALF);
      for (; left >= 4; left -= 4, from += 12, weight += 16) {
        const bytes = v128.load(from);
        // Red, green and blue of a pixel, each as an i32; 16 is a byte of `none`.
        const a = i8x16.shuffle(bytes, none, 0, 16, 16, 16, 1, 16, 16, 16, 2, 16, 16, 16, 16, 16, 16, 16);
        const b = i8x16.shuffle(bytes, none, 3, 16, 16, 16, 4, 16, 16, 16, 5, 16, 16, 16, 16, 16, 16, 16);
        const c = i8x16.shuffle(bytes, none, 6, 16, 16, 16, 7, 16, 16, 16, 8, 16, 16, 16, 16, 16, 16, 16);
        const d = i8x16.shuffle(bytes, none, 9, 16, 16, 16, 10, 16, 16, 16, 11, 16, 16, 16, 16, 16, 16, 16);
        sum = i32x4.add(sum, i32x4.mul(a, v128.load32_splat(weight, 0)));
        sum = i32x4.add(sum, i32x4.mul(b, v128.load32_splat(weight, 4)));
        sum = i32x4.add(sum, i32x4.mul(c, v128.load32_splat(weight, 8)));
        sum = i32x4.add(sum, i32x4.mul(d, v128.load32_splat(weight, 12)));
      }
      for (; left > 0; left--, from += 3, weight += 4) {
        const bytes = v128.load32_zero(from);
        const a = i8x16.shuffle(bytes, none, 0, 16, 16, 16, 1, 16, 16, 16, 2, 16, 16, 16, 16, 16, 16, 16);
        sum = i32x4.add(sum, i32x4.mul(a, v128.load32_splat(weight)));
      }
      // Narrowing cuts off at 0 and 255. The fourth byte is overwritten by the next pixel.
      const words = i16x8.narrow_i32x4_s(i32x4.shr_s(sum, PRECISION), none);
      store<i32>(out, i32x4.extract_lane(i8x16.narrow_i16x8_u(words, none), 0));
    }
  }
}

/** The same for one channel. */
export function rowsOfGreys(
  source: usize,
  stride: usize,
  height: i32,
  out: usize,
  width: i32,
  first: usize,
  count: usize,
  weights: usize,
  most: usize,
): void {
  for (let y = 0; y < height; y++, source += stride) {
    for (let x: usize = 0; x < <usize>width; x++, out++) {
      let from = source + <usize>load<i32>(first + (x << 2));
      let weight = weights + ((x * most) << 2);
      let sum = HALF;
      for (let left = load<i32>(count + (x << 2)); left > 0; left--, from++, weight += 4)
        sum += <i32>load<u8>(from) * load<i32>(weight);
      store<u8>(out, <u8>max(0, min(255, sum >> PRECISION)));
    }
  }
}

/**
 * As many rows as there are weights, each made of rows of `length` bytes. Writes up to 15 bytes past the end, and reads
 * as many.
 */
export function columns(
  source: usize,
  length: usize,
  out: usize,
  height: i32,
  first: usize,
  count: usize,
  weights: usize,
  most: usize,
): void {
  for (let y: usize = 0; y < <usize>height; y++, out += length, weights += most << 2) {
    const top = source + <usize>load<i32>(first + (y << 2)) * length;
    const rows = load<i32>(count + (y << 2));
    for (let x: usize = 0; x < length; x += 16) {
      let a = i32x4.splat(HALF);
      let b = a;
      let c = a;
      let d = a;
      let from = top + x;
      for (let row = 0; row < rows; row++, from += length) {
        const bytes = v128.load(from);
        const low = i16x8.extend_low_i8x16_u(bytes);
        const high = i16x8.extend_high_i8x16_u(bytes);
        const weight = v128.load32_splat(weights + ((<usize>row) << 2));
        a = i32x4.add(a, i32x4.mul(i32x4.extend_low_i16x8_u(low), weight));
        b = i32x4.add(b, i32x4.mul(i32x4.extend_high_i16x8_u(low), weight));
        c = i32x4.add(c, i32x4.mul(i32x4.extend_low_i16x8_u(high), weight));
        d = i32x4.add(d, i32x4.mul(i32x4.extend_high_i16x8_u(high), weight));
      }
      const ab = i16x8.narrow_i32x4_s(i32x4.shr_s(a, PRECISION), i32x4.shr_s(b, PRECISION));
      const cd = i16x8.narrow_i32x4_s(i32x4.shr_s(c, PRECISION), i32x4.shr_s(d, PRECISION));
      v128.store(out + x, i8x16.narrow_i16x8_u(ab, cd));
    }
  }
}
