import type { WiredInputs } from '../../../framework/stage/component.ts';
import type { Costs } from '../../../framework/stage/costs.ts';
import { factOf } from '../../../framework/stage/expect.ts';
import type { VitConfig } from '../../backbone/config.ts';
import { backboneOf, headCounts, keptOnTheWay, vitCounts } from '../../backbone/costs.ts';
import { type Counts, sumOf, trainingFlops } from '../../nn/costs.ts';
import type { Checkpoint } from '../../training/checkpoint-config.ts';
import { validatedCosts } from '../../training/costs.ts';
import type { Recipe } from '../../training/recipe.ts';

interface FineTuning extends Recipe {
  readonly backbone?: VitConfig | undefined;
  readonly labels?: number | undefined;
  readonly checkpoint: Checkpoint;
  readonly view: { readonly size?: number | undefined };
}

/** What is trained: the backbone with a table of relative positions a block, a norm, and a head over the mean. */
export function classifierCounts(
  backbone: VitConfig,
  { imageSize, classes }: { readonly imageSize: number; readonly classes: number },
): { readonly first: Counts; readonly all: Counts } {
  const { first, body } = vitCounts(backbone, { imageSize, ownTables: true });
  return { first, all: sumOf([body, headCounts(backbone, 1, classes)]) };
}

/** The training; looking at the test split once takes little beside it. */
export function costs(config: FineTuning, { train, pretrained }: WiredInputs): Costs | undefined {
  const backbone = backboneOf(config.backbone, pretrained);
  const imageSize = config.view.size ?? factOf(train, 'size');
  const classes = factOf(train, 'classes');
  if (!backbone || imageSize === undefined || classes === undefined) return undefined;
  const { first, all } = classifierCounts(backbone, { imageSize, classes });
  return validatedCosts(config, config.labels ?? factOf(train, 'images'), {
    parameters: all.parameters,
    flops: { dense: trainingFlops(all, first) },
    forward: { dense: all.flops },
    kept: keptOnTheWay(all),
  });
}
