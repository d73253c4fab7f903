import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { HostOf } from '../../engine/types.ts';
import { saveTree } from '../../weights/safetensors.ts';
import type { Trained } from './model/detect.ts';
import type { DetectorConfig } from './model/detector.ts';

/** A trained detector: its weights with the running statistics of its batch norm, and what they mean. */
export interface SavedDetector {
  readonly config: DetectorConfig;
  /** Side of the canvas that it was trained on. */
  readonly imageSize: number;
  readonly classes: readonly string[];
  readonly trained: HostOf<Trained<tf.Tensor>>;
}

export function saveDetector(dir: string, { config, imageSize, classes, trained }: SavedDetector): void {
  saveTree(path.join(dir, 'detector.safetensors'), trained);
  writeFileSync(
    path.join(dir, 'detector.json'),
    `${JSON.stringify({ config, imageSize, classes }, null, 2)}\n`,
  );
}
