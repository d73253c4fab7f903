import type { Pixels } from '../../../../components/data/types.ts';
import { resample } from '../../../../components/data/views/resample.ts';
import { Workspace } from '../../../../components/data/views/simd/kernels.ts';
import { Source } from '../../../../components/data/views/simd/source.ts';

/** `resample` of an image by itself. */
export function resampled(
  image: Pixels,
  ...[part, size, window, interpolation, mirrored]: Tail<Parameters<typeof resample>>
): Pixels {
  return Workspace.use((space) =>
    resample(Source.of(space, image), part, size, window, interpolation, mirrored),
  );
}

type Tail<List> = List extends [unknown, ...infer Rest] ? Rest : never;

/** As `noise` of tests/fixtures/views/make.py. */
export function noise({
  channels = 3,
  low = 0,
  high = 256,
}: {
  channels?: 1 | 3;
  low?: number;
  high?: number;
}): Pixels {
  const [height, width] = [24, 20];
  let state = 7;
  const bytes = Uint8Array.from({ length: height * width * channels }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + (((state >>> 16) * (high - low)) >>> 16);
  });
  return { bytes, height, width, channels };
}
