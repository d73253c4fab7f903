import type { LoadedStep } from '../program.ts';
import { refuseShrunk } from '../program.ts';
import type { Leaves } from '../tree.ts';
import type { HostTensor } from '../types.ts';
import { EngineError } from '../types.ts';
import type { CompiledStep } from './compile.ts';
import type { Numbers } from './messages.ts';
import type { TensorflowState } from './state.ts';

export interface TensorflowStepParts {
  readonly name: string;
  readonly step: CompiledStep;
  readonly state: TensorflowState<unknown>;
  /** The step for TensorFlow without XLA, if XLA can't compile `step`, or can't read what it compiled before. */
  readonly flat?: () => CompiledStep;
}

/** A step in TensorFlow's memory. */
export class TensorflowStep implements LoadedStep {
  private readonly name: string;
  private readonly state: TensorflowState<unknown>;
  private step: CompiledStep;
  private flat: (() => CompiledStep) | undefined;

  private constructor({ name, step, state, flat }: TensorflowStepParts) {
    this.name = name;
    this.step = step;
    this.state = state;
    this.flat = flat;
  }

  /** Rejects with an EngineError if TensorFlow refuses the step. */
  static async load(parts: TensorflowStepParts): Promise<TensorflowStep> {
    const step = new TensorflowStep(parts);
    await step.join(parts.step);
    return step;
  }

  async run(batch: Leaves<HostTensor>): Promise<Leaves<HostTensor>> {
    const { feeds, fetches, done } = this.step;
    const given = feeds.map(({ path, name }) => ({ name, value: batch.get(path)! }));
    let results: readonly Numbers[];
    try {
      const session = await this.state.running();
      refuseShrunk(this.name, batch);
      results = await session.run(given, [done, ...fetches.map(({ name }) => name)]);
    } catch (error) {
      if (error instanceof EngineError) throw error;
      // The first step only: what fails later would fail without XLA, too.
      if (this.flat) return this.withoutXla(this.flat(), error, batch);
      throw new EngineError(`program '${this.name}' failed: ${firstLine(error)}`, { cause: error });
    }
    this.flat = undefined;
    return new Map(
      fetches.map(({ path, spec: { dtype, shape } }, index) => [
        path,
        { dtype, shape: [...shape], data: results[index + 1]! },
      ]),
    );
  }

  release(): void {
    this.state.leave(this);
  }

  private async withoutXla(
    flat: CompiledStep,
    error: unknown,
    batch: Leaves<HostTensor>,
  ): Promise<Leaves<HostTensor>> {
    this.flat = undefined;
    const why = isRefusal(error) ? "can't compile it" : 'fails';
    process.emitWarning(`program '${this.name}' runs without XLA, which ${why}: ${firstLine(error)}`);
    await this.join(flat);
    this.step = flat;
    return this.run(batch);
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
