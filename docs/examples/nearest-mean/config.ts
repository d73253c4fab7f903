import { defineComponent } from 'peco-exp';
import { z } from 'zod';

const schema = z.strictObject({
  /** Labelled training images in all, the same number of each class. */
  labels: z.int().positive(),
});

export type NearestMeanConfig = z.output<typeof schema>;

/** Gives each test image the class whose mean feature is nearest; nothing is trained. */
export const nearestMean = defineComponent({
  role: 'downstream',
  kind: 'nearest-mean',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
});
