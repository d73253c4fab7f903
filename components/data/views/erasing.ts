import type { Random } from '../../nn/random.ts';
import type { Pixels, Window } from '../types.ts';
import type { Erasing } from './erasing-config.ts';

/** Which rectangle a picture loses, if any: ten attempts to find one that is smaller than the picture. */
export function drawErased(
  { probability, area, aspect }: Erasing,
  { height, width }: Pick<Pixels, 'height' | 'width'>,
  random: Random,
): Window | undefined {
  if (random.uniform() >= probability) return undefined;
  const between = ([from, to]: readonly [number, number]): number => from + (to - from) * random.uniform();
  for (let attempt = 0; attempt < 10; attempt++) {
    const pixels = between(area) * height * width;
    const ratio = Math.exp(between([Math.log(aspect[0]), Math.log(aspect[1])]));
    const h = Math.round(Math.sqrt(pixels * ratio));
    const w = Math.round(Math.sqrt(pixels / ratio));
    if (h >= height || w >= width) continue;
    return { top: random.int(height - h + 1), left: random.int(width - w + 1), height: h, width: w };
  }
  return undefined;
}

/** Fills a rectangle of a picture of three channels with noise. In place. */
export function eraseWindow(
  { bytes, width }: Pixels,
  window: Window,
  { mean, deviation }: Pick<Erasing, 'mean' | 'deviation'>,
  random: Random,
): void {
  // Made once a thread. Of bytes nothing is lost: each has its probability to 2 ** -16.
  kept ??= normalQuantiles();
  const normals = kept;
  const row = window.width * 3;
  let word = 0;
  for (let place = 0; place < window.height * row; place++) {
    // Two halves of a word: 16 bits each.
    word = place % 2 === 0 ? random.int(2 ** 32) : word >>> 16;
    const channel = place % 3;
    const value = Math.round(255 * (mean[channel]! + deviation[channel]! * normals[word & 0xffff]!));
    const y = window.top + Math.floor(place / row);
    bytes[(y * width + window.left) * 3 + (place % row)] = value < 0 ? 0 : value > 255 ? 255 : value;
  }
}

/** 65,536 normal numbers that are as likely as each other: in the middle of each part of the distribution. */
function normalQuantiles(): Float64Array {
  const quantiles = new Float64Array(2 ** 16);
  const step = 2 ** -13;
  let [normal, below] = [-6, 0];
  for (let place = 0; place < quantiles.length; place++) {
    for (; below < (place + 0.5) / quantiles.length; normal += step)
      below += (step * Math.exp(-((normal + step / 2) ** 2) / 2)) / Math.sqrt(2 * Math.PI);
    quantiles[place] = normal;
  }
  return quantiles;
}

let kept: Float64Array | undefined;
