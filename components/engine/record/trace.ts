import type { Tensor } from '@tensorflow/tfjs-core';
import { engine } from '@tensorflow/tfjs-core';
import { cast } from '../graph/elementwise.ts';
import type { Graph, Target } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { alternatives } from '../lower/all.ts';
import type { Lowerings } from '../lower/lowering.ts';
import { explainStepError, withDeepStacks } from '../place.ts';
import type { AnyStep } from '../step.ts';
import { callStep, stepScope } from '../step.ts';
import type { Leaves, TreeOf } from '../tree.ts';
import { isHostTensor, isSpec, isTensor, leavesOf, mapTree } from '../tree.ts';
import type { HostTensor, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import { TraceBackend, traceBackendName } from './backend.ts';

export interface TraceOptions {
  readonly name: string;
  readonly step: AnyStep;
  readonly state: TreeOf<TensorSpec>;
  readonly batch: TreeOf<TensorSpec>;
  readonly constants: TreeOf<HostTensor>;
  /** What will execute the graph: ONNX Runtime on the CPU unless said. */
  readonly target?: Target;
  /** Lowerings for that target only. */
  readonly lowerings?: Lowerings;
}

/** What a step does, as a graph. Paths are those of the leaves in their trees. */
export interface Trace {
  readonly graph: Graph;
  readonly stateInputs: Leaves<Value>;
  readonly batchInputs: Leaves<Value>;
  readonly stateOutputs: Leaves<Value>;
  readonly outputs: Leaves<Value>;
  /** The tree of what the step returns; leaves are their paths. */
  readonly outTree: TreeOf<string>;
}

/** Runs `step` once on tensors that record. Throws EngineError for what can't be compiled. */
export function traceStep(options: TraceOptions): Trace {
  return onTraceBackend(options, (backend) => {
    try {
      return withDeepStacks(() => stepScope(() => record(backend, options)));
    } catch (error) {
      throw explainStepError({ error, program: options.name, what: "can't be compiled", missingKernel });
    }
  });
}

function missingKernel(kernel: string): string {
  const instead = alternatives[kernel];
  return `the kernel ${kernel} is not supported${instead ? `: ${instead}` : ''}`;
}

function record(backend: TraceBackend, { step, state, batch, constants }: TraceOptions): Trace {
  const { graph } = backend;
  const stateInputs = new Map<string, Value>();
  const batchInputs = new Map<string, Value>();
  const input = (into: Map<string, Value>, prefix: string) => (spec: TensorSpec, path: string) => {
    const value = graph.input(`${prefix}/${path}`, spec.dtype ?? 'float32', spec.shape);
    into.set(path, value);
    return toTensor(backend, value.type === 'uint8' ? cast(graph, value, 'int32') : value);
  };
  const given = {
    state: mapTree(state, isSpec, input(stateInputs, 'state')),
    batch: mapTree(batch, isSpec, input(batchInputs, 'batch')),
    constants: mapTree(constants, isHostTensor, (leaf) =>
      toTensor(backend, graph.constant(leaf.data, leaf.dtype, leaf.shape)),
    ),
  };
  const result = withoutChance(() => callStep(step, given, leavesOf(state, isSpec)));
  const valuesOf = (leaves: Leaves<Tensor>) =>
    new Map([...leaves].map(([path, tensor]) => [path, backend.valueFor(tensor)]));
  return {
    graph,
    stateInputs,
    batchInputs,
    stateOutputs: valuesOf(result.stateLeaves),
    outputs: valuesOf(result.outLeaves),
    outTree: mapTree(result.out, isTensor, (_, path) => path),
  };
}

function toTensor(backend: TraceBackend, value: Value): Tensor {
  const { dataId, shape, dtype } = backend.tensorInfo(value);
  return engine().makeTensorFromTensorInfo({ dataId, shape, dtype }, backend);
}

/** A random number drawn while tracing would be the same in every step, so it is refused. */
function withoutChance<T>(work: () => T): T {
  const { random } = Math;
  Math.random = () => {
    throw new EngineError(
      'it draws random numbers while it is compiled, which would be the same in every step. Draw them on the host and pass them in the batch',
    );
  };
  try {
    return work();
  } finally {
    Math.random = random;
  }
}

/** Makes a new trace backend the active one for the time of `work`. */
function onTraceBackend<T>({ target, lowerings }: TraceOptions, work: (backend: TraceBackend) => T): T {
  const tfjs = engine();
  const before = tfjs.backendName;
  const backend = new TraceBackend(target, lowerings);
  // Lowest priority: nothing else shall ever choose it. Registering and choosing are synchronous here.
  tfjs.registerBackend(traceBackendName, () => backend, -1);
  void tfjs.setBackend(traceBackendName);
  try {
    return work(backend);
  } finally {
    tfjs.removeBackend(traceBackendName);
    if (before) void tfjs.setBackend(before);
  }
}
