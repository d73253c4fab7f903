import type { Costs, UseCosts } from '../../../framework/stage/costs.ts';
import { type Counts, convCounts, sumOf, trainingFlops } from '../../nn/costs.ts';
import { imagesShown, trainingCosts } from '../../training/costs.ts';
import type { Recipe } from '../../training/recipe.ts';
import {
  type DalleForm,
  type DalleSide,
  dalleBlocks,
  groupCount,
  KERNELS,
  OUTPUT_CHANNELS,
} from './architecture.ts';

/** The residual blocks of a side, for images of `size` pixels a side. */
function blockCounts(form: DalleForm, side: DalleSide, size: number): Counts {
  const groups = groupCount(form);
  return sumOf(
    dalleBlocks(form, side).flatMap(({ group, inputs, outputs }) => {
      const halvings = side === 'encoder' ? Number(group) - 1 : groups - Number(group);
      const place = { height: size / 2 ** halvings, width: size / 2 ** halvings };
      const inner = outputs / 4;
      const channels = [inputs, inner, inner, inner, outputs];
      const path = KERNELS[side].map((kernel, index) =>
        convCounts({
          ...place,
          size: kernel,
          inputs: channels[index] as number,
          outputs: channels[index + 1] as number,
        }),
      );
      return inputs === outputs ? path : [...path, convCounts({ ...place, size: 1, inputs, outputs })];
    }),
  );
}

/** The encoder's first convolution, whose input needs no gradient. */
function firstCounts({ width }: DalleForm, size: number): Counts {
  return convCounts({ height: size, width: size, size: 7, inputs: 3, outputs: width });
}

export function encoderCounts(form: DalleForm, size: number): Counts {
  const side = size / form.stride;
  const lowest = form.width * form.stride;
  return sumOf([
    firstCounts(form, size),
    blockCounts(form, 'encoder', size),
    convCounts({ height: side, width: side, size: 1, inputs: lowest, outputs: form.codebook.size }),
  ]);
}

/** With the code vectors, the kernel of its first convolution: of codes a look-up, in a training a product with shares. */
export function decoderCounts(form: DalleForm, size: number): Counts {
  const { codebook, width, stride } = form;
  const side = size / stride;
  return sumOf([
    convCounts({ height: side, width: side, size: 1, inputs: codebook.size, outputs: codebook.dim }),
    blockCounts(form, 'decoder', size),
    convCounts({ height: size, width: size, size: 1, inputs: width, outputs: OUTPUT_CHANNELS }),
  ]);
}

/** @param train what is known of the data: pixels a side as the training sees them, and how many images */
export function dalleCosts(
  config: DalleForm & Recipe,
  train: { readonly size?: number | undefined; readonly images?: number | undefined },
): Costs {
  if (train.size === undefined) {
    const images = imagesShown(config, train.images);
    const { parameters } = bothCounts(config, config.stride);
    return { parameters, ...(images === undefined ? {} : { images }) };
  }
  const forward = bothCounts(config, train.size);
  const { parameters, kept } = forward;
  const flops = { conv: trainingFlops(forward, firstCounts(config, train.size)) };
  return trainingCosts(config, train.images, { parameters, flops, kept });
}

function bothCounts(form: DalleForm, size: number): Counts {
  return sumOf([encoderCounts(form, size), decoderCounts(form, size)]);
}

/** Codes of images, by the encoder alone. */
export function dalleUse(form: DalleForm, size: number): UseCosts {
  const { flops, kept } = encoderCounts(form, size);
  const { parameters } = bothCounts(form, size);
  const back = { conv: decoderCounts(form, size).flops };
  return { parameters, flops: { conv: flops }, activations: 4 * kept, back };
}
