import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { HostOf, HostTensor } from '../../../components/engine/types.ts';
import { unit } from '../../../components/nn/unit.ts';
import { load } from '../../../components/tokenizer/dalle/load.ts';
import { type DalleWeights, dalleDecode, dalleLogits } from '../../../components/tokenizer/dalle/model.ts';
import type { ImportedDalleConfig } from '../../../components/tokenizer/dalle-imported/config.ts';
import { run } from '../../../components/tokenizer/dalle-imported/stage.ts';
import type { Tokenizer } from '../../../components/tokenizer/tokenizer.ts';
import type { Component } from '../../../framework/stage/component.ts';
import type { StageContext, StageResult } from '../../../framework/stage/contract.ts';
import { leafInput, noCheckpoints } from '../../support/stage-input.ts';
import { compute } from '../engine/steps/support/train.ts';

/** Runs the stage of an imported dVAE, and loads it. */
export async function importDalle(
  component: Component,
): Promise<{ readonly tokenizer: Tokenizer; readonly result: StageResult }> {
  const dir = fs.mkdtempSync(path.join(tmpdir(), 'peco-dalle-'));
  const context: StageContext<never> = {
    config: component.config as never,
    seed: 0,
    inputs: {},
    files: component.files,
    outDir: dir,
    workDir: dir,
    checkpoints: noCheckpoints,
    engine: { name: 'onnx', threads: 1 },
    signal: new AbortController().signal,
    progress: () => {},
    log: () => {},
  };
  try {
    const result = await run(context as never);
    return { tokenizer: await load(leafInput(component, dir)), result };
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

export interface DalleOutputs {
  readonly [name: string]: HostTensor;
  readonly logits: HostTensor;
  readonly codes: HostTensor;
  readonly output: HostTensor;
  readonly reconstruction: HostTensor;
}

/** What tests/fixtures/dalle/make.py has: logits and codes of images, and the decoder's output for given codes. */
export async function outputsOf(
  engine: string,
  component: Component,
  tokenizer: Tokenizer,
  given: { readonly images: HostTensor; readonly codes: HostTensor },
): Promise<DalleOutputs> {
  const config = component.config as unknown as ImportedDalleConfig;
  interface Batch {
    readonly images: tf.Tensor;
    readonly codes: tf.Tensor;
  }
  const out = await compute<Batch, { [name: string]: tf.Tensor }, DalleWeights<tf.Tensor>>(
    { name: engine },
    tokenizer.weights as unknown as HostOf<DalleWeights<tf.Tensor>>,
    given as unknown as HostOf<Batch>,
    (weights, { images, codes }) => {
      const pictures = unit(images);
      const tree = weights as unknown as Parameters<Tokenizer['encode']>[0];
      const logits = dalleLogits(weights, pictures, config);
      const vectors = tf.gather(weights.codebook, tf.reshape(codes, [-1]));
      const [count, height, width] = logits.shape;
      const placed = tf.reshape(vectors, [count, height, width, config.codebook.dim]);
      return {
        logits,
        codes: tokenizer.encode(tree, pictures),
        output: dalleDecode(weights, placed, config),
        // The official code clips here; decoders of codes do that elsewhere.
        reconstruction: tf.clipByValue(tokenizer.decode(tree, codes), 0, 1),
      };
    },
  );
  return out as unknown as DalleOutputs;
}
