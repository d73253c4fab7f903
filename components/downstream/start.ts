import type { StageContext } from '../../framework/stage/contract.ts';
import type { Backbone } from '../backbone/checkpoint.ts';
import type { VitConfig } from '../backbone/config.ts';
import { initVit } from '../backbone/vit.ts';
import { random } from '../nn/random.ts';

/** The pretrained backbone, or one with random weights where the variant has no pretraining. */
export async function startingBackbone(
  context: Pick<StageContext, 'inputs' | 'seed'>,
  config: { readonly backbone?: VitConfig | undefined },
  imageSize: number,
): Promise<Backbone> {
  if (context.inputs.pretrained) {
    const backbone = await context.inputs.pretrained.load<Backbone>();
    if (backbone.imageSize !== imageSize) {
      throw new Error(
        `The backbone was pretrained on images of ${backbone.imageSize} pixels but these have ${imageSize}: give both data sets the same size.`,
      );
    }
    return backbone;
  }
  if (!config.backbone) {
    throw new Error(
      'No pretraining and no `backbone` in the config: give the scratch row `backbone: vit({...})`.',
    );
  }
  const weights = initVit(random(context.seed, 'vit'), config.backbone, imageSize);
  return { config: config.backbone, imageSize, weights };
}

/** Indices of `count` images, the same number of each class, drawn by the seed. */
export function balancedSubset(labels: Int32Array, classes: number, count: number, seed: number): Int32Array {
  const perClass = Math.floor(count / classes);
  const taken = new Array<number>(classes).fill(0);
  const chosen: number[] = [];
  for (const index of random(seed, 'labelled subset').permutation(labels.length)) {
    if (taken[labels[index]] === perClass) continue;
    taken[labels[index]]++;
    chosen.push(index);
  }
  const short = taken.findIndex((n) => n < perClass);
  if (perClass === 0 || short !== -1) {
    throw new Error(
      `labels: ${count} labelled images of ${classes} classes are not there; lower \`labels\`.`,
    );
  }
  return Int32Array.from(chosen).sort();
}
