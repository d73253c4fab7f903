import type { Costs, Flops } from '../../framework/stage/costs.ts';
import { trainingBytes } from '../nn/costs.ts';
import { planTraining, type Recipe } from './recipe.ts';

/** What one image costs a training, as far as the model says. */
export interface ImageCosts {
  /** Numbers that are trained. */
  readonly parameters: number;
  /** All that is computed with an image once, forward and backward, frozen networks included. */
  readonly flops: Flops;
  /** Numbers that the forward pass of an image leaves behind for the backward pass. */
  readonly kept: number;
  /** Numbers of frozen networks. */
  readonly frozen?: number;
}

/**
 * Costs of a training by a recipe.
 *
 * @param images that it learns from, where that is known: what epochs are counted in
 */
export function trainingCosts(
  recipe: Recipe,
  images: number | undefined,
  { parameters, flops, kept, frozen = 0 }: ImageCosts,
): Costs {
  const shown = imagesShown(recipe, images);
  const { batchSize, microBatch = batchSize, average } = recipe;
  // A moving average of the weights is state, too: two copies.
  const held = frozen + (average === undefined ? 0 : 2 * parameters);
  return {
    parameters,
    flops,
    ...(shown === undefined ? {} : { images: shown }),
    memory: trainingBytes({ parameters, kept }, microBatch) + 4 * held,
  };
}

/** Images that a training shows in all: its steps times its batch. Undefined for epochs of an unknown number of images. */
export function imagesShown(recipe: Recipe, images: number | undefined): number | undefined {
  const { steps, batchSize } = recipe;
  if (steps !== undefined) return steps * batchSize;
  return images === undefined ? undefined : planTraining(recipe, images).steps * batchSize;
}
