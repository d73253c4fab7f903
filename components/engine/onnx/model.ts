import { liveNodes } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import type { Leaves } from '../tree.ts';
import { encodeModel } from './proto.ts';
import type { Trace } from './trace.ts';

/** Leaves that the step returns as they came are no outputs. */
function changedState({ stateInputs, stateOutputs }: Trace): [string, Value][] {
  return [...stateOutputs].filter(([path, value]) => value !== stateInputs.get(path));
}

/** An ONNX model of a step. Its endpoints are named `state/PATH`, `batch/PATH`, `next/PATH` and `out/PATH`. */
export interface Model {
  readonly bytes: Uint8Array;
  /** Paths of what the model takes in: ONNX Runtime wants nothing else to be fed. */
  readonly used: { readonly state: readonly string[]; readonly batch: readonly string[] };
  /** Paths of the state that the step changes. */
  readonly changed: readonly string[];
}

/** Lowers a trace to ONNX; what no output needs is left out. */
export function toModel(name: string, trace: Trace): Model {
  const changed = changedState(trace);
  const outputs = [
    ...changed.map(([path, value]) => ({ name: `next/${path}`, value })),
    ...[...trace.outputs].map(([path, value]) => ({ name: `out/${path}`, value })),
  ];
  const nodes = liveNodes(
    trace.graph,
    outputs.map(({ value }) => value),
  );
  const needed = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs.map(({ value }) => value)]);
  const used = (inputs: Leaves<Value>) => [...inputs].filter(([, value]) => needed.has(value));
  const state = used(trace.stateInputs);
  const batch = used(trace.batchInputs);
  const inputs = [
    ...state.map(([path, value]) => ({ name: `state/${path}`, value })),
    ...batch.map(([path, value]) => ({ name: `batch/${path}`, value })),
  ];
  const paths = (entries: readonly [string, Value][]) => entries.map(([path]) => path);
  return {
    bytes: encodeModel(name, nodes, inputs, outputs),
    used: { state: paths(state), batch: paths(batch) },
    changed: paths(changed),
  };
}
