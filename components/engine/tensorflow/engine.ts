import { checkedProgram } from '../given.ts';
import { Owned } from '../owned.ts';
import { ownProgram } from '../program.ts';
import { traceStep } from '../record/trace.ts';
import { refuseInStep } from '../step.ts';
import type { Engine, HostOf, Program, ProgramOptions, State } from '../types.ts';
import { EngineError } from '../types.ts';
import type { Mode } from './compile.ts';
import { compileStep } from './compile.ts';
import type { Tensorflow } from './library.ts';
import { findTensorflow } from './library.ts';
import { steadyLowerings, tensorflowLowerings } from './lower/all.ts';
import type { Precision } from './operators/operator.ts';
import { TensorflowState } from './state.ts';
import { TensorflowStep } from './step.ts';
import { tensorflowTarget } from './target.ts';

export interface TensorflowSettings {
  /** `flat` unless said. */
  readonly mode?: Mode;
  /** `float32` unless said. */
  readonly precision?: Precision;
}

/**
 * Compiles steps to TensorFlow graphs that the library of `findTensorflow` executes.
 * Throws EngineError where there is no library, with the remedy.
 */
export async function openCompiledTensorflow(
  threads: number,
  settings: TensorflowSettings = {},
): Promise<Engine> {
  const found = await findTensorflow(threads);
  if ('missing' in found)
    throw new EngineError(`the engine 'tensorflow': ${found.missing}. Remedy: ${found.remedy}`);
  return new TensorflowEngine(found, settings);
}

class TensorflowEngine implements Engine {
  readonly name: string;
  readonly description: string;
  private readonly library: Tensorflow;
  private readonly mode: Mode;
  private readonly precision: Precision;
  private readonly owned = new Owned();
  private programs = 0;

  constructor(library: Tensorflow, { mode = 'flat', precision = 'float32' }: TensorflowSettings) {
    this.library = library;
    this.mode = mode;
    this.precision = precision;
    const { thread, threads } = library;
    const parts = [
      `TensorFlow ${thread.version}`,
      thread.usesGpu ? 'GPU' : 'CPU',
      `${threads} thread${threads === 1 ? '' : 's'}`,
      ...(mode === 'xla' ? ['XLA'] : []),
      ...(precision === 'bf16' ? ['products in bfloat16'] : []),
    ];
    const settings = [...(mode === 'xla' ? ['xla'] : []), ...(precision === 'bf16' ? ['bf16'] : [])].join(
      '+',
    );
    // What was computed in part is gone on from by the same arithmetic only: its files are called by this.
    this.name = settings === '' ? 'tensorflow' : `tensorflow:${settings}`;
    this.description = `tensorflow (${parts.join(', ')})`;
  }

  state<S>(initial: HostOf<S>): State<S> {
    refuseInStep("a state can't be made");
    return this.owned.add((forget) => new TensorflowState<S>(this.library.thread, initial, forget));
  }

  // Not `async`: a step does not await it, so its error must be thrown at once.
  compile<S, B, O, C>(options: ProgramOptions<S, B, O, C>): Promise<Program<B, O>> {
    refuseInStep(`program '${options.name}' can't be compiled`);
    return this.compileProgram(options);
  }

  dispose(): void {
    this.owned.dispose();
  }

  private async compileProgram<S, B, O, C>(options: ProgramOptions<S, B, O, C>): Promise<Program<B, O>> {
    const { state, batchLeaves, ...given } = checkedProgram(options, this.owned, isOwn);
    const { name } = given;
    const steady = this.mode === 'flat' && !this.library.thread.usesGpu;
    const lowerings = steady ? steadyLowerings : tensorflowLowerings;
    const trace = traceStep({ ...given, state: state.tree, target: tensorflowTarget, lowerings });
    const prefix = `p${this.programs++}/`;
    const { precision } = this;
    const lowered = (mode: Mode, fused: boolean) =>
      compileStep({ name, prefix, trace, variables: state.variables, mode, fused, precision });
    const parts = {
      ...{ name, state },
      step: lowered(this.mode, steady),
      ...(this.mode === 'xla' || steady ? { flat: () => lowered('flat', false) } : {}),
    };
    const { turns } = state;
    // Between the steps of the state's other programs, whose session is renewed.
    return turns.exclusively(async () => {
      const step = await TensorflowStep.load(parts);
      return ownProgram<B, O>(this.owned, { name, step, turns, batch: batchLeaves, outTree: trace.outTree });
    });
  }
}

const isOwn = (state: unknown): state is TensorflowState<unknown> => state instanceof TensorflowState;
