import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { random } from '../../../nn/random.ts';
import { decode } from '../../decode/decode.ts';
import type { Pixels, Window } from '../../types.ts';
import { resample } from '../../views/resample.ts';
import { Workspace } from '../../views/simd/kernels.ts';
import { Source } from '../../views/simd/source.ts';
import { formatOf } from '../folder.ts';
import type { CompositesSplit } from './items.ts';
import { listPhotographs } from './photographs.ts';
import type { Photograph } from './scene/compose.ts';

/** A photograph's shorter side when it is cut, in sides of the scene: what it shows is larger than a scene. */
const shorter = [1, 3] as const;

/** Decoded photographs in memory, in pixels of all. */
const mostPixels = 2 ** 24;

/** Cuts backgrounds out of photographs. Those that were shown last stay decoded. */
export function openBackgrounds(folder: string, split: CompositesSplit, size: number) {
  const names = listPhotographs(folder, split);
  const kept = new Map<string, Pixels>();
  let pixels = 0;
  const open = async (name: string): Promise<Pixels> => {
    const known = kept.get(name);
    if (known) return known;
    const file = path.join(folder, name);
    const format = formatOf(name)!;
    const decoded = await decode({ format, bytes: await readFile(file), from: file });
    const whole = { top: 0, left: 0, height: decoded.height, width: decoded.width };
    // What is cut is never finer than this, and large photographs don't fill the memory.
    const scale = Math.min(1, (shorter[1] * size) / Math.min(decoded.height, decoded.width));
    const [height, width] = [decoded.height, decoded.width].map((side) =>
      Math.max(size, Math.round(side * scale)),
    ) as [number, number];
    const small = resized(decoded, whole, height, width);
    kept.set(name, small);
    pixels += height * width;
    for (const [oldest, { height, width }] of kept) {
      if (pixels <= mostPixels || oldest === name) break;
      kept.delete(oldest);
      pixels -= height * width;
    }
    return small;
  };
  return async (seed: number, stream: readonly (string | number)[]): Promise<Photograph> => {
    const draw = random(seed, ...stream, 'background');
    const source = await open(names[draw.int(names.length)]!);
    const side = Math.min(source.height, source.width);
    const wanted = size * (shorter[0] + (side / size - shorter[0]) * draw.uniform());
    const edge = Math.max(1, Math.min(side, Math.round(wanted)));
    const window = {
      top: draw.int(source.height - edge + 1),
      left: draw.int(source.width - edge + 1),
      height: edge,
      width: edge,
    };
    return coloured(resized(source, window, size, size));
  };
}

/** Grey ones as three equal channels. */
function coloured({ bytes, channels }: Pixels): Uint8Array {
  if (channels === 3) return bytes;
  return Uint8Array.from({ length: bytes.length * 3 }, (_, at) => bytes[Math.floor(at / 3)]!);
}

function resized(pixels: Pixels, part: Window, height: number, width: number): Pixels {
  const size = { height, width };
  return Workspace.use((space) =>
    resample(Source.of(space, pixels), part, size, { top: 0, left: 0, ...size }, 'bicubic'),
  );
}
