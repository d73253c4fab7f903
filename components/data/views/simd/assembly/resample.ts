/** Weights are whole numbers of 2 ** -22 (resample.ts). */
const PRECISION: i32 = 22;
const HALF: i32 = 1 << (PRECISION - 1);

/** Red, green and blue of the first pixel of four or one, each as an i32; then of the second, third and fourth. */
function first(bytes: v128): v128 {
  return i8x16.shuffle(bytes, i32x4.splat(0), 0, 16, 16, 16, 1, 16, 16, 16, 2, 16, 16, 16, 16, 16, 16, 16);
}
function second(bytes: v128): v128 {
  return i8x16.shuffle(bytes, i32x4.splat(0), 3, 16, 16, 16, 4, 16, 16, 16, 5, 16, 16, 16, 16, 16, 16, 16);
}
function third(bytes: v128): v128 {
  return i8x16.shuffle(bytes, i32x4.splat(0), 6, 16, 16, 16, 7, 16, 16, 16, 8, 16, 16, 16, 16, 16, 16, 16);
}
function fourth(bytes: v128): v128 {
  return i8x16.shuffle(bytes, i32x4.splat(0), 9, 16, 16, 16, 10, 16, 16, 16, 11, 16, 16, 16, 16, 16, 16, 16);
}

/** The three bytes of a pixel: narrowing cuts off at 0 and 255. */
function write(out: usize, sum: v128): void {
  const words = i16x8.narrow_i32x4_s(i32x4.shr_s(sum, PRECISION), sum);
  const pixel = i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0);
  store<u16>(out, <u16>pixel);
  store<u8>(out + 2, <u8>(pixel >> 16));
}

/**
 * Each row made as long as there are weights; three channels. `starts` and `counts` say for each place of a row which pixels
 * it is made of, `weights` has `most` for each. Two rows at once share them; the last of an odd number is done twice.
 * Reads up to 16 bytes past the end.
 */
export function rowsOfColours(
  source: usize,
  stride: usize,
  height: i32,
  out: usize,
  width: usize,
  starts: usize,
  counts: usize,
  weights: usize,
  most: usize,
): void {
  const length = width * 3;
  for (let y = 0; y < height; y += 2, source += stride * 2, out += length * 2) {
    const isLast = y + 1 === height;
    const below = isLast ? 0 : stride;
    const outBelow = out + (isLast ? 0 : length);
    for (let x: usize = 0; x < width; x++) {
      let from = source + <usize>load<i32>(starts + (x << 2)) * 3;
      let weight = weights + ((x * most) << 2);
      let left = load<i32>(counts + (x << 2));
      let a = i32x4.splat(HALF);
      let b = a;
      for (; left >= 4; left -= 4, from += 12, weight += 16) {
        const upper = v128.load(from);
        const lower = v128.load(from + below);
        const first4 = v128.load32_splat(weight, 0);
        const second4 = v128.load32_splat(weight, 4);
        const third4 = v128.load32_splat(weight, 8);
        const fourth4 = v128.load32_splat(weight, 12);
        a = i32x4.add(a, i32x4.mul(first(upper), first4));
        b = i32x4.add(b, i32x4.mul(first(lower), first4));
        a = i32x4.add(a, i32x4.mul(second(upper), second4));
        b = i32x4.add(b, i32x4.mul(second(lower), second4));
        a = i32x4.add(a, i32x4.mul(third(upper), third4));
        b = i32x4.add(b, i32x4.mul(third(lower), third4));
        a = i32x4.add(a, i32x4.mul(fourth(upper), fourth4));
        b = i32x4.add(b, i32x4.mul(fourth(lower), fourth4));
      }
      for (; left > 0; left--, from += 3, weight += 4) {
        const by = v128.load32_splat(weight);
        a = i32x4.add(a, i32x4.mul(first(v128.load32_zero(from)), by));
        b = i32x4.add(b, i32x4.mul(first(v128.load32_zero(from + below)), by));
      }
      write(out + x * 3, a);
      write(outBelow + x * 3, b);
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
