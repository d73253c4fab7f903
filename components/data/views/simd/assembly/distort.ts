/** Halves of degrees in a turn. */
const TURN: i32 = 180;
/** How hues become sixths of a turn, and bytes shares, as OpenCV has them in float32. */
const SIXTHS: f32 = 6.0 / 180.0;
const SHARE: f32 = 1.0 / 255.0;

/** 255 / value and 30 / range are whole numbers of 2 ** -12 (OpenCV's RGB2HSV_b). */
const SHIFT: i32 = 12;
const HALF: i32 = 1 << (SHIFT - 1);
const PER_VALUE: f32 = 1044480;
const PER_RANGE: f32 = 122880;

/** Added to a whole number below 2 ** 23, the number's bits are the lowest of the sum. */
const BITS: f32 = 8388608;

/** Bytes of a step: its kind (i32), two numbers (f32). */
const STEP: usize = 12;
const BYTES: i32 = 0;
const SATURATION: i32 = 1;

/** x * factor + plus, cut off to whole numbers from 0 to 255. */
function converted(x: v128, factor: v128, plus: v128): v128 {
  const moved = f32x4.add(f32x4.mul(x, factor), plus);
  return f32x4.trunc(f32x4.pmin(f32x4.pmax(moved, f32x4.splat(0)), f32x4.splat(255)));
}

/** `whole / by` as whole numbers; where `by` is 0, the largest. */
function quotients(whole: f32, by: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(f32x4.splat(whole), by)));
}

/** x * y in the units of the quotients, rounded. */
function scaled(x: v128, y: v128): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.mul(i32x4.trunc_sat_f32x4_s(x), y), i32x4.splat(HALF)), SHIFT);
}

/** Hues from 0 to 179, turned. */
function hues(red: v128, green: v128, blue: v128, value: v128, range: v128, turn: i32): v128 {
  const twice = f32x4.add(range, range);
  const fromRed = f32x4.sub(green, blue);
  const fromGreen = f32x4.add(f32x4.sub(blue, red), twice);
  const fromBlue = f32x4.add(f32x4.sub(red, green), f32x4.add(twice, twice));
  const others = v128.bitselect(fromGreen, fromBlue, f32x4.eq(value, green));
  const towards = v128.bitselect(fromRed, others, f32x4.eq(value, red));
  const hue = i32x4.add(scaled(towards, quotients(PER_RANGE, range)), i32x4.splat(turn));
  const whole = i32x4.splat(TURN);
  const above = i32x4.add(hue, v128.and(whole, i32x4.lt_s(hue, i32x4.splat(0))));
  return i32x4.sub(above, v128.and(whole, i32x4.ge_s(above, whole)));
}

/** The upper two of four numbers as doubles. */
function upper(x: v128): v128 {
  return f64x2.promote_low_f32x4(i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
}

/** value * (1 - share * rest) as bytes: OpenCV fuses the difference with its product, which is exact in doubles. */
function darkened(value: v128, share: v128, rest: v128): v128 {
  const one = f64x2.splat(1);
  const low = f64x2.mul(f64x2.promote_low_f32x4(share), f64x2.promote_low_f32x4(rest));
  const high = f64x2.mul(upper(share), upper(rest));
  const factor = i8x16.shuffle(
    f32x4.demote_f64x2_zero(f64x2.sub(one, low)),
    f32x4.demote_f64x2_zero(f64x2.sub(one, high)),
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    16,
    17,
    18,
    19,
    20,
    21,
    22,
    23,
  );
  return f32x4.trunc(f32x4.mul(f32x4.mul(value, factor), f32x4.splat(255)));
}

/** `full` in some sixths of a turn, `between` in others, else `low`; both by masks of the six, -1 or 0. */
function channel(sixths: v128, full: v128, between: v128, low: v128, isFull: v128, isBetween: v128): v128 {
  const rest = v128.bitselect(between, low, i8x16.swizzle(isBetween, sixths));
  return v128.bitselect(full, rest, i8x16.swizzle(isFull, sixths));
}

/**
 * A picture of three channels whose pixels went through steps: of bytes (x * factor + plus), of the saturation (by a factor) or of
 * the hue (turned by whole numbers), the latter two by HSV and back, as `cvtColor` of OpenCV 4 has them on x86. Writes up to 13
 * bytes past the end, and reads as many.
 */
export function distort(source: usize, pixels: i32, out: usize, steps: usize, count: usize): void {
  const none = i32x4.splat(0);
  const bits = f32x4.splat(BITS);
  const end = steps + count * STEP;
  for (let left = pixels; left > 0; left -= 4, source += 12, out += 12) {
    // Four pixels, a channel in each.
    const bytes = v128.load(source);
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
      const kind = load<i32>(step);
      const factor = v128.load32_splat(step, 4);
      if (kind === BYTES) {
        const plus = v128.load32_splat(step, 8);
        red = converted(red, factor, plus);
        green = converted(green, factor, plus);
        blue = converted(blue, factor, plus);
        continue;
      }
      const value = f32x4.pmax(f32x4.pmax(red, green), blue);
      const range = f32x4.sub(value, f32x4.pmin(f32x4.pmin(red, green), blue));
      let saturation = f32x4.convert_i32x4_s(scaled(range, quotients(PER_VALUE, value)));
      if (kind === SATURATION) saturation = converted(saturation, factor, f32x4.splat(0));
      const turn = kind === SATURATION ? 0 : <i32>load<f32>(step, 4);
      const turned = f32x4.mul(
        f32x4.convert_i32x4_s(hues(red, green, blue, value, range, turn)),
        f32x4.splat(SIXTHS),
      );
      const floor = f32x4.floor(turned);
      const sector = i32x4.trunc_sat_f32x4_s(floor);
      const past = f32x4.sub(turned, floor);
      const isOdd = i32x4.eq(v128.and(sector, i32x4.splat(1)), i32x4.splat(1));
      const rest = v128.bitselect(past, f32x4.sub(f32x4.splat(1), past), isOdd);
      const share = f32x4.mul(saturation, f32x4.splat(SHARE));
      const light = f32x4.mul(value, f32x4.splat(SHARE));
      const low = darkened(light, share, f32x4.splat(1));
      const between = darkened(light, share, rest);
      const sixths = i32x4.mul(sector, i32x4.splat(0x01010101));
      red = channel(
        sixths,
        value,
        between,
        low,
        i8x16(-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        i8x16(0, -1, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      );
      green = channel(
        sixths,
        value,
        between,
        low,
        i8x16(0, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        i8x16(-1, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      );
      blue = channel(
        sixths,
        value,
        between,
        low,
        i8x16(0, 0, 0, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        i8x16(0, 0, -1, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      );
    }
    const r = f32x4.add(red, bits);
    const g = f32x4.add(green, bits);
    const b = f32x4.add(blue, bits);
    const rg = i8x16.shuffle(r, g, 0, 16, 0, 4, 20, 0, 8, 24, 0, 12, 28, 0, 0, 0, 0, 0);
    v128.store(out, i8x16.shuffle(rg, b, 0, 1, 16, 3, 4, 20, 6, 7, 24, 9, 10, 28, 0, 0, 0, 0));
  }
}
