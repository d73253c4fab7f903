import { createRequire } from 'node:module';
import { hostLeaves } from '../check.ts';
import type { TreeOf } from '../tree.ts';
import { isSpec, leavesOf } from '../tree.ts';
import type { Engine, HostOf, HostTensor, Program, ProgramOptions, State, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import { toModel } from './model.ts';
import { OnnxProgram } from './program.ts';
import { createSession } from './session.ts';
import { OnnxState } from './state.ts';
import type { AnyStep } from './trace.ts';
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
    const { bytes, used, changed } = toModel(name, trace);
    const wiring = {
      stateInputs: used.state,
      batchInputs: used.batch,
      stateOutputs: changed,
      batch: leavesOf(batch, isSpec),
      outputs: trace.outputs,
      outTree: trace.outTree,
    };
    const session = await createSession(bytes, this.threads).catch((error: unknown) => {
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
