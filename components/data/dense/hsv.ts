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

/** Sixth of a turn that a hue is in, and how far in it; of the odd sixths, how far from their end. */
const turns = Float32Array.from({ length: TURN }, (_, hue) => fround(hue * fround(6 / TURN)));
const sectors = Uint8Array.from(turns, Math.floor);
const rests = Float32Array.from(turns, (turned, hue) => {
  const rest = fround(turned - sectors[hue]!);
  return sectors[hue]! & 1 ? rest : fround(1 - rest);
});

/** The least channel of a pixel by value and saturation: 256 for each value. */
const lows = Uint8Array.from({ length: 256 * 256 }, (_, n) =>
  toByte(fround(shares[n >> 8]! * fround(1 - shares[n & 255]!))),
);

const SAME = Uint8Array.from({ length: 256 }, (_, byte) => byte);

export interface HsvChange {
  /** 256 bytes: what becomes of each before all else. */
  readonly before?: Uint8Array | undefined;
  /** 256 bytes: what becomes of each saturation. */
  readonly saturations?: Uint8Array | undefined;
  /** Added to the hue afterwards, in halves of degrees. */
  readonly turn?: number | undefined;
}

/**
 * Changes saturations, then hues of a picture [..., 3] of red, green and blue, in place: for each change to HSV and back by the
 * numbers of `cvtColor` of OpenCV 4, whose way back cuts off and fuses products with sums on x86 (the last pixels of a row it
 * rounds).
 */
export function changeHsv(picture: Uint8Array, { before = SAME, saturations, turn }: HsvChange): void {
  for (let at = 0; at < picture.length; at += 3) {
    const red = before[picture[at]!]!;
    const green = before[picture[at + 1]!]!;
    const blue = before[picture[at + 2]!]!;
    picture[at] = red;
    picture[at + 1] = green;
    picture[at + 2] = blue;
    // Of greys nothing changes.
    if (red === green && green === blue) continue;
    if (saturations) changePixel(picture, at, saturations, 0);
    if (turn !== undefined) changePixel(picture, at, SAME, turn);
  }
}

function changePixel(picture: Uint8Array, at: number, saturations: Uint8Array, turn: number): void {
  const red = picture[at]!;
  const green = picture[at + 1]!;
  const blue = picture[at + 2]!;
  const value = red > green ? (red > blue ? red : blue) : green > blue ? green : blue;
  const least = red < green ? (red < blue ? red : blue) : green < blue ? green : blue;
  const range = value - least;
  const plain = (range * perValue[value]! + HALF) >> SHIFT;
  const saturation = saturations[plain]!;
  const towards =
    value === red ? green - blue : value === green ? blue - red + 2 * range : red - green + 4 * range;
  let hue = ((towards * perRange[range]! + HALF) >> SHIFT) + turn;
  if (hue < 0) hue += TURN;
  else if (hue >= TURN) hue -= TURN;
  // HSV2RGB_simd: the products that it fuses are exact in doubles.
  const low = lows[(value << 8) | saturation]!;
  const between = toByte(fround(shares[value]! * fround(1 - shares[saturation]! * rests[hue]!)));
  const sector = sectors[hue]!;
  picture[at] = sector === 0 || sector === 5 ? value : sector === 1 || sector === 4 ? between : low;
  picture[at + 1] = sector === 1 || sector === 2 ? value : sector === 0 || sector === 3 ? between : low;
  picture[at + 2] = sector === 3 || sector === 4 ? value : sector === 2 || sector === 5 ? between : low;
}

function toByte(share: number): number {
  return fround(share * 255) | 0;
}
