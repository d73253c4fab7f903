import { liveNodes } from '../graph/graph.ts';
import type { Node, Value } from '../graph/value.ts';
import { isForeign, sizeOf } from '../graph/value.ts';
import { EngineError } from '../types.ts';
import type { Trace } from './trace.ts';

export interface Endpoint {
  readonly name: string;
  readonly value: Value;
}

/** Leaves that the step returns as they came are no outputs. */
export function changedState({ stateInputs, stateOutputs }: Trace): [string, Value][] {
  return [...stateOutputs].filter(([path, value]) => value !== stateInputs.get(path));
}

/** The nodes that the outputs need, in order of execution. */
export function neededNodes(name: string, { graph }: Trace, outputs: readonly Endpoint[]): readonly Node[] {
  const nodes = liveNodes(
    graph,
    outputs.map(({ value }) => value),
  );
  for (const { op, inputs, outputs: results } of nodes) {
    const empty = [...inputs, ...results].find((each) => each && !isForeign(each.type) && isEmpty(each));
    // ONNX Runtime divides by the length of axes; dividing by 0 ends the process.
    if (empty)
      throw new EngineError(
        `program '${name}' can't be compiled: ${op} works on an empty tensor (shape [${empty.shape.join(', ')}]); leave it out`,
      );
  }
  return nodes;
}

export function endpoints(prefix: string, values: Iterable<readonly [string, Value]>): Endpoint[] {
  return [...values].map(([path, value]) => ({ name: `${prefix}/${path}`, value }));
}

function isEmpty({ shape }: Value): boolean {
  return sizeOf(shape) === 0;
}
