import * as tf from '@tensorflow/tfjs-core';
import type { StageContext } from '../../framework/stage/contract.ts';
import { StageError } from '../../framework/stage/stage-error.ts';
import type { VitConfig } from '../backbone/config.ts';
import { blockOutputs, embedPatches, meanOfPatches, type Vit, withPositions } from '../backbone/vit.ts';
import { balancedSubset, targetOf } from '../data/subset.ts';
import type { Dataset } from '../data/types.ts';
import { type StillView, sizeOf } from '../data/views/view.ts';
import type { Engine } from '../engine/types.ts';
import { forward } from '../training/classify.ts';
import type { FeatureRows } from '../training/features.ts';
import { digestOf } from './kept.ts';
import { openKeptFeatures } from './kept-features.ts';
import { type ClassificationInputs, startingBackbone } from './start.ts';

interface Frozen {
  readonly backbone?: VitConfig | undefined;
  readonly labels?: number | undefined;
  readonly view: StillView;
}

/** Features of a layer of a frozen backbone: the mean of the patch tokens after that block. */
export interface LayerFeatures {
  /** Counted from 1. */
  readonly layer: number;
  readonly labelled: FeatureRows;
  readonly test: FeatureRows;
}

export interface Extracted {
  readonly layers: readonly LayerFeatures[];
  readonly classes: number;
  /** Blocks of the backbone. */
  readonly depth: number;
}

/** Images of a run of the program. */
const featureBatch = 100;

/**
 * Features of all labelled and all test images, of these layers at once: each image is seen once, also where the stage is
 * stopped or killed meanwhile. They are kept in the work folder.
 *
 * @throws StageError if there is no such layer
 */
export async function extractFeatures<C extends Frozen>(
  context: StageContext<C, ClassificationInputs>,
  engine: Engine,
  wanted: readonly number[] | 'all',
): Promise<Extracted> {
  const { config, seed, workDir } = context;
  const all = await context.inputs.train.load();
  const test = await context.inputs.test.load();
  const labelled = config.labels === undefined ? all : await balancedSubset(all, config.labels, seed);
  const backbone = await startingBackbone(context, config, sizeOf(config.view, all));
  const { depth, dim } = backbone.config;
  const layers = wanted === 'all' ? Array.from({ length: depth }, (_, block) => block + 1) : wanted;
  checkLayers(layers, depth);
  const state = engine.state<Vit<tf.Tensor>>(backbone.weights);
  const made = `${digestOf(backbone.weights)} ${featureBatch}`;
  const count = labelled.count + test.count;
  const features = async (data: Dataset, name: string, before: number): Promise<FeatureRows[]> => {
    const kept = await openKeptFeatures(
      { folder: workDir, name: `${name}-${engine.name}`, layers, count: data.count, width: dim },
      made,
    );
    const labels = new Int32Array(data.count);
    for (let image = 0; image < kept.images; image++) labels[image] = await targetOf(data, image);
    const show = () => {
      const done = before + kept.images;
      context.progress({ phase: 'evaluating', step: done, of: count, images: done });
    };
    if (kept.images > 0) show();
    if (kept.images === data.count) return kept.done(labels);
    await forward(engine, data, {
      ...{ name: 'features', state, view: config.view, workers: context.engine.threads },
      ...{ signal: context.signal, batchSize: featureBatch, from: kept.images },
      apply: (vit: Vit<tf.Tensor>, images) => {
        const tokens = withPositions(vit, embedPatches(vit, backbone.config, images));
        const outputs = blockOutputs(vit, backbone.config, tokens, { depth: Math.max(...layers) });
        return tf.concat(
          layers.map((layer) => meanOfPatches(outputs[layer - 1])),
          1,
        );
      },
      async onRows({ values, targets }) {
        const rows = layers.map((_, place) =>
          columns(values, { from: place * dim, width: dim, of: layers.length * dim }),
        );
        labels.set(targets, kept.images);
        await kept.append(rows, targets.length);
        show();
      },
    });
    return kept.done(labels);
  };
  const rows = await features(labelled, 'labelled', 0);
  const held = await features(test, 'test', labelled.count);
  return {
    ...{ classes: all.classes.length, depth },
    layers: layers.map((layer, place) => ({ layer, labelled: rows[place], test: held[place] })),
  };
}

function checkLayers(layers: readonly number[], depth: number): void {
  const odd = layers.find((layer) => layer > depth);
  if (odd === undefined) return;
  throw new StageError(`the backbone has ${depth} blocks, and no layer ${odd}`, {
    hint: `layers are numbers from 1 to ${depth}`,
  });
}

/** Some columns of rows that have `of` numbers each. */
function columns(
  rows: Float32Array,
  { from, width, of }: { readonly from: number; readonly width: number; readonly of: number },
): Float32Array {
  if (width === of) return rows;
  const count = rows.length / of;
  const out = new Float32Array(count * width);
  for (let row = 0; row < count; row++)
    out.set(rows.subarray(row * of + from, row * of + from + width), row * width);
  return out;
}
