import { join } from 'node:path';
import { disk } from '../../../../framework/stage/disk.ts';

export type FashionMnistSplit = 'train' | 'test';

/** Names of an image file and its label file. */
export interface IdxPair {
  readonly images: string;
  readonly labels: string;
}

/** What this folder ships: see make-subset.ts. */
export const SHIPPED_FILES: { readonly [split in FashionMnistSplit]: IdxPair } = {
  train: { images: 'train-10k-images-idx3-ubyte.gz', labels: 'train-10k-labels-idx1-ubyte.gz' },
  test: { images: 't10k-images-idx3-ubyte.gz', labels: 't10k-labels-idx1-ubyte.gz' },
};

const OFFICIAL_NAMES: { readonly [split in FashionMnistSplit]: IdxPair } = {
  train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
  test: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
};

/** Paths of the official files of a split in a folder: gzipped ones (`.gz`) where they are, else the bare names. */
export function officialFiles(folder: string, split: FashionMnistSplit): IdxPair {
  const find = (name: string): string => {
    const bare = join(folder, name);
    return disk.first([`${bare}.gz`, bare]) ?? bare;
  };
  return { images: find(OFFICIAL_NAMES[split].images), labels: find(OFFICIAL_NAMES[split].labels) };
}
