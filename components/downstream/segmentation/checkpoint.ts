import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HostTensor } from '../../engine/types.ts';
import { loadTree, saveTree } from '../../weights/safetensors.ts';
import type { SegmenterSizes } from './model/segmenter.ts';
import type { Weights } from './test/evaluate.ts';

/** A segmentation that was trained. */
export interface SavedSegmenter extends SegmenterSizes {
  /** Side of the pictures that it was trained on, and of the windows that it sees. */
  readonly imageSize: number;
  /** Names of the classes, in their order. */
  readonly classNames: readonly string[];
  readonly weights: Weights<HostTensor>;
}

/** Writes `segmenter.safetensors` and `segmenter.json`. */
export function saveSegmenter(dir: string, { weights, ...about }: SavedSegmenter): void {
  saveTree(path.join(dir, 'segmenter.safetensors'), weights);
  writeFileSync(path.join(dir, 'segmenter.json'), `${JSON.stringify(about, null, 2)}\n`);
}

export function loadSegmenter(dir: string): SavedSegmenter {
  const about = JSON.parse(readFileSync(path.join(dir, 'segmenter.json'), 'utf8')) as Omit<
    SavedSegmenter,
    'weights'
  >;
  return { ...about, weights: loadTree<Weights<HostTensor>>(path.join(dir, 'segmenter.safetensors')) };
}
