import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext } from '../../../framework/stage/contract.ts';
import type { VitConfig } from '../../backbone/config.ts';
import type { Dataset } from '../../data/types.ts';
import type { Engine, HostOf, State } from '../../engine/types.ts';
import { type Forward, openForward } from '../../training/classify.ts';
import { countOnes, rightRows } from '../../training/right.ts';
import type { FineTuneConfig } from './config.ts';
import { type Classifier, classify } from './model.ts';

/** Shares of images whose class is the first, and among the first five. */
export interface Accuracy {
  readonly top1: number;
  readonly top5: number;
}

/** Of some images in their order, 1 or 0: whether the class is the first, and among the first five. */
export interface Right {
  readonly top1: Uint8Array;
  readonly top5: Uint8Array;
}

/** Certain weights that classify images, batch by batch. */
export interface Classifying {
  readonly batchSize: number;
  /** Classifies the images of a data set in order; or those from one on whose place is a multiple of the batch. */
  over(data: Dataset, onBatch: (right: Right) => void | Promise<void>, from?: number): Promise<void>;
}

/** What makes weights of one classifier classify images of one size; its program is compiled at the first use. */
export function openClassifying(
  { config, engine: { threads }, signal }: Pick<StageContext<FineTuneConfig>, 'config' | 'engine' | 'signal'>,
  engine: Engine,
  { network, size }: { readonly network: VitConfig; readonly size: number },
): (weights: HostOf<Classifier<tf.Tensor>>, data: Dataset) => Promise<Classifying> {
  const { view, testView } = config;
  let opened: { readonly state: State<Classifier<tf.Tensor>>; readonly program: Forward } | undefined;
  const open = async (weights: HostOf<Classifier<tf.Tensor>>, data: Dataset) => {
    const state = engine.state<Classifier<tf.Tensor>>(weights);
    const program = await openForward(engine, data, {
      ...{ name: 'classification', state, workers: threads, signal },
      apply: (classifier: Classifier<tf.Tensor>, images) => classify(classifier, network, images),
      view: { ...testView, size, interpolation: view.interpolation },
    });
    return { state, program };
  };
  return async (weights, data) => {
    opened ??= await open(weights, data);
    opened.state.write(weights);
    const { program } = opened;
    return {
      batchSize: program.batchSize,
      over: (images, onBatch, from) =>
        program.over(
          images,
          ({ values, targets }) =>
            onBatch({ top1: rightRows(values, targets), top5: rightRows(values, targets, 5) }),
          from,
        ),
    };
  };
}

/** Shares of all images of a data set. */
export async function accuracyOn(data: Dataset, { over }: Classifying): Promise<Accuracy> {
  let [top1, top5] = [0, 0];
  await over(data, (right) => {
    top1 += countOnes(right.top1);
    top5 += countOnes(right.top5);
  });
  return { top1: top1 / data.count, top5: top5 / data.count };
}
