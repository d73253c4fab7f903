import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostOf, HostTensor } from '../../../../components/engine/types.ts';

/** A small state: what most tests of engines carry from step to step. */
export type Counter = {
  readonly total: Tensor;
  readonly scale: Tensor;
  readonly nested: { readonly flags: Tensor };
};

export const vector = (...values: number[]): HostTensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

export const initial = (): HostOf<Counter> => ({
  total: vector(0, 0),
  scale: vector(2, 3),
  nested: { flags: { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) } },
});
