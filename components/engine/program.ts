import { checkedLeaves } from './check.ts';
import { sizeOf } from './graph/value.ts';
import type { Owned } from './owned.ts';
import { refuseInStep } from './step.ts';
import type { Leaves, TreeOf } from './tree.ts';
import { mapTree } from './tree.ts';
import type { Turns } from './turns.ts';
import type { HostOf, HostTensor, Program, TensorSpec } from './types.ts';
import { EngineError } from './types.ts';

/** A compiled step in the memory of the library that computes it, and the state that it works on. */
export interface LoadedStep {
  /** Computes the step on the leaves of a batch; gives its outputs, by path. Rejects with an EngineError. */
  run(batch: Leaves<HostTensor>): Promise<Leaves<HostTensor>>;
  /** Called once, when no step is under way. */
  release(): void;
}

export interface ProgramParts {
  readonly name: string;
  readonly step: LoadedStep;
  /** Those of the state, whose programs compute one after the other. */
  readonly turns: Turns;
  readonly batch: Leaves<TensorSpec>;
  /** The tree of what the step returns; leaves are their paths. */
  readonly outTree: TreeOf<string>;
}

/** Makes a program that is its engine's. Releases the step and throws EngineError if that was disposed of meanwhile. */
export function ownProgram<B, O>(owned: Owned, parts: ProgramParts): Program<B, O> {
  try {
    return owned.add((forget) => new LoadedProgram<B, O>(parts, forget));
  } catch (error) {
    parts.step.release();
    throw error;
  }
}

/** The program of every engine that compiles: batches are checked, steps take turns. */
class LoadedProgram<B, O> implements Program<B, O> {
  private readonly parts: ProgramParts;
  private readonly onDispose: () => void;
  private disposed = false;

  constructor(parts: ProgramParts, onDispose: () => void) {
    this.parts = parts;
    this.onDispose = onDispose;
  }

  // Not `async`: a step does not await it, so its error must be thrown at once.
  run(batch: HostOf<B>): Promise<HostOf<O>> {
    refuseInStep(`program '${this.parts.name}' can't run`);
    return this.enqueue(batch);
  }

  /** A step that is being computed is finished; those that wait for their turn fail. */
  dispose(): void {
    const { name, step, turns } = this.parts;
    refuseInStep(`program '${name}' can't be disposed of`);
    if (this.disposed) return;
    this.disposed = true;
    turns.afterSteps(() => step.release());
    this.onDispose();
  }

  private async enqueue(batch: HostOf<B>): Promise<HostOf<O>> {
    const { name, step, turns, batch: specs, outTree } = this.parts;
    this.refuseDisposed();
    const leaves = checkedLeaves(batch, specs, `program '${name}': the batch`);
    return turns.exclusively(async () => {
      this.refuseDisposed();
      refuseShrunk(name, leaves);
      const results = await step.run(leaves);
      return mapTree(outTree, isText, (path) => results.get(path)!) as HostOf<O>;
    });
  }

  private refuseDisposed(): void {
    if (this.disposed) throw new EngineError(`program '${this.parts.name}' was disposed of`);
  }
}

const isText = (node: unknown): node is string => typeof node === 'string';

/**
 * Throws EngineError for an array that is shorter than it was: arrays are checked when a step is asked for, but they stay
 * the caller's until it is done.
 */
export function refuseShrunk(name: string, leaves: Leaves<HostTensor>): void {
  for (const [path, { shape, data }] of leaves) {
    if (data.length === sizeOf(shape)) continue;
    throw new EngineError(
      `program '${name}' failed: the array of '${path}' in the batch was transferred or made smaller before the step was done`,
    );
  }
}
