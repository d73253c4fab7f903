import { type Random, random } from '../../../../nn/random.ts';

/** Normal numbers that all scenes share: each begins at a place of its own. */
const tableSize = 2 ** 16;

let normals: Float32Array | undefined;

function normalTable(): Float32Array {
  const draw = random(0, 'composites', 'normal');
  normals ??= Float32Array.from({ length: tableSize }, () => draw.normal());
  return normals;
}

/** How a scene is lit and photographed. */
export interface Light {
  /** Brightness in the middle, and what it gains from left to right and from top to bottom. */
  readonly level: number;
  readonly across: number;
  readonly down: number;
  /** Factors of red, green and blue. */
  readonly cast: readonly [number, number, number];
  /** Standard deviation of the noise, in 255ths. */
  readonly noise: number;
  /** Where its noise begins in the table. */
  readonly start: number;
}

export function drawLight(draw: Random): Light {
  const around = (middle: number, reach: number) => middle + reach * (2 * draw.uniform() - 1);
  return {
    level: around(0.95, 0.25),
    across: around(0, 0.5),
    down: around(0, 0.5),
    cast: [around(1, 0.12), around(1, 0.12), around(1, 0.12)],
    noise: 14 * draw.uniform(),
    start: draw.int(tableSize),
  };
}

/** What a camera makes of colours `[size, size, 3]`: bytes. */
export function photograph(colours: Float32Array, size: number, light: Light): Uint8Array {
  const table = normalTable();
  const { level, across, down, cast, noise, start } = light;
  const [red, green, blue] = cast;
  const bytes = new Uint8ClampedArray(colours.length);
  const wrap = tableSize - 1;
  for (let y = 0, at = 0; y < size; y++) {
    let factor = level + down * (y / size - 0.5) - across * 0.5;
    for (let x = 0; x < size; x++, at += 3, factor += across / size) {
      const place = start + at;
      bytes[at] = colours[at]! * factor * red + noise * table[place & wrap]!;
      bytes[at + 1] = colours[at + 1]! * factor * green + noise * table[(place + 1) & wrap]!;
      bytes[at + 2] = colours[at + 2]! * factor * blue + noise * table[(place + 2) & wrap]!;
    }
  }
  return new Uint8Array(bytes.buffer);
}
