import type { Costs, UseCosts } from '../../../framework/stage/costs.ts';
import { activationCounts, convCounts, denseCounts, sumOf, trainingFlops } from '../../nn/costs.ts';
import { imagesShown, trainingCosts } from '../../training/costs.ts';
import type { Recipe } from '../../training/recipe.ts';
import { type VggArchitecture, vggConvolutions } from './architecture.ts';

/** All convolutions of a network, and what a forward pass of an image of so many pixels a side takes. */
export function vggUse(architecture: VggArchitecture, size: number): UseCosts {
  let side = size;
  const layers = vggConvolutions(architecture).flatMap(({ inputs, outputs, pooled }) => {
    if (pooled) side = Math.floor(side / 2);
    return [
      convCounts({ height: side, width: side, size: 3, inputs, outputs }),
      activationCounts(side ** 2 * outputs),
    ];
  });
  const { parameters, flops, kept } = sumOf(layers);
  return { parameters, flops: { conv: flops }, activations: 4 * kept };
}

interface Learning extends VggArchitecture, Recipe {
  readonly objective: 'supervised' | 'contrastive' | 'rotations';
  readonly contrast?: { readonly dim: number } | undefined;
}

/** What is known of the data: pixels a side as they are seen, images to learn from, answers. */
interface Known {
  readonly size: number | undefined;
  readonly images: number | undefined;
  readonly classes: number | undefined;
}

/** Of the training, of which a contrastive one takes two views of each image. Images that are held out are not counted. */
export function vggCosts(config: Learning, { size, images, classes }: Known): Costs {
  const isContrastive = config.objective === 'contrastive';
  if (config.steps === 0) return { parameters: 0 };
  const layers = vggConvolutions(config);
  const width = layers[layers.length - 1].outputs;
  const dense = (outputs: number) => denseCounts({ rows: 1, inputs: width, outputs });
  const head =
    isContrastive && config.contrast
      ? sumOf([dense(width), dense(config.contrast.dim)])
      : classes === undefined
        ? undefined
        : dense(classes);
  const use = vggUse(config, size ?? 0);
  const parameters = head === undefined ? undefined : use.parameters + head.parameters;
  if (size === undefined || head === undefined || parameters === undefined) {
    const shown = imagesShown(config, images);
    return {
      ...(parameters === undefined ? {} : { parameters }),
      ...(shown === undefined ? {} : { images: shown }),
    };
  }
  const [{ inputs, outputs }] = layers;
  const first = convCounts({ height: size, width: size, size: 3, inputs, outputs });
  const views = isContrastive ? 2 : 1;
  const flops = {
    conv: views * trainingFlops({ flops: use.flops.conv ?? 0 }, first),
    dense: views * trainingFlops(head),
  };
  return trainingCosts(config, images, {
    parameters,
    flops,
    kept: views * (use.activations / 4 + head.kept),
  });
}
