import { checkedLeaves } from '../check.ts';
import { sizeOf } from '../graph/value.ts';
import { refuseInStep } from '../step.ts';
import type { Leaves, TreeOf } from '../tree.ts';
import { mapTree } from '../tree.ts';
import type { HostOf, HostTensor, Program, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import type { CompiledStep } from './compile.ts';
import type { Numbers } from './messages.ts';
import type { TensorflowState } from './state.ts';

export interface ProgramParts {
  readonly name: string;
  readonly step: CompiledStep;
  readonly batch: Leaves<TensorSpec>;
  /** The tree of what the step returns; leaves are their paths. */
  readonly outTree: TreeOf<string>;
  /** The step for TensorFlow without XLA, if XLA can't compile `step`. */
  readonly flat?: () => CompiledStep;
}

const isText = (node: unknown): node is string => typeof node === 'string';

/** A step in TensorFlow's memory. */
export class TensorflowProgram<B, O> implements Program<B, O> {
  private readonly name: string;
  private readonly parts: ProgramParts;
  private readonly state: TensorflowState<unknown>;
  private readonly onDispose: () => void;
  private step: CompiledStep | undefined;
  private flat: (() => CompiledStep) | undefined;

  private constructor(parts: ProgramParts, state: TensorflowState<unknown>, onDispose: () => void) {
    this.name = parts.name;
    this.parts = parts;
    this.state = state;
    this.onDispose = onDispose;
    this.step = parts.step;
    this.flat = parts.flat;
  }

  /** Rejects with an EngineError if TensorFlow refuses the step. `own` is what makes the program its engine's. */
  static async load<B, O>(
    parts: ProgramParts,
    state: TensorflowState<unknown>,
    own: <T extends Program<B, O>>(make: (forget: () => void) => T) => T,
  ): Promise<Program<B, O>> {
    const program = own((forget) => new TensorflowProgram<B, O>(parts, state, forget));
    try {
      await program.join(parts.step);
    } catch (error) {
      program.step = undefined;
      program.onDispose();
      throw error;
    }
    return program;
  }

  // Not `async`: a step does not await it, so its error must be thrown at once.
  run(batch: HostOf<B>): Promise<HostOf<O>> {
    refuseInStep(`program '${this.name}' can't run`);
    return this.enqueue(batch);
  }

  /** A step that is being computed is finished; those that wait for their turn fail. */
  dispose(): void {
    refuseInStep(`program '${this.name}' can't be disposed of`);
    if (!this.step) return;
    this.step = undefined;
    this.state.turns.afterSteps(() => this.state.leave(this));
    this.onDispose();
  }

  private async enqueue(batch: HostOf<B>): Promise<HostOf<O>> {
    this.live();
    const leaves = checkedLeaves(batch, this.parts.batch, `program '${this.name}': the batch`);
    return this.state.turns.exclusively(() => this.compute(this.live(), leaves));
  }

  /** Arrays were checked when the step was asked for, but they stay the caller's until it is done. */
  private refuseShrunk(leaves: Leaves<HostTensor>): void {
    for (const [path, { shape, data }] of leaves) {
      if (data.length === sizeOf(shape)) continue;
      throw new EngineError(
        `program '${this.name}' failed: the array of '${path}' in the batch was transferred or made smaller before the step was done`,
      );
    }
  }

  private async compute(
    { feeds, fetches, done }: CompiledStep,
    leaves: Leaves<HostTensor>,
  ): Promise<HostOf<O>> {
    const given = feeds.map(({ path, name }) => ({ name, value: leaves.get(path)! }));
    let results: readonly Numbers[];
    try {
      const session = await this.state.running();
      this.refuseShrunk(leaves);
      results = await session.run(given, [done, ...fetches.map(({ name }) => name)]);
    } catch (error) {
      if (this.flat && isRefusal(error)) return this.withoutXla(error, leaves);
      if (error instanceof EngineError) throw error;
      throw new EngineError(`program '${this.name}' failed: ${firstLine(error)}`, { cause: error });
    }
    this.flat = undefined;
    const outputs = new Map(
      fetches.map(({ path, spec: { dtype, shape } }, index) => [
        path,
        { dtype, shape: [...shape], data: results[index + 1]! },
      ]),
    );
    return mapTree(this.parts.outTree, isText, (path) => outputs.get(path)!) as HostOf<O>;
  }

  private async withoutXla(error: unknown, leaves: Leaves<HostTensor>): Promise<HostOf<O>> {
    const step = this.flat!();
    this.flat = undefined;
    process.emitWarning(
      `program '${this.name}' runs without XLA, which can't compile it: ${firstLine(error)}`,
    );
    await this.join(step);
    if (this.step) this.step = step;
    return this.compute(step, leaves);
  }

  private async join(step: CompiledStep): Promise<void> {
    try {
      await this.state.join(this, step);
    } catch (error) {
      if (error instanceof EngineError) throw error;
      const message = `program '${this.name}': TensorFlow rejects the compiled step: ${firstLine(error)}`;
      throw new EngineError(message, { cause: error });
    }
  }

  private live(): CompiledStep {
    if (!this.step) throw new EngineError(`program '${this.name}' was disposed of`);
    return this.step;
  }
}

/** XLA says what it can't compile before it computes anything. */
function isRefusal(error: unknown): boolean {
  return /XLA|compil|unsupported|must be a compile-time constant/i.test(String(error));
}

/** TensorFlow's messages go on with lists of nodes. */
function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [line = ''] = message.split('\n');
  return line.replace(/^Session fail to run with error: /, '').trim();
}
