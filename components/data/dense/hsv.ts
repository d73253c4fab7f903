const { fround } = Math;

/** Halves of degrees in a turn. */
const TURN = 180;

const SHIFT = 12;
const HALF = 1 << (SHIFT - 1);

/** 255 / value and 30 / range, as whole numbers of 2 ** -12: OpenCV's RGB2HSV_b (modules/imgproc/src/color_hsv). */
const perValue = reciprocals(255);
const perRange = reciprocals(TURN / 6);

function reciprocals(of: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, n) => (n === 0 ? 0 : Math.round((of * (1 << SHIFT)) / n)));
}

const toShare = fround(1 / 255);

/** 0 to 1 of each byte. */
const shares = Float32Array.from({ length: 256 }, (_, byte) => fround(byte * toShare));

/** Sixth of a turn that a hue is in, and how far in it. */
const turns = Float32Array.from({ length: TURN }, (_, hue) => fround(hue * fround(6 / TURN)));
const sectors = Uint8Array.from(turns, Math.floor);
const rests = Float32Array.from(turns, (turned, hue) => turned - sectors[hue]!);

export interface HsvChange {
  /** 256 bytes: what becomes of each saturation. */
  readonly saturations?: Uint8Array;
  /** Added to the hue, in halves of degrees. */
  readonly turn?: number;
}

/**
 * Changes saturations or hues of a picture [..., 3] of red, green and blue, in place: to HSV and back by the numbers of
 * `cvtColor` of OpenCV 4, whose way back cuts off and fuses products with sums on x86 (the last pixels of a row it rounds).
 */
export function changeHsv(picture: Uint8Array, { saturations, turn = 0 }: HsvChange): void {
  for (let at = 0; at < picture.length; at += 3) {
    const red = picture[at]!;
    const green = picture[at + 1]!;
    const blue = picture[at + 2]!;
    const value = red > green ? (red > blue ? red : blue) : green > blue ? green : blue;
    const least = red < green ? (red < blue ? red : blue) : green < blue ? green : blue;
    const range = value - least;
    // Of greys nothing changes.
    if (range === 0) continue;
    const plain = (range * perValue[value]! + HALF) >> SHIFT;
    const share = shares[saturations ? saturations[plain]! : plain]!;
    const towards =
      value === red ? green - blue : value === green ? blue - red + 2 * range : red - green + 4 * range;
    let hue = ((towards * perRange[range]! + HALF) >> SHIFT) + turn;
    if (hue < 0) hue += TURN;
    else if (hue >= TURN) hue -= TURN;
    write(picture, at, hue, share, shares[value]!);
  }
}

/** HSV2RGB_simd: the products that it fuses are exact in doubles. */
function write(picture: Uint8Array, at: number, hue: number, share: number, value: number): void {
  const sector = sectors[hue]!;
  const rest = rests[hue]!;
  const full = toByte(value);
  const low = toByte(fround(value * fround(1 - share)));
  const between = toByte(fround(value * fround(1 - share * (sector & 1 ? rest : fround(1 - rest)))));
  if (sector === 0) put(picture, at, full, between, low);
  else if (sector === 1) put(picture, at, between, full, low);
  else if (sector === 2) put(picture, at, low, full, between);
  else if (sector === 3) put(picture, at, low, between, full);
  else if (sector === 4) put(picture, at, between, low, full);
  else put(picture, at, full, low, between);
}

function put(picture: Uint8Array, at: number, red: number, green: number, blue: number): void {
  picture[at] = red;
  picture[at + 1] = green;
  picture[at + 2] = blue;
}

function toByte(share: number): number {
  return Math.trunc(fround(share * 255));
}
