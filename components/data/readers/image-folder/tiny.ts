import { fileURLToPath } from 'node:url';

const place = (name: string): string => fileURLToPath(new URL(`./tiny/${name}`, import.meta.url));

/**
 * A folder like ImageNet-1K as it is distributed, made by make-tiny.ts and shipped with the package (under 100 kB): what
 * smoke runs and tests read. `flat` are the images of `val` in one folder, and `list` their classes;
 * `groundTruth` says the same by numbers, as ILSVRC's devkit does, which count in `synsets`.
 */
export const tinyImageNet = {
  train: place('train'),
  val: place('val'),
  flat: place('val-flat'),
  list: place('val.txt'),
  groundTruth: place('ground-truth.txt'),
  synsets: place('synsets.txt'),
  classes: 8,
  images: { train: 80, val: 24 },
} as const;
