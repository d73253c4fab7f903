import type { WiredInputs } from '../../../framework/stage/component.ts';
import { addFlops, type Costs } from '../../../framework/stage/costs.ts';
import { factOf } from '../../../framework/stage/expect.ts';
import type { VitConfig } from '../../backbone/config.ts';
import { headCounts, keptOnTheWay, vitCounts } from '../../backbone/costs.ts';
import { activationCounts, type Counts, plainParameters, sumOf, trainingFlops } from '../../nn/costs.ts';
import { trainingCosts } from '../../training/costs.ts';
import type { Recipe } from '../../training/recipe.ts';
import { type MaskFields, maskingOf } from '../mask-fields.ts';

interface Pretraining extends Recipe, MaskFields {
  readonly backbone: VitConfig;
  readonly view: { readonly size?: number | undefined };
  readonly tokens?: { readonly size?: number | undefined } | undefined;
}

/** What is trained: backbone, norm, mask token, and the head over the masked patches alone. */
export function pretrainingCounts(
  backbone: VitConfig,
  { imageSize, masked, vocabulary }: { imageSize: number; masked: number; vocabulary: number },
): { readonly first: Counts; readonly all: Counts } {
  const { first, body } = vitCounts(backbone, { imageSize });
  return {
    first,
    all: sumOf([
      body,
      plainParameters(backbone.dim),
      headCounts(backbone, masked, vocabulary),
      // Logits, probabilities and targets.
      activationCounts(3 * masked * vocabulary),
    ]),
  };
}

/** The training, and the frozen tokenizer's codes of each picture. */
export function costs(config: Pretraining, { train, tokenizer }: WiredInputs): Costs | undefined {
  const { backbone, view, tokens } = config;
  const imageSize = view.size ?? factOf(train, 'size');
  const vocabulary = factOf(tokenizer, 'vocabulary');
  const stride = factOf(tokenizer, 'stride');
  const fitting = (size: number) =>
    tokens && stride !== undefined ? (size / backbone.patch) * stride : size;
  const use = imageSize === undefined ? undefined : tokenizer?.use?.(tokens?.size ?? fitting(imageSize));
  if (imageSize === undefined || vocabulary === undefined || use === undefined) return undefined;
  const masked = maskingOf(config, imageSize / backbone.patch).count;
  const { first, all } = pretrainingCounts(backbone, { imageSize, masked, vocabulary });
  return trainingCosts(config, factOf(train, 'images'), {
    parameters: all.parameters,
    flops: addFlops({ dense: trainingFlops(all, first) }, use.flops),
    kept: keptOnTheWay(all),
    frozen: use.parameters,
  });
}
