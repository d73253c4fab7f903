import {
  activationCounts,
  attentionCounts,
  type Counts,
  convCounts,
  normCounts,
  nothing,
  repeated,
  sumOf,
} from '../../nn/costs.ts';
import { type NetworkOptions, SMALL_WIDTH, smallWidths, type VqganOptions, vqganWidths } from './options.ts';

/** What an encoder and a decoder cost for one image. */
export interface NetworkCounts {
  readonly encoder: Counts;
  readonly decoder: Counts;
  /** FLOPs of the encoder's first convolution, whose input needs no gradient. */
  readonly first: Counts;
}

/** What goes through the middle: channels that the encoder gives and that the decoder takes. */
export interface Bottleneck {
  readonly outputs: number;
  readonly inputs: number;
}

/** @param size height and width of the images */
export function networkCounts(options: NetworkOptions, size: number, ends: Bottleneck): NetworkCounts {
  const { vqgan, residualBlocks } = options;
  return vqgan ? vqganCounts({ ...vqgan, residualBlocks }, size, ends) : smallCounts(options, size, ends);
}

function vqganCounts(options: VqganOptions, size: number, { outputs, inputs }: Bottleneck): NetworkCounts {
  const { channels, latent, residualBlocks, attention } = options;
  const widths = vqganWidths(options);
  const lowest = widths.length - 1;
  const sideOf = (level: number) => size / 2 ** level;
  const [lowestWidth, lowestSide] = [widths[lowest], sideOf(lowest)];
  const level = (at: number, from: number, count: number) =>
    sumOf([
      residualCounts(sideOf(at), from, widths[at]),
      repeated(count - 1, residualCounts(sideOf(at), widths[at], widths[at])),
      attention && at === lowest ? repeated(count, imageAttention(sideOf(at), widths[at])) : nothing,
    ]);
  const down = (at: number) =>
    at === lowest ? nothing : square(sideOf(at + 1), 3, widths[at], widths[at], 2);
  const up = (at: number) => (at === 0 ? nothing : upsampledCounts(sideOf(at), widths[at]));
  const middle = sumOf([
    repeated(2, residualCounts(lowestSide, lowestWidth, lowestWidth)),
    imageAttention(lowestSide, lowestWidth),
  ]);
  const first = square(size, 3, 3, channels);
  return {
    first,
    encoder: sumOf([
      first,
      ...widths.flatMap((_, at) => [level(at, widths[at - 1] ?? channels, residualBlocks), down(at)]),
      middle,
      activated(lowestSide, lowestWidth),
      square(lowestSide, 3, lowestWidth, latent),
      square(lowestSide, 1, latent, outputs),
    ]),
    decoder: sumOf([
      square(lowestSide, 1, inputs, latent),
      square(lowestSide, 3, latent, lowestWidth),
      middle,
      ...widths.flatMap((_, at) => [level(at, widths[at + 1] ?? lowestWidth, residualBlocks + 1), up(at)]),
      activated(size, widths[0]),
      square(size, 3, widths[0], 3),
    ]),
  };
}

function smallCounts(options: NetworkOptions, size: number, { outputs, inputs }: Bottleneck): NetworkCounts {
  const { width = SMALL_WIDTH, residualBlocks } = options;
  const widths = smallWidths({ ...options, width });
  const lowestSide = size / 2 ** widths.length;
  const blocks = repeated(residualBlocks, residualCounts(lowestSide, width, width));
  const first = square(size / 2, 4, 3, widths[0], 2);
  const down = widths.slice(1).map((to, i) => square(size / 2 ** (i + 2), 4, widths[i], to, 2));
  const up = widths.map((from, i) => square(size / 2 ** (i + 1), 3, from, 4 * (widths[i - 1] ?? 3)));
  const silus = (numbers: readonly number[]) =>
    activationCounts(numbers.reduce((sum, channels, i) => sum + channels * (size / 2 ** (i + 1)) ** 2, 0));
  return {
    first,
    encoder: sumOf([
      first,
      ...down,
      silus(widths.slice(0, -1)),
      blocks,
      activated(lowestSide, width),
      square(lowestSide, 1, width, outputs),
    ]),
    decoder: sumOf([
      square(lowestSide, 3, inputs, width),
      blocks,
      normCounts({ rows: lowestSide ** 2, width }),
      silus(widths),
      ...up,
    ]),
  };
}

/** A convolution of square images; `side` is that of its output. */
const square = (side: number, size: number, inputs: number, outputs: number, stride = 1) =>
  convCounts({ height: side, width: side, size, inputs, outputs, stride });

/** Normalised, then swish. */
const activated = (side: number, width: number) =>
  sumOf([normCounts({ rows: side ** 2, width }), activationCounts(2 * side ** 2 * width)]);

function residualCounts(side: number, from: number, to: number): Counts {
  return sumOf([
    activated(side, from),
    square(side, 3, from, to),
    activated(side, to),
    square(side, 3, to, to),
    from === to ? nothing : square(side, 1, from, to),
  ]);
}

/** With a bias for keys, too. */
function imageAttention(side: number, width: number): Counts {
  const rows = side ** 2;
  return sumOf([
    normCounts({ rows, width }),
    attentionCounts({ tokens: rows, dim: width, heads: 1, keyBias: true }),
  ]);
}

/** Four 2x2 convolutions for a 3x3 one of the enlarged image: see `upsampledConv`. */
function upsampledCounts(side: number, width: number): Counts {
  const { parameters } = square(side, 3, width, width);
  const { flops, kept } = square(side, 2, width, width);
  return { parameters, flops: 4 * flops, kept };
}
