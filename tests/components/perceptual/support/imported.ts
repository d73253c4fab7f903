import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../../../components/engine/types.ts';
import type { FeatureNetwork } from '../../../../components/perceptual/types.ts';
import type { Component } from '../../../../framework/stage/component.ts';
import type {
  LoadFunction,
  StageContext,
  StageFunction,
  StageResult,
} from '../../../../framework/stage/contract.ts';
import { leafInput, noCheckpoints } from '../../../support/stage-input.ts';

/** A file of the repository. */
export const at = (place: string): string => fileURLToPath(new URL(`../../../../${place}`, import.meta.url));

/** Runs the stage of a network that is imported, and loads it. */
export async function importNetwork(
  component: Component,
  {
    run,
    load,
  }: { readonly run: StageFunction<never, never>; readonly load: LoadFunction<FeatureNetwork, never> },
): Promise<{ readonly network: FeatureNetwork; readonly result: StageResult }> {
  const dir = fs.mkdtempSync(path.join(tmpdir(), 'peco-imported-'));
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
    return { network: await load(leafInput(component, dir)), result };
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

export function tensorOf({ data, shape }: HostTensor): tf.Tensor {
  return tf.tensor(data, [...shape]);
}

/** Features of images in bytes [n, h, w, 3], on tfjs's CPU backend. */
export function featuresOf(
  network: FeatureNetwork,
  images: HostTensor,
  layers: readonly string[],
): tf.Tensor4D[] {
  const weights = Object.fromEntries(Object.entries(network.weights).map(([name, w]) => [name, tensorOf(w)]));
  return network.features(weights, tf.div(tensorOf(images), 255) as tf.Tensor4D, layers);
}

/** The largest difference of two tensors, as a share of the largest number of the right one. */
export function worstOf(found: tf.Tensor, right: tf.Tensor): number {
  return tf.max(tf.abs(tf.sub(found, right))).dataSync()[0] / tf.max(tf.abs(right)).dataSync()[0];
}
