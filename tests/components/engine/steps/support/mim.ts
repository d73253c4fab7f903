import * as tf from '@tensorflow/tfjs-core';
import type { HostOf, HostTensor } from '../../../../../components/engine/types.ts';
import { hostTensor } from '../../../../../components/nn/tree.ts';
import {
  type MaskedImageModellingConfig,
  maskedImageModelling,
} from '../../../../../components/pretraining/mim/config.ts';
import {
  type MimBatch,
  type MimParameters,
  maskedLogits,
  mimObjective,
} from '../../../../../components/pretraining/mim/model.ts';
import { readSpec, type Size, type Spec } from './fixture.ts';
import { between, seededWeights, uniforms } from './seeded.ts';
import { compute, trainingOf } from './train.ts';

interface MimSpec extends Spec<Parameters<typeof maskedImageModelling>[0]> {
  readonly vocabulary: number;
}

/** The noise is the numbers themselves. */
export const draw = (noise: tf.Tensor) => noise;

/** Masked image modelling with a vision transformer. */
export function mim(size: Size) {
  const spec = readSpec<MimSpec>(size, 'mim');
  const { seed, imageSize, vocabulary } = spec;
  const config = maskedImageModelling(spec.config).config as MaskedImageModellingConfig;
  // Codes are in the batch, as PyTorch has them, in the place of the picture that a tokenizer would see; as float32,
  // which is left as it is. So are the numbers of drop path.
  const encode = (_: unknown, codes: tf.Tensor) => tf.cast(codes, 'int32');
  const tokenizer = { vocabulary, weights: {}, encode };
  const objective = mimObjective(config, tokenizer, { imageSize, seed: 0, draw });
  const parameters = seededWeights(seed, objective.init());
  const batch = (step: number) => mimBatch(spec, config, step);
  const training = trainingOf('mim', objective, config, { parameters }, batch);
  return {
    size,
    training,
    config,
    forward: (engine: string) => forward(engine, config, parameters, batch(0)),
  };
}

/** Logits of the masked tokens, without those of padding. */
async function forward(
  engine: string,
  config: MaskedImageModellingConfig,
  parameters: HostOf<MimParameters<tf.Tensor>>,
  { patches, mask, rows, weights, noise }: HostOf<MimBatch<tf.Tensor>>,
): Promise<{ readonly [name: string]: HostTensor }> {
  const given = { patches, mask, rows, noise };
  const rate = config.dropPath;
  const { logits } = await compute<
    Required<Pick<MimBatch<tf.Tensor>, keyof typeof given>>,
    { logits: tf.Tensor },
    MimParameters<tf.Tensor>
  >({ name: engine }, parameters, given as never, (frozen, fed) => ({
    logits: maskedLogits(frozen, config, fed, { rate, noise: fed.noise, draw }),
  }));
  const count = Array.from(weights.data).filter((weight) => weight === 1).length;
  const width = logits.shape[1];
  return { logits: hostTensor([count, width], (logits.data as Float32Array).slice(0, count * width)) };
}

function mimBatch(
  { seed, imageSize, vocabulary }: MimSpec,
  config: MaskedImageModellingConfig,
  step: number,
): MimBatch<HostTensor> {
  const { batchSize, backbone, maskRatio } = config;
  const perImage = (imageSize / backbone.patch) ** 2;
  const tokens = batchSize * perImage;
  const mask = Float32Array.from(uniforms(`${seed}/mask/${step}`, tokens), (u) => (u < maskRatio ? 1 : 0));
  const codes = uniforms(`${seed}/codes/${step}`, tokens).map((u) => Math.floor(u * vocabulary));
  const masked = Array.from(mask.keys()).filter((row) => mask[row] === 1);
  // Rows are padded, as batches of real masks are: padding points at row 0 with a weight of 0.
  const room = Math.round(tokens * (maskRatio + 0.2));
  if (masked.length > room) throw new Error(`${masked.length} masked tokens, room for ${room}`);
  const padded = (values: readonly number[]) =>
    hostTensor(
      [room],
      Int32Array.from({ length: room }, (_, i) => values[i] ?? 0),
    );
  return {
    patches: between(`${seed}/images/${step}`, [batchSize, imageSize, imageSize, 3], 0, 1),
    mask: hostTensor([batchSize, perImage, 1], mask),
    rows: padded(masked),
    weights: hostTensor(
      [room],
      Float32Array.from({ length: room }, (_, i) => (i < masked.length ? 1 : 0)),
    ),
    tokens: hostTensor([batchSize, perImage], Float32Array.from(codes)),
    noise: between(`${seed}/noise/${step}`, [batchSize, 2 * backbone.depth], 0, 1),
  };
}
