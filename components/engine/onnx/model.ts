import { fuseProducts } from '../graph/fuse.ts';
import { orderSums } from '../graph/order.ts';
import type { Value } from '../graph/value.ts';
import { isForeign } from '../graph/value.ts';
import { changedState, endpoints, neededNodes } from '../record/needed.ts';
import type { Trace } from '../record/trace.ts';
import type { Leaves } from '../tree.ts';
import type { TensorSpec } from '../types.ts';
import { encodeModel } from './proto.ts';

/** An ONNX model of a step. Its endpoints are named `state/PATH`, `batch/PATH`, `next/PATH` and `out/PATH`. */
export interface Model {
  readonly bytes: Uint8Array;
  /** Paths of what the model takes in: ONNX Runtime wants nothing else to be fed. */
  readonly used: { readonly state: readonly string[]; readonly batch: readonly string[] };
  /** Paths of the state that the step changes. */
  readonly changed: readonly string[];
  /** Types and shapes of what the step returns, by path. */
  readonly outputs: Leaves<TensorSpec>;
}

/** Lowers a trace to ONNX; what no output needs is left out. Throws EngineError for a model that can't be run. */
export function toModel(name: string, trace: Trace): Model {
  const changed = changedState(trace);
  const outputs = [...endpoints('next', changed), ...endpoints('out', trace.outputs)];
  const results = outputs.map(({ value }) => value);
  const nodes = orderSums(fuseProducts(neededNodes(name, trace, outputs), results));
  const needed = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs.map(({ value }) => value)]);
  const used = (inputs: Leaves<Value>) => [...inputs].filter(([, value]) => needed.has(value));
  const state = used(trace.stateInputs);
  const batch = used(trace.batchInputs);
  const inputs = [...endpoints('state', state), ...endpoints('batch', batch)];
  const paths = (entries: readonly [string, Value][]) => entries.map(([path]) => path);
  return {
    bytes: encodeModel({ name, nodes, inputs, outputs }),
    used: { state: paths(state), batch: paths(batch) },
    changed: paths(changed),
    // Not the values themselves: they hold on to the whole graph with its constants.
    outputs: new Map([...trace.outputs].map(([path, value]) => [path, specOf(value)])),
  };
}

function specOf({ type, shape }: Value): TensorSpec {
  return { dtype: isForeign(type) ? 'int32' : type, shape: [...shape] };
}
