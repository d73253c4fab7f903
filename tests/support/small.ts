import fs from 'node:fs';
import path from 'node:path';
import type { Rig } from './rig.ts';

/** The quickstart, shrunk: every kind of stage that there is, on real images. */
export function smallExperiment({
  train,
  test,
  steps,
}: {
  train: number;
  test: number;
  steps: number;
}): string {
  return `
import {
  ablationTable, defineExperiment, dvae, fashionMnist, fineTune, linearProbe, maskedImageModelling, tokenizerEvaluation,
  vgg, vit, vqvae,
} from 'peco-exp';

const steps = ${steps};
const tokenizer = { width: 16, residualBlocks: 1, stride: 8, codebook: { size: 32, dim: 8 }, steps, batchSize: 32 } as const;
const network = vgg({ width: 8, blocks: 2, convsPerBlock: 1, steps, batchSize: 32 });

export default defineExperiment({
  name: 'small',
  seeds: [0],
  data: {
    train: fashionMnist({ split: 'train', range: [0, ${train}] }),
    test: fashionMnist({ split: 'test', range: [0, ${test}] }),
  },
  tokenizers: {
    beit: dvae(tokenizer),
    peco: vqvae({ ...tokenizer, loss: { pixel: 1, perceptual: { network, layers: ['relu2_1'], weight: 1 } } }),
  },
  evaluation: tokenizerEvaluation({ probeLabels: 500 }),
  pretraining: {
    base: maskedImageModelling({ backbone: vit({ dim: 32, depth: 2, heads: 2, patch: 8 }), steps, batchSize: 32 }),
  },
  downstream: {
    finetune: fineTune({ labels: 500, steps, batchSize: 32 }),
    probe: linearProbe({ layer: 1, labels: 500, steps: 4 * steps }),
  },
  baseline: 'beit',
  report: ablationTable({}),
});
`;
}

export interface StoredResult {
  readonly key: string;
  readonly digest: string;
  readonly provenance: {
    readonly stage: string;
    readonly resumedFrom: number | null;
    readonly images: number;
    readonly seconds: number;
  };
}

/** The entries of a store by content key. */
export function readEntries(rig: Rig, store: string): Map<string, StoredResult> {
  const folder = rig.file(`${store}/entries`);
  if (!fs.existsSync(folder)) return new Map();
  const read = (key: string): StoredResult =>
    JSON.parse(fs.readFileSync(path.join(folder, key, 'manifest.json'), 'utf8')) as StoredResult;
  return new Map(fs.readdirSync(folder).map((key) => [key, read(key)]));
}

/** The process of a stage of this command line, if it has one at the moment. Linux only. */
export function findStageProcess(cli: number, stage: string): number | undefined {
  try {
    const children = fs.readFileSync(`/proc/${cli}/task/${cli}/children`, 'utf8').trim().split(' ');
    const child = children.find((pid) => {
      return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(stage);
    });
    return child === undefined ? undefined : Number(child);
  } catch {
    // It has just ended, or there are none.
    return undefined;
  }
}

/** The latest step that a checkpoint in the store is of, of one stage or of all; 0 if there is none. */
export function latestCheckpoint(rig: Rig, store: string, stage?: string): number {
  const work = rig.file(`${store}/work`);
  const stages = stage === undefined ? namesIn(work) : [stage];
  const names = stages.flatMap((key) => namesIn(path.join(work, key, 'checkpoints/onnx')));
  return Math.max(0, ...names.map((name) => Number(/^step-(\d+)$/.exec(name)?.[1] ?? 0)));
}

/** Of a folder that may come and go meanwhile. */
function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}
