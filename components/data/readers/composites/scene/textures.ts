import { type Random, random } from '../../../../nn/random.ts';

/** Numbers that all scenes share, so that drawing some for each pixel costs no more than a look: uniform in [0, 1). */
const tableSize = 2 ** 16;
const wrap = tableSize - 1;

let uniforms: Float32Array | undefined;

function uniformTable(): Float32Array {
  uniforms ??= random(0, 'composites', 'uniform').fillUniform(new Float32Array(tableSize));
  return uniforms;
}

/**
 * Bands of what a texture's look depends on, its fineness and its direction: `of` bands side by side, of which a split has
 * those whose number modulo `every` is in `own`. So no test texture looks quite like a training one.
 */
const bands = { of: 24, every: 6, own: { train: [0, 1, 3, 4], validation: [2], test: [5] } } as const;

/** A number in [0, 1) within the bands of a split. */
export function inBand(split: keyof typeof bands.own, draw: Random): number {
  const own = bands.own[split];
  const group = draw.int(bands.of / bands.every);
  const band = group * bands.every + own[draw.int(own.length)]!;
  return (band + draw.uniform()) / bands.of;
}

/** What a texture looks like: shares in [0, 1), and where it begins in the table. */
interface Look {
  readonly size: number;
  /** Pixels of its grain: waves, cells, tiles. */
  readonly grain: number;
  readonly cos: number;
  readonly sin: number;
  readonly start: number;
  /** Any number in [0, 1) that a kind of texture uses as it likes. */
  readonly other: number;
}

/** Part of a scene, in pixels: only there a texture is computed. */
export interface Part {
  readonly left: number;
  readonly top: number;
  /** Before these. */
  readonly right: number;
  readonly bottom: number;
}

type Texture = (look: Look, out: Float32Array, part: Part) => void;

const kinds: readonly Texture[] = [noise, cloud, stripes, tiles, dots, cells, weave, ridges];

/** Fills a part of `out`, `[size, size]`, with a texture of values in [0, 1]. */
export function drawTexture(
  split: keyof typeof bands.own,
  size: number,
  draw: Random,
  out: Float32Array,
  part: Part,
): void {
  const texture = kinds[draw.int(kinds.length)]!;
  const angle = Math.PI * inBand(split, draw);
  const look: Look = {
    size,
    // From 1/32 to 1/3 of the side, at least two pixels.
    grain: Math.max(2, (size / 32) * (32 / 3) ** inBand(split, draw)),
    cos: Math.cos(angle),
    sin: Math.sin(angle),
    start: draw.int(tableSize),
    other: draw.uniform(),
  };
  texture(look, out, part);
}

/** Numbers on a lattice, smoothly between. */
function noise({ size, grain, start }: Look, out: Float32Array, part: Part): void {
  layNoise(out, { size, part, grain, start, weight: 1, base: 0 });
}

/** The same in two sizes, the finer one weaker. */
function cloud({ size, grain, start }: Look, out: Float32Array, part: Part): void {
  layNoise(out, { size, part, grain: grain * 2, start, weight: 0.6, base: 0 });
  layNoise(out, { size, part, grain: grain / 1.5, start: start + 7919, weight: 0.4, base: 1 });
}

function ridges({ size, grain, start }: Look, out: Float32Array, part: Part): void {
  layNoise(out, { size, part, grain: 2 * grain, start, weight: 1, base: 0 });
  const { left, top, right, bottom } = part;
  for (let y = top; y < bottom; y++) {
    for (let at = y * size + left; at < y * size + right; at++)
      out[at] = Math.min(1, 4 * Math.abs(out[at]! - 0.5));
  }
}

interface Noise {
  readonly size: number;
  readonly part: Part;
  readonly grain: number;
  readonly start: number;
  readonly weight: number;
  /** What is there already counts so much. */
  readonly base: number;
}

function layNoise(out: Float32Array, { size, part, grain, start, weight, base }: Noise): void {
  const table = uniformTable();
  const across = Math.ceil(size / grain) + 2;
  const { left, top, right, bottom } = part;
  for (let y = top; y < bottom; y++) {
    const v = y / grain;
    const iv = v | 0;
    const fv = smooth(v - iv);
    const row = start + iv * across;
    // What is between two rows of the lattice, at the place before and at that behind.
    let place = -1;
    let before = 0;
    let behind = 0;
    let at = y * size + left;
    for (let x = left; x < right; x++, at++) {
      const u = x / grain;
      const iu = u | 0;
      if (iu !== place) {
        place = iu;
        const n = row + iu;
        before = table[n & wrap]! * (1 - fv) + table[(n + across) & wrap]! * fv;
        behind = table[(n + 1) & wrap]! * (1 - fv) + table[(n + across + 1) & wrap]! * fv;
      }
      const fu = smooth(u - iu);
      const value = weight * (before + (behind - before) * fu);
      out[at] = base === 0 ? value : base * out[at]! + value;
    }
  }
}

