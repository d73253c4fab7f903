import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { inLanes } from '../../../components/data/ahead.ts';
import { random } from '../../../components/nn/random.ts';

const WIDTH = 500;
const HEIGHT = 375;
/** Noise of several sizes on top of each other, as textures of photographs are: pixels a cell, and how strong. */
const LAYERS = [
  [64, 127],
  [24, 60],
  [8, 40],
  [3, 30],
  [1, 20],
] as const;

/** Writes JPEG images of 500 x 375 pixels and some 90 kB (ImageNet's middle: 110 kB) to `<root>/class-<n>/<number>.jpg`. */
export async function makePhotos(root: string, count: number): Promise<void> {
  sharp.cache(false);
  for (let label = 0; label < 4; label++) await mkdir(path.join(root, `class-${label}`), { recursive: true });
  await inLanes(count, 4, async (index) => {
    const layers = await Promise.all(LAYERS.map((layer, n) => layerOf([index, n], layer)));
    const sums = new Int32Array(WIDTH * HEIGHT * 3).fill(128);
    for (const layer of layers) for (let at = 0; at < sums.length; at++) sums[at]! += layer[at]! - 128;
    const pixels = Uint8ClampedArray.from(sums);
    const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
    const jpeg = await sharp(pixels, { raw }).jpeg({ quality: 90 }).toBuffer();
    await writeFile(path.join(root, `class-${index % 4}`, `${index}.jpg`), jpeg);
  });
}

function layerOf(which: readonly number[], [cell, strength]: readonly [number, number]): Promise<Buffer> {
  const raw = { width: Math.ceil(WIDTH / cell), height: Math.ceil(HEIGHT / cell), channels: 3 } as const;
  const draw = random(0, 'photo', ...which);
  const noise = Buffer.alloc(raw.width * raw.height * 3);
  for (let at = 0; at < noise.length; at++) noise[at] = 128 + Math.round((2 * draw.uniform() - 1) * strength);
  return sharp(noise, { raw }).resize(WIDTH, HEIGHT, { kernel: 'cubic', fit: 'fill' }).raw().toBuffer();
}
