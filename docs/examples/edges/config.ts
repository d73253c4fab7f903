import { defineComponent } from 'peco-exp';
import { z } from 'zod';

/** A perceptual network without training: edges of the grey image. No `run`, so it is no stage but a leaf. */
export const edges = defineComponent({
  role: 'network',
  kind: 'edges',
  schema: z.strictObject({}),
  load: new URL('./load.ts', import.meta.url).href,
  // The layers that `loss.perceptual.layers` may name; others are refused with a suggestion.
  offers: ['fine', 'coarse'],
});
