import { vitSchema } from '../backbone/config.ts';
import { average, dropPath, layerDecay, noDecay } from '../training/recipe.ts';
import { ownData } from './own-data.ts';

/**
 * Fields of every task that trains the whole backbone; spread into its schema.
 *
 * @param recipe of `defineRecipe`
 * @param decay the default of `layerDecay`
 */
export function trainedTask<Fields extends object>(recipe: { readonly fields: Fields }, decay: number) {
  return {
    ...ownData,
    /** Needed only where there is no pretraining, in the scratch row; otherwise the pretrained backbone is taken. */
    backbone: vitSchema.optional(),
    ...recipe.fields,
    noDecay,
    dropPath,
    layerDecay: layerDecay.default(decay),
    average,
  };
}
