import { createRequire } from 'node:module';
import { hostLeaves } from '../check.ts';
import { liveNodes } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import type { Leaves, TreeOf } from '../tree.ts';
import { isSpec, leavesOf } from '../tree.ts';
import type { Engine, HostOf, HostTensor, Program, ProgramOptions, State, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import { OnnxProgram } from './program.ts';
import { encodeModel } from './proto.ts';
import { createSession } from './session.ts';
import { OnnxState } from './state.ts';
import type { AnyStep, Trace } from './trace.ts';
import { traceStep } from './trace.ts';

/** Compiles steps to ONNX models that ONNX Runtime executes on the CPU with `threads` threads. */
export function openOnnxEngine(threads: number): Engine {
  return new OnnxEngine(threads);
}

class OnnxEngine implements Engine {
  readonly name = 'onnx';
  readonly description: string;
  private readonly threads: number;
  private readonly programs: { dispose(): void }[] = [];

  constructor(threads: number) {
    this.threads = threads;
    const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as {
      version: string;
    };
    this.description = `onnx (onnxruntime-node ${version}, ${threads} thread${threads === 1 ? '' : 's'})`;
  }

  state<S>(initial: HostOf<S>): State<S> {
    return new OnnxState<S>(initial);
  }

  async compile<S, B, O, C>(options: ProgramOptions<S, B, O, C>): Promise<Program<B, O>> {
    const { name, state } = options;
    if (!(state instanceof OnnxState)) {
      throw new EngineError(
        `program '${name}': its state was made by another engine; make it with engine.state()`,
      );
    }
    const constants = (options.constants ?? {}) as TreeOf<HostTensor>;
    hostLeaves(constants, `program '${name}': the constants`);
    const batch = options.batch as TreeOf<TensorSpec>;
    const step = options.step as unknown as AnyStep;
    const trace = traceStep({ name, step, state: state.tree, batch, constants });
    const { model, used } = toModel(name, trace);
    const wiring = {
      stateInputs: used.state,
      batchInputs: used.batch,
      stateOutputs: changedState(trace).map(([path]) => path),
      batch: leavesOf(batch, isSpec),
      outputs: trace.outputs,
      outTree: trace.outTree,
    };
    const session = await createSession(model, this.threads).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      throw new EngineError(`program '${name}': ONNX Runtime rejects the compiled model: ${message}`, {
        cause: error,
      });
    });
    const program = new OnnxProgram<B, O>(name, session, state as OnnxState<unknown>, wiring);
    this.programs.push(program);
    return program;
  }

  dispose(): void {
    for (const program of this.programs.splice(0)) program.dispose();
  }
}

/** Leaves that the step returns as they came are no outputs. */
function changedState({ stateInputs, stateOutputs }: Trace): [string, Value][] {
  return [...stateOutputs].filter(([path, value]) => value !== stateInputs.get(path));
}

interface Model {
  readonly model: Uint8Array;
  /** Paths of what the model takes in: ONNX Runtime wants nothing else to be fed. */
  readonly used: { readonly state: string[]; readonly batch: string[] };
}

function toModel(name: string, trace: Trace): Model {
  const outputs = [
    ...changedState(trace).map(([path, value]) => ({ name: `next/${path}`, value })),
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
    model: encodeModel(name, nodes, inputs, outputs),
    used: { state: paths(state), batch: paths(batch) },
  };
}
