import { engine, Tensor } from '@tensorflow/tfjs-core';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { alternatives } from '../lower/all.ts';
import type { Leaves, TreeOf } from '../tree.ts';
import { isHostTensor, isSpec, leavesOf, mapTree } from '../tree.ts';
import type { HostTensor, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import { TraceBackend, traceBackendName } from './backend.ts';

/** A function over trees of tensors, without its types. */
export type AnyStep = (
  state: unknown,
  batch: unknown,
  constants: unknown,
) => { state: unknown; out: unknown };

export interface TraceOptions {
  readonly name: string;
  readonly step: AnyStep;
  readonly state: TreeOf<TensorSpec>;
  readonly batch: TreeOf<TensorSpec>;
  readonly constants: TreeOf<HostTensor>;
}

/** What a step does, as a graph. Paths are those of the leaves in their trees. */
export interface Trace {
  readonly graph: Graph;
  readonly stateInputs: Leaves<Value>;
  readonly batchInputs: Leaves<Value>;
  readonly stateOutputs: Leaves<Value>;
  readonly outputs: Leaves<Value>;
  /** The tree of what the step puts out; leaves are their paths. */
  readonly outTree: TreeOf<string>;
}

const isTensor = (node: unknown): node is Tensor => node instanceof Tensor;

/** Runs `step` once on tensors that record. Throws EngineError for what can't be compiled. */
export function traceStep(options: TraceOptions): Trace {
  return onTraceBackend((backend) => {
    try {
      let trace: Trace | undefined;
      engine().tidy(() => {
        trace = record(backend, options);
      });
      return trace!;
    } catch (error) {
      throw explained(options.name, error);
    }
  });
}

function record(backend: TraceBackend, { step, state, batch, constants }: TraceOptions): Trace {
  const { graph } = backend;
  const stateInputs = new Map<string, Value>();
  const batchInputs = new Map<string, Value>();
  const input = (into: Map<string, Value>, prefix: string) => (spec: TensorSpec, path: string) => {
    const value = graph.input(`${prefix}/${path}`, spec.dtype ?? 'float32', spec.shape);
    into.set(path, value);
    return toTensor(backend, value);
  };
  const result = withoutChance(() =>
    step(
      mapTree(state, isSpec, input(stateInputs, 'state')),
      mapTree(batch, isSpec, input(batchInputs, 'batch')),
      mapTree(constants, isHostTensor, (leaf) =>
        toTensor(backend, graph.constant(leaf.data, leaf.dtype, leaf.shape)),
      ),
    ),
  );
  if (!result || typeof result !== 'object' || !('state' in result) || !('out' in result)) {
    throw new EngineError('its step must return { state, out }');
  }
  const valuesOf = (tree: unknown, what: string) => {
    const values = new Map<string, Value>();
    for (const [path, tensor] of leavesOf(named(tree, what), isTensor))
      values.set(path, backend.valueFor(tensor));
    return values;
  };
  const stateOutputs = valuesOf(result.state, 'state');
  checkState(stateInputs, stateOutputs);
  return {
    graph,
    stateInputs,
    batchInputs,
    stateOutputs,
    outputs: valuesOf(result.out, 'out'),
    outTree: mapTree(named(result.out, 'out'), isTensor, (_, path) => path),
  };
}

function named(tree: unknown, what: string): TreeOf<Tensor> {
  if (tree === null || typeof tree !== 'object')
    throw new EngineError(`its step returned no tensors as '${what}'`);
  return tree as TreeOf<Tensor>;
}

function toTensor(backend: TraceBackend, value: Value): Tensor {
  const { dataId, shape, dtype } = backend.tensorInfo(value);
  return engine().makeTensorFromTensorInfo({ dataId, shape, dtype }, backend);
}

/** The state after a step must look as before, or the next step would not fit. */
function checkState(before: Leaves<Value>, after: Leaves<Value>): void {
  for (const [path, old] of before) {
    const value = after.get(path);
    if (!value)
      throw new EngineError(
        `its step does not return '${path}' in the state; return it as it came to keep it`,
      );
    if (value.type !== old.type || value.shape.join() !== old.shape.join()) {
      const text = (each: Value) => `${each.type} [${each.shape.join(', ')}]`;
      throw new EngineError(
        `its step returns '${path}' of the state as ${text(value)}, it came as ${text(old)}`,
      );
    }
  }
  for (const path of after.keys()) {
    if (!before.has(path))
      throw new EngineError(`its step returns '${path}' in the state, which it did not get`);
  }
}

/** A random number drawn while tracing would be the same in every step, which nobody wants. */
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
function onTraceBackend<T>(work: (backend: TraceBackend) => T): T {
  const tfjs = engine();
  const before = tfjs.backendName;
  const backend = new TraceBackend();
  // Lowest priority: nothing else shall ever choose it. Registering and choosing are synchronous here.
  tfjs.registerBackend(traceBackendName, () => backend, -1);
  void tfjs.setBackend(traceBackendName);
  // Deep enough to reach the traced function through tfjs's own frames: errors name the place in it.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 60;
  try {
    return work(backend);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    tfjs.removeBackend(traceBackendName);
    if (before) void tfjs.setBackend(before);
  }
}

function explained(program: string, error: unknown): EngineError {
  const message = error instanceof Error ? error.message : String(error);
  const place = placeOf(error);
  const at = place ? ` (at ${place})` : '';
  const kernel = /^Kernel '(\w+)' not registered/.exec(message)?.[1];
  if (kernel) {
    const instead = alternatives[kernel];
    const hint = instead ? `: ${instead}` : '';
    return new EngineError(
      `program '${program}' can't be compiled: the kernel ${kernel} is not supported${hint}${at}`,
      {
        cause: error,
      },
    );
  }
  return new EngineError(`program '${program}' can't be compiled: ${message}${at}`, { cause: error });
}

/** Frames of tfjs (which source maps may show under their own paths), of Node, and of this engine. */
const inside = /node_modules|node:|[/\\]tfjs-[\w-]+[/\\]src|(?<!tests)[/\\]components[/\\]engine[/\\]/;

/** The innermost frame of the stack that is neither tfjs nor this engine. */
function placeOf(error: unknown): string | undefined {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n') : [];
  for (const frame of frames.filter((line) => !inside.test(line))) {
    const [, file, line] = /^\s+at .*?(?:file:\/\/)?([^\s()]+):(\d+):\d+\)?$/.exec(frame) ?? [];
    if (file) return `${file.split(/[/\\]/).slice(-2).join('/')}:${line}`;
  }
  return undefined;
}
