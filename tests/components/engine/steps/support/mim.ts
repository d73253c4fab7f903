import type * as tf from '@tensorflow/tfjs-core';
import type { HostOf, HostTensor } from '../../../../../components/engine/types.ts';
import { hostTensor } from '../../../../../components/nn/tree.ts';
import {
  type MaskedImageModellingConfig,
  maskedImageModelling,
} from '../../../../../components/pretraining/mim/config.ts';
import {
  initMim,
  type MimBatch,
  type MimState,
  maskedLogits,
  mimStep,
} from '../../../../../components/pretraining/mim/model.ts';
import { initMoments } from '../../../../../components/training/optimizer.ts';
import { cosineLearningRate, stepSize } from '../../../../../components/training/schedule.ts';
import { readSpec, type Size, type Spec } from './fixture.ts';
import { between, seededWeights, uniforms } from './seeded.ts';
import { compute, type Training } from './train.ts';

interface MimSpec extends Spec<Parameters<typeof maskedImageModelling>[0]> {
  readonly vocabulary: number;
}

/** Masked image modelling with a vision transformer. */
export function mim(size: Size) {
  const spec = readSpec<MimSpec>(size, 'mim');
  const { seed, imageSize, vocabulary } = spec;
  const config = maskedImageModelling(spec.config).config as MaskedImageModellingConfig;
  const { parameters } = initMim(config, { imageSize, vocabulary, seed: 0 });
  const seeded = seededWeights(seed, parameters);
  const batch = (step: number) => mimBatch(spec, config, step);
  const training = {
    name: 'mim',
    steps: config.steps,
    step: mimStep(config),
    state: { parameters: seeded, moments: initMoments(seeded) },
    constants: {},
    batch,
  } satisfies Training<MimState<tf.Tensor>, MimBatch<tf.Tensor>, unknown, Record<string, never>>;
  return {
    size,
    training,
    config,
    forward: (engine: string) => forward(engine, config, training.state, batch(0)),
  };
}

/** Logits of the masked tokens, without those of padding. */
async function forward(
  engine: string,
  config: MaskedImageModellingConfig,
  { parameters }: MimState<HostTensor>,
  { images, mask, rows, weights }: HostOf<MimBatch<tf.Tensor>>,
): Promise<{ readonly [name: string]: HostTensor }> {
  const given = { images, mask, rows };
  const { logits } = await compute<
    Pick<MimBatch<tf.Tensor>, keyof typeof given>,
    { logits: tf.Tensor },
    MimState<tf.Tensor>['parameters']
  >({ name: engine }, parameters, given, (frozen, fed) => ({ logits: maskedLogits(frozen, config, fed) }));
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
    images: between(`${seed}/images/${step}`, [batchSize, imageSize, imageSize, 3], 0, 1),
    mask: hostTensor([batchSize, perImage, 1], mask),
    rows: padded(masked),
    weights: hostTensor(
      [room],
      Float32Array.from({ length: room }, (_, i) => (i < masked.length ? 1 : 0)),
    ),
    codes: padded(masked.map((row) => codes[row])),
    size: stepSize(step, cosineLearningRate(step, config), 0.9, config.beta2),
  };
}
