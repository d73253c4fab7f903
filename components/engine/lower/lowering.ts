import { util } from '@tensorflow/tfjs-core';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';

export interface Inputs {
  readonly [name: string]: Value;
}

/** Records what one tfjs kernel does as ONNX operators. Shape and type of the result are those that tfjs's kernel gives. */
export type Lowering = (g: Graph, inputs: Inputs, attributes: unknown) => Value | readonly Value[];

/** By kernel name. */
export interface Lowerings {
  readonly [kernel: string]: Lowering;
}

/** A lowering that reads attributes of type `A`, which tfjs's op has checked. */
export function withAttributes<A>(
  lower: (g: Graph, inputs: Inputs, attributes: A) => Value | readonly Value[],
): Lowering {
  return (g, inputs, attributes) => lower(g, inputs, attributes as A);
}

/** tfjs gives an axis, a list of axes, or nothing (all axes); they may count from the end. */
export function axesOf(axis: number | readonly number[] | null | undefined, rank: number): number[] {
  if (axis === null || axis === undefined) return [...Array(rank).keys()];
  const axes = util.parseAxisParam([axis].flat(), new Array<number>(rank).fill(1));
  return [...new Set(axes)].sort((a, b) => a - b);
}
