import type { z } from 'zod';
import type { viewSchema } from './view.ts';

type ViewInput = z.input<typeof viewSchema>;

/**
 * What BEiT's pretraining sees of an image (microsoft/unilm, beit/datasets.py): jittered colours, mirrored or not, a random part
 * of 8 to 100 % of its area at `size`, by bicubic interpolation. The tokenizer's picture of another size is
 * `maskedImageModelling({ tokens })`.
 */
export function beitPretrainingView({ size = 224 }: { readonly size?: number } = {}): ViewInput {
  return { crop: { kind: 'random-resized' }, flip: 0.5, jitter: 0.4, size, interpolation: 'bicubic' };
}

/**
 * What BEiT's fine-tuning sees of an image (microsoft/unilm, beit/datasets.py, by timm's create_transform): a random part of 8 to
 * 100 % of its area, mirrored or not, RandAugment, random erasing. Its `--color_jitter 0.4` has no effect there: timm leaves the
 * jitter out where there is RandAugment.
 */
export function beitFineTuningView({ size = 224 }: { readonly size?: number } = {}): ViewInput {
  return {
    crop: { kind: 'random-resized' },
    flip: 0.5,
    randAugment: 'rand-m9-mstd0.5-inc1',
    erasing: 0.25,
    size,
    interpolation: 'bicubic',
  };
}