function smooth(share: number): number {
  return share * share * (3 - 2 * share);
}

/** A wave of height 1 and length 1 that is 0 at whole numbers; sharper with `edge`. */
function wave(phase: number, edge: number): number {
  const saw = phase - Math.floor(phase);
  const triangle = saw < 0.5 ? 2 * saw : 2 - 2 * saw;
  return Math.min(1, Math.max(0, (triangle - 0.5) * edge + 0.5));
}

function stripes({ size, grain, cos, sin, start, other }: Look, out: Float32Array, part: Part): void {
  layNoise(out, { size, part, grain: 4 * grain, start, weight: 2 * other, base: 0 });
  const edge = 1 + 5 * other;
  const { left, top, right, bottom } = part;
  for (let y = top; y < bottom; y++) {
    let at = y * size + left;
    for (let x = left; x < right; x++, at++) {
      out[at] = wave((x * cos + y * sin) / (2 * grain) + out[at]!, edge);
    }
  }
}

function weave({ size, grain, cos, sin, other }: Look, out: Float32Array, part: Part): void {
  const { left, top, right, bottom } = part;
  for (let y = top; y < bottom; y++) {
    let at = y * size + left;
    for (let x = left; x < right; x++, at++) {
      const warp = wave((x * cos + y * sin) / (2 * grain), 2);
      const weft = wave((y * cos - x * sin) / (2 * grain) + other, 2);
      out[at] = (warp + weft) / 2;
    }
  }
}

function tiles({ size, grain, cos, sin, start, other }: Look, out: Float32Array, part: Part): void {
  const table = uniformTable();
  const { left, top, right, bottom } = part;
  for (let y = top; y < bottom; y++) {
    let at = y * size + left;
    for (let x = left; x < right; x++, at++) {
      const u = Math.floor((x * cos + y * sin) / (2 * grain) + 64);
      const v = Math.floor((y * cos - x * sin) / (2 * grain) + 64);
      const shade = table[(start + u * 131 + v) & wrap]!;
      out[at] = other < 0.5 ? (u + v) & 1 : shade;
    }
  }
}

function dots({ size, grain, cos, sin, start, other }: Look, out: Float32Array, part: Part): void {
  const table = uniformTable();
  const { left, top, right, bottom } = part;
  for (let y = top; y < bottom; y++) {
    let at = y * size + left;
    for (let x = left; x < right; x++, at++) {
      const u = (x * cos + y * sin) / (2 * grain) + 64;
      const v = (y * cos - x * sin) / (2 * grain) + 64;
      const iu = u | 0;
      const iv = v | 0;
      const radius = 0.2 + 0.3 * (other < 0.5 ? other : table[(start + iu * 131 + iv) & wrap]!);
      const du = u - iu - 0.5;
      const dv = v - iv - 0.5;
      out[at] = Math.min(1, Math.max(0, 0.5 + 6 * (radius - Math.sqrt(du * du + dv * dv))));
    }
  }
}

/** Regions of the nearest of a few points, each of one shade. */
function cells({ size, grain, start }: Look, out: Float32Array, part: Part): void {
  const table = uniformTable();
  const side = Math.max(2, Math.min(5, Math.round(size / grain / 4)));
  const cell = size / side;
  const xs = new Float32Array((side + 2) ** 2);
  const ys = new Float32Array((side + 2) ** 2);
  for (let n = 0; n < xs.length; n++) {
    xs[n] = ((n % (side + 2)) - 1 + table[(start + 2 * n) & wrap]!) * cell;
    ys[n] = (Math.floor(n / (side + 2)) - 1 + table[(start + 2 * n + 1) & wrap]!) * cell;
  }
  const { left, top, right, bottom } = part;
  for (let y = top; y < bottom; y++) {
    const row = Math.floor(y / cell) * (side + 2);
    let at = y * size + left;
    for (let x = left; x < right; x++, at++) {
      const corner = row + ((x / cell) | 0);
      let best = size * size;
      let nearest = corner;
      for (let below = corner; below <= corner + 2 * (side + 2); below += side + 2) {
        for (let n = below; n < below + 3; n++) {
          const ex = xs[n]! - x;
          const ey = ys[n]! - y;
          const distance = ex * ex + ey * ey;
          if (distance < best) {
            best = distance;
            nearest = n;
          }
        }
      }
      out[at] = table[(start + 977 + nearest) & wrap]!;
    }
  }
}
