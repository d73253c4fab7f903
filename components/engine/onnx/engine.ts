import { createRequire } from 'node:module';
import { residentLeaves, specLeaves } from '../check.ts';
import { Owned } from '../owned.ts';
import { traceStep } from '../record/trace.ts';
import type { AnyStep } from '../step.ts';
import { refuseInStep } from '../step.ts';
import type { TreeOf } from '../tree.ts';
import type { Engine, HostOf, HostTensor, Program, ProgramOptions, State, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import { toModel } from './model.ts';
import { OnnxProgram } from './program.ts';
import { createSession, loadRuntime } from './session.ts';
import { OnnxState } from './state.ts';

/**
 * Compiles steps to ONNX models that ONNX Runtime executes on the CPU with `threads` threads.
 * Throws EngineError if ONNX Runtime can't be loaded.
 */
export async function openOnnxEngine(threads: number): Promise<Engine> {
  await loadRuntime();
  return new OnnxEngine(threads);
}

class OnnxEngine implements Engine {
  readonly name = 'onnx';
  readonly description: string;
  private readonly threads: number;
  private readonly owned = new Owned();

  constructor(threads: number) {
    this.threads = threads;
    const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as {
      version: string;
    };
    this.description = `onnx (onnxruntime-node ${version}, ${threads} thread${threads === 1 ? '' : 's'})`;
  }

  state<S>(initial: HostOf<S>): State<S> {
    refuseInStep("a state can't be made");
    return this.owned.add((forget) => new OnnxState<S>(initial, forget));
  }

  // Not `async`: a step does not await it, so its error must be thrown at once.
  compile<S, B, O, C>(options: ProgramOptions<S, B, O, C>): Promise<Program<B, O>> {
    refuseInStep(`program '${options.name}' can't be compiled`);
    return this.compileStep(options);
  }

  dispose(): void {
    this.owned.dispose();
  }

  private async compileStep<S, B, O, C>(options: ProgramOptions<S, B, O, C>): Promise<Program<B, O>> {
    const { name, state } = options;
    this.owned.check();
    if (!(state instanceof OnnxState)) {
      throw new EngineError(
        `program '${name}': its state was made by another engine; make it with engine.state()`,
      );
    }
    state.live(`program '${name}': `);
    const constants = (options.constants ?? {}) as TreeOf<HostTensor>;
    residentLeaves(constants, `program '${name}': the constants`);
    const batch = options.batch as TreeOf<TensorSpec>;
    const batchLeaves = specLeaves(batch, `program '${name}': the batch spec`);
    const step = options.step as unknown as AnyStep;
    const trace = traceStep({ name, step, state: state.tree, batch, constants });
    const { bytes, used, changed, outputs } = toModel(name, trace);
    const wiring = {
      stateInputs: used.state,
      batchInputs: used.batch,
      stateOutputs: changed,
      batch: copied(batchLeaves),
      outputs,
      outTree: trace.outTree,
    };
    const session = await createSession(bytes, this.threads).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      throw new EngineError(`program '${name}': ONNX Runtime rejects the compiled model: ${message}`, {
        cause: error,
      });
    });
    return this.owned.add(
      (forget) => new OnnxProgram<B, O>(name, session, state as OnnxState<unknown>, wiring, forget),
    );
  }
}

/** Without the values that a batch which serves as its own spec would bring along. */
function copied(specs: ReadonlyMap<string, TensorSpec>): ReadonlyMap<string, TensorSpec> {
  return new Map(
    [...specs].map(([path, { dtype = 'float32', shape }]) => [path, { dtype, shape: [...shape] }]),
  );
}
