import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { defineComponent } from '../../../framework/stage/define.ts';
import { factOf } from '../../../framework/stage/expect.ts';
import { inceptionUse } from './costs.ts';
import { INCEPTION_LAYERS } from './topology.ts';

const schema = z.strictObject({
  /**
   * Images are enlarged by this factor first. The stem has no padding and a stride of 8 until mixed0, so small
   * images shrink away: of 32x32, factor 2 leaves 29x29 at activation_3, 12x12 at activation_5 and 5x5 at the mixed
   * layers; factor 1 leaves 13x13, 4x4 and 1x1.
   */
  upsample: z.int().min(1).max(8).default(2),
  /** How that is done. */
  interpolation: z.enum(['bilinear', 'nearest']).default('bilinear'),
});

/** Pixels a side that leave one at the mixed layers: 27, 13, 11, 5, 3, 1. */
const leastSize = 27;

export type InceptionConfig = z.output<typeof schema>;

/**
 * The first 19 convolutions of InceptionV3: ImageNet-initialised, fine-tuned for content classification by the
 * authors of nsfwjs (MIT), which ships them; see NOTICE. Frozen: nothing is trained here.
 */
export const inception = defineComponent({
  role: 'network',
  kind: 'inception',
  schema,
  load: new URL('./load.ts', import.meta.url).href,
  files: () => ({ weights: fileURLToPath(new URL('./inception-stem.safetensors', import.meta.url)) }),
  expects: ({ upsample }, { train }) => {
    const size = factOf(train, 'size');
    if (size === undefined || size * upsample >= leastSize) return [];
    const hint = `the ${size} pixels of ${train!.name} would shrink away before the last layer`;
    return [{ path: ['upsample'], message: `expected at least ${Math.ceil(leastSize / size)}`, hint }];
  },
  // Pictures of a smoke run have 32 pixels a side or less.
  smoke: ({ upsample }) => ({ upsample: Math.max(upsample, 2) }),
  use: inceptionUse,
  offers: INCEPTION_LAYERS,
});
