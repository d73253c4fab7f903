import { addFlops, type Costs, type Flops, scaleFlops } from '../../framework/stage/costs.ts';
import { trainingBytes } from '../nn/costs.ts';
import { type Checkpoint, countValidation } from './checkpoint-config.ts';
import { countSteps, planTraining, type Recipe } from './recipe.ts';

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

/**
 * Costs of a training that may hold images out and look at them; those of `trainingCosts` where it doesn't.
 *
 * @param images all that it has, where that is known
 * @param forward of an image's forward pass
 */
export function validatedCosts(
  recipe: Recipe & { readonly checkpoint: Checkpoint },
  images: number | undefined,
  costs: ImageCosts & { readonly forward: Flops },
): Costs {
  const { checkpoint } = recipe;
  if (checkpoint === 'last') return trainingCosts(recipe, images, costs);
  const held = images === undefined ? 0 : countValidation(checkpoint, images);
  const learnt = images === undefined ? undefined : images - held;
  const plain = trainingCosts(recipe, learnt, costs);
  // The best weights, and those that are looked at.
  const memory = (plain.memory ?? 0) + 8 * costs.parameters;
  if (plain.images === undefined || learnt === undefined) return { ...plain, memory };
  const steps = plain.images / recipe.batchSize;
  const looks = Math.ceil(steps / countSteps(recipe, learnt, checkpoint.validation.every));
  const share = (looks * held) / plain.images;
  return { ...plain, memory, flops: addFlops(costs.flops, scaleFlops(costs.forward, share)) };
}
