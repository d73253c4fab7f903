import { createHash } from 'node:crypto';
import path from 'node:path';
import { type FeatureRows, storeFeatures } from '../training/features.ts';
import { KeptResults } from './kept.ts';

/** Features of several layers that were made so far, the same images of each. */
export interface KeptFeatures {
  /** How many images there are features of. */
  readonly images: number;
  /** Adds those of the next images: for each layer rows [count, width]. */
  append(rows: readonly Float32Array[], count: number): Promise<void>;
  done(labels: ArrayLike<number>): FeatureRows[];
}

interface Place {
  readonly folder: string;
  /** Of its files. */
  readonly name: string;
  readonly layers: readonly number[];
  /** Images in all. */
  readonly count: number;
  readonly width: number;
}

/**
 * Opens features in files of the work folder: those of a stage that was stopped or killed, if the same has made them and their
 * bytes are whole, or none.
 *
 * @param made what tells those that made them apart
 */
export async function openKeptFeatures(
  { folder, name, layers, count, width }: Place,
  made: string,
): Promise<KeptFeatures> {
  const stores = layers.map((layer) => storeFeatures({ count, width, folder, name: `${name}-${layer}` }));
  const appendRows = (rows: readonly Float32Array[]) => {
    for (const [place, store] of stores.entries()) store.append(rows[place]!);
  };
  // Of each batch a digest of its rows in all of the files.
  const kept = await KeptResults.open<string>(
    path.join(folder, `${name}.jsonl`),
    `${made} ${layers}`,
    (batch) => {
      const rows = stores.map((store) => store.written(batch.count));
      const isWhole = digestOf(rows) === batch.value;
      if (isWhole) appendRows(rows);
      return isWhole;
    },
  );
  return {
    get images() {
      return kept.images;
    },
    async append(rows, count) {
      appendRows(rows);
      await kept.append([{ image: kept.images, count, value: digestOf(rows) }]);
    },
    done: (labels) => stores.map((store) => store.done(labels)),
  };
}

function digestOf(rows: readonly Float32Array[]): string {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of rows)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex');
}
