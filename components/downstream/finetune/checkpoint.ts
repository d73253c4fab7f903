import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { VitConfig } from '../../backbone/config.ts';
import type { HostTensor } from '../../engine/types.ts';
import { loadTree, saveTree } from '../../weights/safetensors.ts';
import type { Classifier } from './model.ts';

/** A fine-tuned backbone with its head. */
export interface SavedClassifier {
  /** Of the backbone. */
  readonly config: VitConfig;
  /** Side of the images that it was fine-tuned on. */
  readonly imageSize: number;
  readonly weights: Classifier<HostTensor>;
}

export function saveClassifier(dir: string, { config, imageSize, weights }: SavedClassifier): void {
  saveTree(path.join(dir, 'classifier.safetensors'), weights);
  writeFileSync(path.join(dir, 'classifier.json'), `${JSON.stringify({ config, imageSize }, null, 2)}\n`);
}

export function loadClassifier(dir: string): SavedClassifier {
  const about = JSON.parse(readFileSync(path.join(dir, 'classifier.json'), 'utf8')) as Omit<
    SavedClassifier,
    'weights'
  >;
  return { ...about, weights: loadTree<Classifier<HostTensor>>(path.join(dir, 'classifier.safetensors')) };
}
