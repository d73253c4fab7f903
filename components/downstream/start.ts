import type { StageInputs } from '../../framework/stage/contract.ts';
import { StageError } from '../../framework/stage/stage-error.ts';
import type { Backbone } from '../backbone/checkpoint.ts';
import type { VitConfig } from '../backbone/config.ts';
import { initVit } from '../backbone/init.ts';
import { resizeBackbone } from '../backbone/resize.ts';
import type { Dataset } from '../data/types.ts';
import { random } from '../nn/random.ts';

/** What the inputs of a classification task load to; in the row `scratch` nothing is pretrained. */
export interface ClassificationInputs {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly pretrained?: Backbone;
}

interface Start {
  readonly inputs: Pick<StageInputs<ClassificationInputs>, 'pretrained'>;
  readonly seed: number;
}

/**
 * The pretrained backbone, its positions resized where these images have another size than those of the pretraining; or
 * one with random weights where the variant has no pretraining: those that a pretraining starts from, cut at one standard
 * deviation. BEiT's fine-tuning model starts from wider ones (deviation 0.02, not cut).
 */
export async function startingBackbone(
  { inputs, seed }: Start,
  config: { readonly backbone?: VitConfig | undefined },
  imageSize: number,
): Promise<Backbone> {
  if (inputs.pretrained) {
    const backbone = await inputs.pretrained.load();
    const { patch } = backbone.config;
    if (imageSize % patch !== 0) {
      throw new StageError(
        `images have ${imageSize} pixels a side, but the backbone's patches have ${patch}`,
        {
          hint: `give \`view.size\` a multiple of ${patch}: patches tile an image`,
        },
      );
    }
    return resizeBackbone(backbone, imageSize);
  }
  if (!config.backbone) {
    throw new StageError('there is no pretraining, and no `backbone` in the config', {
      hint: 'give the tasks of the row `scratch` a `backbone: vit({...})`',
    });
  }
  const weights = initVit(random(seed, 'vit'), config.backbone, imageSize);
  return { config: config.backbone, imageSize, weights };
}
