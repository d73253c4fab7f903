import type { Dataset } from './types.ts';

/** The data set of these images only, in this order. */
export function subset(dataset: Dataset, indices: Int32Array): Dataset {
  return {
    ...dataset,
    count: indices.length,
    labels: Int32Array.from(indices, (index) => dataset.labels[index]),
    read: (asked) => dataset.read(Int32Array.from(asked, (index) => indices[index])),
  };
}
