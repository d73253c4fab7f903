import { createRequire } from 'node:module';
import { checkedProgram } from '../given.ts';
import { Owned } from '../owned.ts';
import { ownProgram } from '../program.ts';
import { traceStep } from '../record/trace.ts';
import { refuseInStep } from '../step.ts';
import type { Engine, HostOf, Program, ProgramOptions, State } from '../types.ts';
import { EngineError } from '../types.ts';
import { toModel } from './model.ts';
import { createSession, loadRuntime } from './session.ts';
import { OnnxState } from './state.ts';
import { OnnxStep } from './step.ts';

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
    const { state, batchLeaves, ...given } = checkedProgram(options, this.owned, isOwn);
    const { name } = given;
    const trace = traceStep({ ...given, state: state.tree });
    const { bytes, ...model } = toModel(name, trace);
    const session = await createSession(bytes, this.threads).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      throw new EngineError(`program '${name}': ONNX Runtime rejects the compiled model: ${message}`, {
        cause: error,
      });
    });
    const step = new OnnxStep(name, session, state, model);
    const { turns } = state;
    return ownProgram<B, O>(this.owned, { name, step, turns, batch: batchLeaves, outTree: trace.outTree });
  }
}

const isOwn = (state: unknown): state is OnnxState<unknown> => state instanceof OnnxState;
