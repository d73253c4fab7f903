import { binary } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import type { Inputs } from './lowering.ts';
import { activate } from './unary.ts';

export interface FusedAttributes {
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
}

/** What tfjs's fused kernels do after their product or convolution. */
export function finish(g: Graph, result: Value, inputs: Inputs, attributes: FusedAttributes): Value {
  const { bias, preluActivationWeights } = inputs as Partial<Inputs>;
  return activate(
    g,
    bias ? binary(g, 'Add', result, bias) : result,
    attributes.activation ?? 'linear',
    attributes.leakyreluAlpha ?? 0.2,
    preluActivationWeights,
  );
}
